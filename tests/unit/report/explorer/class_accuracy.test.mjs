// Accuracy per class, by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { classAccuracies } from "../../../../report/explorer/class_accuracy.mjs";

test("the accuracy of a class is the share of its own images; without images, none", () => {
  const confusion = {
    right: { clean: [3, 6, 0], ablated: [1, 7, 0] },
    class_images: [4, 8, 0],
  };
  assert.deepEqual(classAccuracies(confusion), [
    { label: 0, images: 4, clean: 0.75, ablated: 0.25, change: -0.5 },
    { label: 1, images: 8, clean: 0.75, ablated: 0.875, change: 0.125 },
    { label: 2, images: 0, clean: null, ablated: null, change: null },
  ]);
});
