// Where things lie in pictures: arithmetic only.

const FILTER_GAP = 2; // canvas pixels between neighbours in the picture of all filters
const LARGEST_FILTER = 28; // side in that picture, in canvas pixels, where patches are small

export function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

/** The number of a list that is nearest to a wished one; the first where none was wished. */
export function nearest(wished, numbers) {
  const distance = (number) => Math.abs(number - wished);
  return numbers.reduce((best, number) => (distance(number) < distance(best) ? number : best));
}

/** A value carried over from one range to another. */
export function scaled(value, [low, high], [start, end]) {
  return start + ((value - low) / (high - low)) * (end - start);
}

/** Round numbers from 0 to the first one that is at least `highest`, three to six of them. */
export function ticksUpTo(highest) {
  const power = 10 ** Math.floor(Math.log10(highest || 1));
  const step = [0.2, 0.5, 1, 2].map((part) => part * power).find((part) => highest / part <= 5);
  const count = Math.max(1, Math.ceil(highest / step));
  return Array.from({ length: count + 1 }, (_, place) => place * step);
}

/** The number under the pointer, of those along an axis of a drawing that is shown in any size. */
export function numberUnder({ clientX }, drawing, { width, ends, numbers }) {
  const x = scaled(clientX, [drawing.left, drawing.left + drawing.width], [0, width]);
  return nearest(scaled(x, ends, [numbers[0], numbers.at(-1)]), numbers);
}

/** The top left corner of a cell of a sprite. */
export function cellCorner(cell, { width, height, across }) {
  return { x: (cell % across) * width, y: Math.floor(cell / across) * height };
}

/** The pixels of an image under a window, clipped at the border: top, left, bottom, right. */
export function windowBox(row, column, window, { width, height }) {
  const reach = (window - 1) / 2;
  const [top, bottom] = [row - reach, row + reach + 1].map((edge) => clamp(edge, 0, height));
  const [left, right] = [column - reach, column + reach + 1].map((edge) => clamp(edge, 0, width));
  return [top, left, bottom, right];
}

/** The image's pixel under the pointer, in a picture of it that is shown in any size. */
export function pixelUnder({ clientX, clientY }, picture, { width, height }) {
  const row = Math.floor(((clientY - picture.top) / picture.height) * height);
  const column = Math.floor(((clientX - picture.left) / picture.width) * width);
  return [row, column];
}

/**
 * At each pixel of an image the position whose block of pixels holds it, -1 where none does; of so
 * many rows and columns of positions.
 */
export function positionsOfPixels({ rows, columns, stride }, { width, height }) {
  const positions = new Int32Array(height * width).fill(-1);
  const end = Math.min(height, rows * stride); // what is beyond it is too little for a block
  const right = Math.min(width, columns * stride);
  for (let row = 0; row < end; row++) {
    for (let column = 0; column < right; column++) {
      const position = Math.floor(row / stride) * columns + Math.floor(column / stride);
      positions[row * width + column] = position;
    }
  }
  return positions;
}

/** Where an object in an image ends: from (row, column) one pixel to the right, or one down. */
export function borderOf(isInside, { width, height }) {
  const edges = [];
  for (let row = 0; row <= height; row++) {
    for (let column = 0; column <= width; column++) {
      const inside = isInside(row, column);
      if (inside !== isInside(row - 1, column)) edges.push({ row, column, right: 1, down: 0 });
      if (inside !== isInside(row, column - 1)) edges.push({ row, column, right: 0, down: 1 });
    }
  }
  return edges;
}

/** The picture of all filters: repeats of a patch's pixel, pitch of the cells, cells across. */
export function filterGrid(channels, patchSide, width) {
  const times = Math.max(1, Math.round(LARGEST_FILTER / patchSide));
  const pitch = patchSide * times + FILTER_GAP;
  const across = clamp(Math.floor(width / pitch), 1, channels);
  return { times, pitch, across };
}

/** The size of a picture that is scaled down to a longer side, if it has a longer one. */
export function scaledDown({ height, width }, side) {
  const scale = Math.min(1, side / Math.max(height, width));
  const pixels = (length) => Math.max(1, Math.round(scale * length));
  return { height: pixels(height), width: pixels(width) };
}

/** The filter under the pointer in that picture, or null. */
export function filterUnder({ clientX, clientY }, { left, top, width }, { across }, channels) {
  const cell = width / across;
  const row = Math.floor((clientY - top) / cell);
  const column = Math.floor((clientX - left) / cell);
  const channel = row * across + column;
  return channel >= 0 && channel < channels ? channel : null;
}

/** The first place from a wished one on that is far enough from all that are taken. */
export function freePlace(wished, taken, distance) {
  let place = wished;
  while (taken.some((other) => Math.abs(other - place) < distance)) place += 1;
  return place;
}
