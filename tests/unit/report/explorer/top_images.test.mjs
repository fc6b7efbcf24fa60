// Filters and the classes of their top images, by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { filtersOfClass, topImage } from "../../../../report/explorer/top_images.mjs";

const LAYER = {
  ranks: 2,
  channels: 4,
  image: [5, 6, 7, 5, 6, 8, 5, 6],
  response: [3, 2, 9, 1, 4, 3, 0, 0],
  boxes: [
    [0, 10, 20, 30],
    [3, 13, 23, 33],
  ],
  box: [0, 0, 0, 1, 0, 0, 0, 0],
};
const LABELS = new Map([
  [5, 0],
  [6, 1],
  [7, 2],
  [8, 3],
]);

test("a top image has a rank, a response and a box", () => {
  const expected = { image: 5, response: 1, box: [3, 13, 23, 33] };
  assert.deepEqual(topImage(LAYER, 1, 1), expected);
});

test("a filter is of all classes of its top images, but a response of 0 is no answer", () => {
  const filters = [0, 1, 2, 3].map((label) => {
    return filtersOfClass(LAYER, label, LABELS);
  });
  assert.deepEqual(filters, [[0, 1], [0, 2], [1], [2]]);
});
