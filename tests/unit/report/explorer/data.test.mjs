// Probabilities in units, as the page writes them.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as data from "../../../../report/explorer/data.mjs";

test("units are written with all digits that the page holds", () => {
  data.shown.data = { digits: 4, side: 32, classes: ["cat", "dog"] };
  assert.equal(data.fullUnits(), 10000);
  assert.equal(data.unitsText(3), "0.03\u00a0%");
  assert.equal(data.unitsText(10000), "100.00\u00a0%");
  assert.equal(data.className(1), "dog");
});
