import assert from "node:assert/strict";
import { test } from "node:test";

import { mapsText, withoutText } from "../../../../report/explorer/chosen_filter.mjs";

test("the scale of maps is said, or where maps are that the page doesn't hold", () => {
  const words = mapsText("conv1/7", { low: 0, high: 11.234, levels: "AA==" });
  assert.match(words, /the map of conv1\/7, .* from 0, dark, to 11\.2, bright\.$/);
  assert.match(mapsText("a/0", { low: 0, high: 1, levels: null }), /in filters\/activations\.h5/);
  assert.equal(
    mapsText("a/0", { low: 0, high: 0, levels: "AA==" }),
    "The map of a/0 is 0 everywhere.",
  );
});

test("what is lost without a filter has its interval", () => {
  const row = { variant: "conv1/7", change: -0.005, change_low: -0.013, change_high: 0.004 };
  assert.equal(
    withoutText(row, 0.976).replaceAll("\u00a0", " "),
    "Without conv1/7 alone the accuracy, 97.6 % with all filters, changes by −0.5 points " +
      "(95 % interval −1.3 to +0.4).",
  );
});
