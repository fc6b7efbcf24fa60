import assert from "node:assert/strict";
import { test } from "node:test";

import { quantileImages } from "../../../../report/explorer/quantiles.mjs";

test("columns become images, in their order", () => {
  const columns = { quantile: [1, 0], image: [7, 2], response: [3.5, 0], class: ["a", "b"] };
  assert.deepEqual(quantileImages(columns), [
    { share: 1, image: 7, response: 3.5, name: "a" },
    { share: 0, image: 2, response: 0, name: "b" },
  ]);
});

test("a filter that was not chosen has none", () => {
  assert.deepEqual(quantileImages(undefined), []);
});
