// Where things lie in pictures, computed by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as layout from "../../../../report/explorer/layout.mjs";

const IMAGE = { width: 40, height: 24 };
const BOX = { left: 100, top: 50, width: 64, height: 32 };

test("a value is carried over from one range to another, also a falling one", () => {
  assert.equal(layout.scaled(0.25, [0, 1], [0, 200]), 50);
  assert.equal(layout.scaled(0.25, [0, 1], [200, 0]), 150);
  assert.equal(layout.scaled(-0.02, [-0.02, 0.06], [2, 98]), 2);
  assert.equal(layout.scaled(0.06, [-0.02, 0.06], [2, 98]), 98);
});

test("cells of a sprite lie row by row", () => {
  const sprite = { width: 8, height: 5, across: 3 };
  assert.deepEqual(layout.cellCorner(0, sprite), { x: 0, y: 0 });
  assert.deepEqual(layout.cellCorner(5, sprite), { x: 16, y: 5 });
});

test("a window is clipped at the border", () => {
  assert.deepEqual(layout.windowBox(10, 20, 3, IMAGE), [9, 19, 12, 22]);
  assert.deepEqual(layout.windowBox(0, 39, 9, IMAGE), [0, 35, 5, 40]);
  assert.deepEqual(layout.windowBox(23, 0, 9, IMAGE), [19, 0, 24, 5]);
});

test("the pointer finds the image's pixel in a picture of any size", () => {
  const pixelAt = (clientX, clientY) => layout.pixelUnder({ clientX, clientY }, BOX, IMAGE);
  assert.deepEqual(pixelAt(100, 50), [0, 0]);
  assert.deepEqual(pixelAt(163.9, 81.9), [23, 39]);
  assert.deepEqual(pixelAt(103, 60.5), [7, 1]);
});

test("each pixel belongs to the position whose block holds it, beyond the blocks to none", () => {
  const positions = (rows, columns, stride, height, width) => [
    ...layout.positionsOfPixels({ rows, columns, stride }, { height, width }),
  ];
  assert.deepEqual(positions(2, 3, 1, 2, 3), [0, 1, 2, 3, 4, 5]);
  // Centres 1 and 4 of 5 pixels: the second block is clipped.
  const clipped = [0, 0, 0, 1, 1];
  const below = [2, 2, 2, 3, 3];
  assert.deepEqual(positions(2, 2, 3, 5, 5), [clipped, clipped, clipped, below, below].flat());
  // Centre 1 of 4 pixels: the next one, 4, is outside.
  const covered = [0, 0, 0, -1];
  assert.deepEqual(positions(1, 1, 3, 4, 4), [covered, covered, covered, [-1, -1, -1, -1]].flat());
  // Centre 1 of 4 rows, centres 1 and 4 of 5 columns.
  const wide = [0, 0, 0, 1, 1];
  assert.deepEqual(positions(1, 2, 3, 4, 5), [wide, wide, wide, [-1, -1, -1, -1, -1]].flat());
});

test("an object of one pixel has four edges", () => {
  const isInside = (row, column) => row === 1 && column === 0;
  assert.deepEqual(layout.borderOf(isInside, { width: 1, height: 3 }), [
    { row: 1, column: 0, right: 1, down: 0 },
    { row: 1, column: 0, right: 0, down: 1 },
    { row: 1, column: 1, right: 0, down: 1 },
    { row: 2, column: 0, right: 1, down: 0 },
  ]);
});

test("small patches are enlarged, and at most all filters lie in a row", () => {
  assert.deepEqual(layout.filterGrid(16, 6, 1200), { times: 5, pitch: 32, across: 16 });
  assert.deepEqual(layout.filterGrid(1000, 6, 1200), { times: 5, pitch: 32, across: 37 });
  assert.deepEqual(layout.filterGrid(1000, 64, 20), { times: 1, pitch: 66, across: 1 });
});

test("a picture is scaled down to its longer side, and never up", () => {
  const sizeOf = (height, width) => layout.scaledDown({ height, width }, 10);
  assert.deepEqual(sizeOf(40, 20), { height: 10, width: 5 });
  assert.deepEqual(sizeOf(1, 200), { height: 1, width: 10 });
  assert.deepEqual(sizeOf(4, 7), { height: 4, width: 7 });
});

test("the pointer finds the filter, where there is one", () => {
  const filterAt = (clientX, clientY) =>
    layout.filterUnder({ clientX, clientY }, BOX, { across: 4 }, 7);
  assert.equal(filterAt(100, 50), 0);
  assert.equal(filterAt(163, 50), 3);
  assert.equal(filterAt(133, 67), 6);
  assert.equal(filterAt(149, 67), null);
  assert.equal(filterAt(100, 49), null);
});

test("a label moves down until it is far enough from the others", () => {
  assert.equal(layout.freePlace(20, [], 13), 20);
  assert.equal(layout.freePlace(20, [20], 13), 33);
  assert.equal(layout.freePlace(20, [20, 40], 13), 53);
});

test("an axis ends with the first round number above all values", () => {
  const rounded = (highest) => layout.ticksUpTo(highest).map((tick) => Number(tick.toFixed(6)));
  assert.deepEqual(rounded(1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(rounded(2.31), [0, 0.5, 1, 1.5, 2, 2.5]);
  assert.deepEqual(rounded(0.034), [0, 0.01, 0.02, 0.03, 0.04]);
  assert.deepEqual(rounded(70), [0, 20, 40, 60, 80]);
  assert.deepEqual(rounded(0), [0, 0.2]);
});

test("the pointer finds the nearest number of an axis, beyond its ends the last one", () => {
  const axis = { width: 400, ends: [40, 340], numbers: [1, 2, 4] };
  const numberAt = (x) => layout.numberUnder({ clientX: x }, { left: 100, width: 200 }, axis);
  // The drawing has half its size: the numbers are at 20, 70 and 170 from its left.
  assert.deepEqual([120, 144, 146, 170, 219, 221].map(numberAt), [1, 1, 2, 2, 2, 4]);
  assert.deepEqual([100, 300].map(numberAt), [1, 4]);
});
