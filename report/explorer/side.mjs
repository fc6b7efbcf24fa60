// One column of the occlusion tab: pictures and bars of a network under a window.

import { FULL_SCALE, blendWithGrey, legendEntries, redGreenBlue } from "./colours.mjs";
import { className, fullUnits, shown, unitsText } from "./data.mjs";
import { byId, element, link, rowHeader, tableCell } from "./elements.mjs";
import { predictedClasses, probabilityUnits } from "./maps.mjs";
import { mapOfBlocks, mapPixels, outlineObject } from "./painting.mjs";
import { cellPixels, outline, showLarge } from "./pictures.mjs";
import { capitalised, percent, wholePercent } from "./text.mjs";

/** What a side is called where there are two. */
export function sideName({ run, checkpoint, window }) {
  return `${run}, ${checkpoint}, window ${window}×${window}`;
}

/** What is read out of a side's pictures where there are two: whose they are. */
function ownerOf(side) {
  return shown.state.beside ? `; ${side.run}, ${side.checkpoint}` : "";
}

function imagePixels({ occlusion, held }) {
  return cellPixels(occlusion.sprite, held);
}

function drawOccludedImage(canvas, side) {
  const { image, label, shownWindow, box } = side;
  const place = shown.state.bare ? "without the window" : side.place;
  const [top, left, bottom, right] = shown.state.bare ? [0, 0, 0, 0] : box;
  const pixels = imagePixels(side);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = 4 * (row * shown.data.width + column);
      pixels.data.fill(shownWindow.fill, at, at + 3);
    }
  }
  showLarge(canvas, pixels);
  const words = `test image ${image}, ${className(label)}, ${place}${ownerOf(side)}`;
  canvas.setAttribute("aria-label", words);
}

function showCaption(caption, { run, checkpoint, window }, words) {
  const file = link(`${run}/${checkpoint}/occlusion/window-${window}.h5`, "file");
  caption.replaceChildren(`${words} (`, file, ")");
}

function drawProbabilityMap(canvas, side, scale) {
  const { label, place, box, position, occlusion, held, grid } = side;
  const units = probabilityUnits(side, label);
  const pixels = mapPixels(units, grid, scale);
  if (shown.state.overlay) blendWithGrey(pixels.data, imagePixels(side).data);
  const times = showLarge(canvas, pixels);
  outlineObject(canvas, times, occlusion.masks?.[held]);
  outline(canvas, times, box);
  const probability = unitsText(units[position]);
  const words = `map of the probability of ${className(label)}; ${place}: ${probability}`;
  canvas.setAttribute("aria-label", words + ownerOf(side));
}

function drawPredictedMap(canvas, side, colours) {
  const { place, box, position, grid } = side;
  const predicted = predictedClasses(side);
  const pixels = mapOfBlocks(grid, (at, bytes, start) => {
    bytes.set([...redGreenBlue(colours.get(predicted[at])), 255], start);
  });
  const times = showLarge(canvas, pixels);
  outline(canvas, times, box);
  const words = `map of the predicted class; ${place}: ${className(predicted[position])}`;
  canvas.setAttribute("aria-label", words + ownerOf(side));
}

function showLegend(legend, { shownWindow, held }, colours) {
  const entries = legendEntries(shownWindow.predicted_shares[held], colours);
  const items = entries.map(({ labels, share, colour }) => {
    const swatch = element("span", { className: "swatch", style: { background: colour } });
    const name = labels.length === 1 ? className(labels[0]) : `${labels.length} other classes`;
    return element("span", {}, swatch, `${name} ${wholePercent(share)}`);
  });
  legend.replaceChildren(...items);
}

function showReadout(readout, side) {
  const { label, place, position } = side;
  const probability = unitsText(probabilityUnits(side, label)[position]);
  const predicted = className(predictedClasses(side)[position]);
  const words = `${capitalised(place)}: ${className(label)} ${probability}, predicted ${predicted}`;
  readout.textContent = words;
}

/** A class's bar; `occluded` is null where the page doesn't hold its map. */
function barRow(label, isTrue, occluded, clean) {
  const filled = element("i", { style: { width: `${(100 * occluded) / fullUnits()}%` } });
  const left = `calc(${(100 * clean) / fullUnits()}% - 1px)`;
  const stroke = element("b", { style: { left } });
  const bar = element("div", { className: "bar" }, filled, stroke);
  return element(
    "tr",
    { className: isTrue ? "true" : "" },
    rowHeader(className(label) + (isTrue ? " (true)" : "")),
    tableCell(bar),
    tableCell(occluded === null ? "not held" : unitsText(occluded), true),
    tableCell(unitsText(clean), true),
  );
}

function barsCaption(held, all) {
  const words = "Probability of each class; the stroke marks it without a window";
  if (held === all) return words;
  return (
    `${words}. Of the ${all} classes the page holds the ${held} that are likeliest anywhere in ` +
    "this image; the files hold all."
  );
}

function drawBars(table, side, labels) {
  const clean = side.occlusion.clean[side.held];
  const rows = labels.map((label) => {
    const occluded = probabilityUnits(side, label)?.[side.position] ?? null;
    return barRow(label, label === side.label, occluded, clean[label]);
  });
  table.tBodies[0].replaceChildren(...rows);
  table.caption.textContent = barsCaption(side.classes.length, shown.data.classes.length);
}

/**
 * Draw a side.
 *
 * @param side as of `sideOf`.
 * @param suffix of the ids of its elements.
 * @param common to both sides: `scale` of the probabilities; `colours` of the classes; `labels` of
 *   the classes that have a bar.
 */
export function drawSide(side, suffix, { scale, colours, labels }) {
  const part = (id) => byId(id + suffix);
  drawOccludedImage(part("seen"), side);
  drawProbabilityMap(part("map"), side, scale);
  drawPredictedMap(part("predicted"), side, colours);
  const object = side.occlusion.masks ? "; white: the object" : "";
  const compressed = side.occlusion.lossless ? "" : ", compressed: the pixels are in the file";
  const seen = shown.state.bare ? "The image without the window" : "What the network sees";
  part("seen-caption").textContent = seen + compressed;
  const name = className(side.label);
  showCaption(
    part("map-caption"),
    side,
    `Probability of ${name} with the window centred there${object}`,
  );
  showCaption(part("predicted-caption"), side, "Class predicted with the window centred there");
  const digits = scale === FULL_SCALE ? 0 : shown.data.digits - 2;
  part("scale-low").textContent = percent(scale[0], digits);
  part("scale-high").textContent = percent(scale[1], digits);
  showLegend(part("legend"), side, colours);
  showReadout(part("readout"), side);
  drawBars(part("bars"), side, labels);
}
