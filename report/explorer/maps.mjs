// Occlusion maps: what a network makes of an image under a window, as one column shows it.

import { probeNamed, shown } from "./data.mjs";
import { nearest, windowBox } from "./layout.mjs";
import { inflatedNumbers, plane } from "./packing.mjs";

const unpackedMaps = new WeakMap(); // by the object that holds them packed

/** One image's maps: probabilities in units by window, class and position; predicted classes. */
async function readMaps({ probability, predicted }) {
  return {
    probability: await inflatedNumbers(probability),
    predicted: await inflatedNumbers(predicted),
  };
}

function mapsOf(packed) {
  if (!unpackedMaps.has(packed)) unpackedMaps.set(packed, readMaps(packed));
  return unpackedMaps.get(packed);
}

/** How many positions the window has on an image, in rows and columns, and how far apart. */
export function gridOf({ centres, stride }) {
  return { rows: centres.row.length, columns: centres.column.length, stride };
}

/**
 * One network under one window, of the image and at the place of a state; null where the network
 * has no maps of the image.
 */
export async function sideOf(network, window, { image, row, column }) {
  const { run, checkpoint, occlusion } = probeNamed(network);
  const held = occlusion.indices.indexOf(image);
  if (held < 0) return null;
  const at = occlusion.windows.findIndex((entry) => entry.window === window);
  const { centres } = occlusion;
  const [y, x] = [nearest(row, centres.row), nearest(column, centres.column)];
  const grid = gridOf(occlusion);
  return {
    run,
    checkpoint,
    occlusion,
    grid,
    image,
    held,
    label: occlusion.labels[held],
    maps: await mapsOf(occlusion.maps[held]),
    classes: occlusion.map_classes[held],
    window,
    windowAt: at,
    shownWindow: occlusion.windows[at],
    place: `window ${window}×${window} at row ${y}, column ${x}`,
    box: windowBox(y, x, window, shown.data),
    position: centres.row.indexOf(y) * grid.columns + centres.column.indexOf(x),
  };
}

/**
 * The probabilities of a class, in units, with the window at each position; null where the page
 * doesn't hold them.
 */
export function probabilityUnits({ maps, classes, windowAt, grid }, label) {
  const at = classes.indexOf(label);
  if (at < 0) return null;
  return plane(maps.probability, windowAt * classes.length + at, grid.rows * grid.columns);
}

/** The class predicted with the window at each position. */
export function predictedClasses({ maps, windowAt, grid }) {
  return plane(maps.predicted, windowAt, grid.rows * grid.columns);
}
