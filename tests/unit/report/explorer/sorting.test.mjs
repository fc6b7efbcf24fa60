// The order of lines, by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nextDirection, sortedLines } from "../../../../report/explorer/sorting.mjs";

function sorted(values, direction) {
  return sortedLines(values, (value) => value, direction);
}

test("numbers are sorted by their size", () => {
  assert.deepEqual(sorted([10, 9, -0.5, 100], "ascending"), [-0.5, 9, 10, 100]);
  assert.deepEqual(sorted([10, 9, -0.5, 100], "descending"), [100, 10, 9, -0.5]);
});

test("numbers in names count as numbers", () => {
  const names = ["conv10/3", "conv2/15", "Conv2/2", "air"];
  assert.deepEqual(sorted(names, "ascending"), ["air", "Conv2/2", "conv2/15", "conv10/3"]);
});

test("what has no value is last in both directions, and texts come after numbers", () => {
  assert.deepEqual(sorted([null, 0, "seeds", 3], "ascending"), [0, 3, "seeds", null]);
  assert.deepEqual(sorted([null, 0, "seeds", 3], "descending"), ["seeds", 3, 0, null]);
  assert.deepEqual(sorted(["", "b", "a"], "descending"), ["b", "a", ""]);
});

test("lines of the same value keep their order", () => {
  const lines = ["b1", "a2", "b3", "a4"];
  const letter = ([first]) => first;
  assert.deepEqual(sortedLines(lines, letter, "ascending"), ["a2", "a4", "b1", "b3"]);
  assert.deepEqual(sortedLines(lines, letter, "descending"), ["b1", "b3", "a2", "a4"]);
  assert.deepEqual(sortedLines(lines, letter, "none"), lines);
});

test("a third click gives back the table's own order", () => {
  const next = ["none", "ascending", "descending"].map((direction) => nextDirection(direction));
  assert.deepEqual(next, ["ascending", "descending", "none"]);
});

test("a column that sorts the largest first goes the other way round", () => {
  const directions = ["none", "descending", "ascending"];
  const next = directions.map((direction) => nextDirection(direction, true));
  assert.deepEqual(next, ["descending", "ascending", "none"]);
});
