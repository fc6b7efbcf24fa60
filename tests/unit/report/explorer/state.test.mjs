// Probabilities in units, as the page writes them.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as state from "../../../../report/explorer/state.mjs";

test("units are written with all digits that the page holds", () => {
  state.shown.data = { digits: 4, side: 32, classes: ["cat", "dog"] };
  assert.equal(state.fullUnits(), 10000);
  assert.equal(state.unitsText(3), "0.03\u00a0%");
  assert.equal(state.unitsText(10000), "100.00\u00a0%");
  assert.equal(state.className(1), "dog");
});
