// Pictures in canvases: cells of sprites, test images, boxes.

import { canvasOf } from "./elements.mjs";
import { cellCorner } from "./layout.mjs";
import { shown } from "./data.mjs";

const LARGE = 288; // longer side of a large picture, in canvas pixels, or a little more

export async function loadedPicture(source) {
  const image = new Image();
  image.src = source;
  await image.decode();
  return image;
}

/** Draw a cell of a sprite, or its top left part, into a canvas of the cell's own pixels. */
export function drawCell(canvas, sprite, cell, width = sprite.width, height = sprite.height) {
  const { x, y } = cellCorner(cell, sprite);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.drawImage(sprite.picture, x, y, width, height, 0, 0, width, height);
}

/** The pixels of a cell of a sprite, which may be changed. */
export function cellPixels(sprite, cell) {
  const { width, height } = sprite;
  const { x, y } = cellCorner(cell, sprite);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(sprite.picture, x, y, width, height, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** A small picture of a test image, or null where the page doesn't hold it. */
export function thumbnail(image) {
  const { thumbnails } = shown.data;
  const cell = thumbnails.cells.get(image);
  if (cell === undefined) return null;
  const canvas = canvasOf(`test image ${image}`);
  drawCell(canvas, thumbnails, cell);
  return canvas;
}

/** Show pixels of the image's size in a larger canvas; how many canvas pixels one of them has. */
export function showLarge(canvas, pixels) {
  const { width, height } = shown.data;
  const times = Math.max(1, Math.ceil(LARGE / Math.max(width, height)));
  canvas.width = width * times;
  canvas.height = height * times;
  const small = new OffscreenCanvas(width, height);
  small.getContext("2d").putImageData(pixels, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return times;
}

/** Draw the context's path as a line that is seen on every ground: of one colour within another. */
export function strokeTwice(context, outer, inner) {
  const lines = [
    [4, outer],
    [2, inner],
  ];
  for (const [width, colour] of lines) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** Draw a box of image pixels. */
export function outline(canvas, times, [top, left, bottom, right]) {
  const context = canvas.getContext("2d");
  context.beginPath();
  context.rect(left * times, top * times, (right - left) * times, (bottom - top) * times);
  strokeTwice(context, "white", "black");
}
