// Colours of maps and classes.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as colours from "../../../../report/explorer/colours.mjs";

// Level n is n, 255 - n and 7: a scale whose levels can be told apart.
const SCALE = Array.from({ length: 256 }, (_, level) => [level, 255 - level, 7]).flat();

test("many classes without a colour of their own have one entry of the legend", () => {
  const predicted = Array.from({ length: 12 }, (_, label) => label);
  const found = colours.classColours(0, predicted, 12); // 0 is grey, seven have a colour, four none
  const shares = predicted.map((label) => [label, (label + 1) / 78]);
  const entries = colours.legendEntries(shares, found);
  assert.equal(entries.length, 9);
  assert.deepEqual(entries[1], { labels: [1], share: 2 / 78, colour: found.get(1) });
  assert.deepEqual(entries[8].labels, [8, 9, 10, 11]);
  assert.ok(Math.abs(entries[8].share - 42 / 78) < 1e-12);
  assert.equal(colours.legendEntries(shares.slice(0, 11), found).length, 11);
});

test("a stretched scale has the map's lowest and highest probability at its ends", () => {
  assert.deepEqual(colours.scaleOf(Uint16Array.of(2500, 9000, 4000), 10000), [0.25, 0.9]);
});

test("a map of one value everywhere keeps the full scale", () => {
  assert.equal(colours.scaleOf(Uint16Array.of(5, 5), 10000), colours.FULL_SCALE);
});

test("a share has the nearest level's colour, opaque, and nothing else is touched", () => {
  const bytes = new Uint8ClampedArray(12);
  colours.paint(0.5, SCALE, bytes, 4);
  assert.deepEqual([...bytes], [0, 0, 0, 0, 128, 127, 7, 255, 0, 0, 0, 0]);
  colours.paint(1, SCALE, bytes, 0);
  assert.deepEqual([...bytes.subarray(0, 4)], [255, 0, 7, 255]);
});

test("an image shows through a map in grey", () => {
  const map = Uint8ClampedArray.of(100, 200, 0, 255);
  colours.blendWithGrey(map, Uint8ClampedArray.of(200, 100, 50, 255)); // grey 124.5
  // 127.5 - 0.6 · 3 is 125.7, of which a quarter.
  assert.deepEqual([...map], [106, 181, 31, 255]);
});

test("a colour's number falls apart into red, green and blue", () => {
  assert.deepEqual(colours.redGreenBlue("#E69F00"), [230, 159, 0]);
});

test("the true class is grey, the others have a colour each as far as there are any", () => {
  const predicted = [5, 3, 0, 1, 2, 4, 6, 7, 8];
  const found = colours.classColours(3, predicted, 11);
  assert.equal(found.get(3), "#d9d9d9");
  assert.equal(found.get(5), "#E69F00");
  assert.equal(found.get(0), "#56B4E9");
  assert.equal(found.get(8), "#333333");
  assert.equal(new Set(found.values()).size, 9);
});

test("up to ten classes have the same colour in every map", () => {
  const colourOf = (trueClass, predicted, label) => {
    return colours.classColours(trueClass, predicted, 10).get(label);
  };
  assert.equal(colourOf(3, [1, 5], 5), colourOf(0, [5, 1, 2], 5));
  const labels = Array.from({ length: 10 }, (_, label) => label);
  const all = labels.map((label) => colourOf(label === 0 ? 1 : 0, [label], label));
  assert.equal(new Set([...all, colours.classColours(4, [4], 10).get(4)]).size, 11);
});

test("a cell's colour grows with its share", () => {
  assert.equal(colours.tint("red", 0), "");
  assert.equal(colours.tint("red", 0.5), "color-mix(in srgb, red 23%, transparent)");
  assert.equal(colours.tint("red", 1), "color-mix(in srgb, red 45%, transparent)");
});
