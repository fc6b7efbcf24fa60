// What the list says of an image.

import assert from "node:assert/strict";
import { test } from "node:test";

import { changesText, onObject } from "../../../../report/explorer/sheet.mjs";

test("what covering the object costs stands beside what others' objects would", () => {
  assert.equal(onObject(0.341, -0.02), "+0.34 on the object, −0.02 on others");
});

test("of an image without an object, or without others, nothing is made up", () => {
  assert.equal(onObject(null, null), "");
  assert.equal(onObject(-0.5, null), "−0.50 on the object");
});

test("an image whose prediction changes nowhere doesn't change at few places", () => {
  assert.equal(changesText(0), "changes nowhere");
  assert.equal(changesText(0.001), "changes at <\u00a01\u00a0% of places");
  assert.equal(changesText(0.25), "changes at 25\u00a0% of places");
});
