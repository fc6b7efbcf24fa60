// Maps as pictures: each position is painted over its block of pixels.

import { paint } from "./colours.mjs";
import { fullUnits, shown } from "./data.mjs";
import { borderOf, positionsOfPixels } from "./layout.mjs";
import { bytesOf, hasBit } from "./packing.mjs";
import { strokeTwice } from "./pictures.mjs";

/** A picture of the image's size; `paintPosition` writes the colour of a position into bytes. */
export function mapOfBlocks(grid, paintPosition) {
  const pixels = new ImageData(shown.data.width, shown.data.height);
  for (const [pixel, position] of positionsOfPixels(grid, shown.data).entries()) {
    if (position >= 0) paintPosition(position, pixels.data, 4 * pixel);
  }
  return pixels;
}

/** Probabilities, given in units, in colours from `low` to `high`. */
export function mapPixels(units, grid, [low, high]) {
  return mapOfBlocks(grid, (position, bytes, at) => {
    const share = (units[position] / fullUnits() - low) / (high - low);
    paint(share, shown.data.viridis, bytes, at);
  });
}

/** Differences of probabilities in colours from -`most` to `most`. */
export function differencePixels(differences, grid, most) {
  return mapOfBlocks(grid, (position, bytes, at) => {
    paint((differences[position] / most + 1) / 2, shown.data.berlin, bytes, at);
  });
}

/** Draw the border of the object, where its place is known. */
export function outlineObject(canvas, times, packed) {
  if (!packed) return;
  const { width, height } = shown.data;
  const mask = bytesOf(packed);
  const isWithin = (row, column) => row >= 0 && column >= 0 && row < height && column < width;
  const isObject = (row, column) => isWithin(row, column) && hasBit(mask, row * width + column);
  const context = canvas.getContext("2d");
  context.beginPath();
  for (const { row, column, right, down } of borderOf(isObject, shown.data)) {
    context.rect(column * times, row * times, right * times, down * times);
  }
  strokeTwice(context, "black", "white");
}

/** Fill a canvas with the colours of a scale, from left to right. */
export function drawScale(canvas, colours) {
  const scale = new ImageData(256, 1);
  for (let level = 0; level < 256; level++) paint(level / 255, colours, scale.data, 4 * level);
  canvas.getContext("2d").putImageData(scale, 0, 0);
}
