import assert from "node:assert/strict";
import { test } from "node:test";

import { kernelText } from "../../../../report/explorer/kernels.mjs";

test("a kernel's caption says its size and the range of its colours", () => {
  const words = kernelText("conv1/2", { height: 5, width: 3 }, 0.23456);
  assert.match(words, /^Kernel of conv1\/2, 3×5 pixels: .* is ±0\.235, the largest weight/);
});

test("a kernel without any weight has no range", () => {
  assert.match(kernelText("a/0", { height: 1, width: 1 }, 0), /All its weights are 0\.$/);
});
