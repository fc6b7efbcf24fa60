// What is known of a chosen filter alone: its maps, and what the network loses without it.

import { paint } from "./colours.mjs";
import { shown } from "./data.mjs";
import { byId, canvasOf } from "./elements.mjs";
import { bytesOf, plane } from "./packing.mjs";
import { percent, points, significant } from "./text.mjs";

/** What is drawn of a filter's maps, and their scale. */
export function mapsText(name, { low, high, levels }) {
  if (levels === null) return `The maps of ${name} are in filters/activations.h5.`;
  if (high === low) return `The map of ${name} is ${significant(high)} everywhere.`;
  return (
    `The last picture of each image is the map of ${name}, on one scale for all: from ` +
    `${significant(low)}, dark, to ${significant(high)}, bright.`
  );
}

/** How the accuracy changes without a filter. */
export function withoutText({ variant, change, change_low, change_high }, cleanAccuracy) {
  const interval = `${points(change_low)} to ${points(change_high)}`;
  return (
    `Without ${variant} alone the accuracy, ${percent(cleanAccuracy)} with all filters, changes ` +
    `by ${points(change)} points (95 % interval ${interval}).`
  );
}

/** Show in words what is known of a filter. */
export function describeChosen(name) {
  const held = shown.probe.filters.maps[name];
  const { rows, clean_accuracy: clean } = shown.probe.ablation.variants;
  const alone = rows.find(({ variant }) => variant === name);
  if (!held) {
    const words = `${name} is none of the chosen filters: it was not switched off alone.`;
    byId("chosen-note").textContent = words;
    return;
  }
  const without = alone ? `${withoutText(alone, clean)} ` : "";
  byId("chosen-note").textContent = without + mapsText(name, held);
}

/** The map of a filter for one of its top images; null where the page doesn't hold it. */
export function mapPicture(name, rank, image) {
  const held = shown.probe.filters.maps[name];
  if (!held?.levels) return null;
  const { width, height, levels } = held;
  const pixels = new ImageData(width, height);
  for (const [place, level] of plane(bytesOf(levels), rank, width * height).entries()) {
    paint(level / 255, shown.data.viridis, pixels.data, 4 * place);
  }
  const canvas = canvasOf(`the map of ${name} for test image ${image}`, { width, height });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}
