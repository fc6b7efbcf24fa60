// What the list says of an image.

import assert from "node:assert/strict";
import { test } from "node:test";

import { onObject } from "../../../../report/explorer/sheet.mjs";

test("what covering the object costs stands beside what others' objects would", () => {
  assert.equal(onObject(0.341, -0.02), "+0.34 on the object, −0.02 on others");
});

test("of an image without an object, or without others, nothing is made up", () => {
  assert.equal(onObject(null, null), "");
  assert.equal(onObject(-0.5, null), "−0.50 on the object");
});
