// Where does it look? The window moves over an image; its maps and probabilities follow.

import {
  FULL_SCALE,
  blendWithGrey,
  classColours,
  paint,
  redGreenBlue,
  scaleOf,
} from "./colours.mjs";
import { byId, element, link, rowHeader, showRadios, tableCell } from "./elements.mjs";
import { borderOf, clamp, pixelUnder, positionsOfPixels, windowBox } from "./layout.mjs";
import { bytesOf, hasBit, inflatedNumbers, plane } from "./packing.mjs";
import { cellPixels, outline, showLarge } from "./pictures.mjs";
import { className, fullUnits, shown, unitsText } from "./state.mjs";
import { capitalised, percent, wholePercent } from "./text.mjs";

const MOST_BARS = 12;
const LARGE_STEP = 4; // of an arrow key with Shift, in positions
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// `image` and `window` are places in the lists of the data; at first the largest window is shown.
// `row` and `column` count the window's positions; `centres` says at which pixels these are.
const occlusionView = { image: 0, window: Infinity, row: 0, column: 0 };
const unpackedMaps = new WeakMap(); // by the object that holds them packed

/** One image's maps: probabilities in units by window, class and position; predicted classes. */
async function readMaps({ probability, predicted }) {
  return {
    probability: await inflatedNumbers(probability),
    predicted: await inflatedNumbers(predicted),
  };
}

function mapsOf(image) {
  const packed = shown.probe.occlusion.maps[image];
  if (!unpackedMaps.has(packed)) unpackedMaps.set(packed, readMaps(packed));
  return unpackedMaps.get(packed);
}

/** How many positions the window has on an image, in rows and columns, and how far apart. */
function positionGrid() {
  const { centres, stride } = shown.probe.occlusion;
  return { rows: centres.row.length, columns: centres.column.length, stride };
}

/** How many positions the window has on an image. */
function positionCount() {
  const { rows, columns } = positionGrid();
  return rows * columns;
}

/** The probabilities of a class, in units, with the window at each position. */
function probabilityUnits(maps, label) {
  const index = occlusionView.window * shown.data.classes.length + label;
  return plane(maps.probability, index, positionCount());
}

/** The class predicted with the window at each position. */
function predictedClasses(maps) {
  return plane(maps.predicted, occlusionView.window, positionCount());
}

/** What the tab shows now. */
function currentImage() {
  const { occlusion } = shown.probe;
  const { image, row, column } = occlusionView;
  const label = occlusion.labels[image];
  const shownWindow = occlusion.windows[occlusionView.window];
  const side = shownWindow.window;
  const { centres } = occlusion;
  const [y, x] = [centres.row[row], centres.column[column]];
  return {
    index: occlusion.indices[image],
    label,
    name: className(label),
    shownWindow,
    place: `window ${side}×${side} at row ${y}, column ${x}`,
    box: windowBox(y, x, side, shown.data),
    position: row * positionGrid().columns + column,
  };
}

function drawOccludedImage() {
  const { index, name, place, shownWindow, box } = currentImage();
  const [top, left, bottom, right] = box;
  const pixels = cellPixels(shown.probe.occlusion.sprite, occlusionView.image);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = 4 * (row * shown.data.width + column);
      pixels.data.fill(shownWindow.fill, at, at + 3);
    }
  }
  const canvas = byId("seen");
  showLarge(canvas, pixels);
  canvas.setAttribute("aria-label", `test image ${index}, ${name}, ${place}`);
}

/** A map on its image: each position is painted over its block of pixels. */
function mapOfBlocks(paintPosition) {
  const pixels = new ImageData(shown.data.width, shown.data.height);
  for (const [pixel, position] of positionsOfPixels(positionGrid(), shown.data).entries()) {
    if (position >= 0) paintPosition(position, pixels.data, 4 * pixel);
  }
  return pixels;
}

function mapPixels(units, [low, high]) {
  return mapOfBlocks((position, bytes, at) => {
    const share = (units[position] / fullUnits() - low) / (high - low);
    paint(share, shown.data.viridis, bytes, at);
  });
}

/** Draw the border of the object, where its place is known. */
function outlineObject(canvas, times) {
  const packed = shown.probe.occlusion.masks?.[occlusionView.image];
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
  const lines = [
    [4, "black"],
    [2, "white"],
  ];
  for (const [width, colour] of lines) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

function showCaption(id, words) {
  const { run, checkpoint } = shown.probe;
  const { window } = currentImage().shownWindow;
  const file = link(`${run}/${checkpoint}/occlusion/window-${window}.h5`, "file");
  byId(id).replaceChildren(`${words} (`, file, ")");
}

function showScale([low, high], digits) {
  byId("scale-low").textContent = percent(low, digits);
  byId("scale-high").textContent = percent(high, digits);
}

function drawProbabilityMap(maps) {
  const { label, name, place, box, position } = currentImage();
  const units = probabilityUnits(maps, label);
  const scale = byId("stretch").checked ? scaleOf(units, fullUnits()) : FULL_SCALE;
  showScale(scale, scale === FULL_SCALE ? 0 : shown.data.digits - 2);

  const pixels = mapPixels(units, scale);
  if (byId("overlay").checked) {
    const image = cellPixels(shown.probe.occlusion.sprite, occlusionView.image);
    blendWithGrey(pixels.data, image.data);
  }
  const canvas = byId("map");
  const times = showLarge(canvas, pixels);
  outlineObject(canvas, times);
  outline(canvas, times, box);

  const probability = unitsText(units[position]);
  const words = `map of the probability of ${name}; ${place}: ${probability}`;
  canvas.setAttribute("aria-label", words);
  const object = shown.probe.occlusion.masks ? "; white: the object" : "";
  showCaption("map-caption", `Probability of ${name} with the window centred there${object}`);
}

function drawPredictedMap(maps) {
  const { label, place, shownWindow, box, position } = currentImage();
  const shares = shownWindow.predicted_shares[occlusionView.image];
  const colours = classColours(
    label,
    shares.map(([predicted]) => predicted),
  );
  const predicted = predictedClasses(maps);
  const pixels = mapOfBlocks((at, bytes, start) => {
    bytes.set([...redGreenBlue(colours.get(predicted[at])), 255], start);
  });
  const canvas = byId("predicted");
  const times = showLarge(canvas, pixels);
  outline(canvas, times, box);

  const name = className(predicted[position]);
  canvas.setAttribute("aria-label", `map of the predicted class; ${place}: ${name}`);
  showCaption("predicted-caption", "Class predicted with the window centred there");
  showLegend(shares, colours);
}

function showLegend(shares, colours) {
  const entries = shares.map(([label, share]) => {
    const style = { background: colours.get(label) };
    const swatch = element("span", { className: "swatch", style });
    return element("span", {}, swatch, `${className(label)} ${wholePercent(share)}`);
  });
  byId("legend").replaceChildren(...entries);
}

function showReadout(maps) {
  const { index, label, name, place, position } = currentImage();
  const probability = unitsText(probabilityUnits(maps, label)[position]);
  const predicted = className(predictedClasses(maps)[position]);
  byId("shown-image").textContent = `Test image ${index}: ${name}`;
  const words = `${capitalised(place)}: ${name} ${probability}, predicted ${predicted}`;
  byId("readout").textContent = words;
}

function showSliders() {
  const { centres } = shown.probe.occlusion;
  for (const axis of ["row", "column"]) {
    const pixel = centres[axis][occlusionView[axis]];
    byId(axis).value = pixel;
    byId(`${axis}-value`).textContent = pixel;
  }
}

/** The classes that have a bar: of many, those that are ever likely under this window. */
function classesOfBars(maps, trueClass, clean) {
  const labels = shown.data.classes.map((_, label) => label);
  if (labels.length <= MOST_BARS) return labels;
  const most = labels.map((label) => Math.max(clean[label], ...probabilityUnits(maps, label)));
  labels.sort((a, b) => (b === trueClass) - (a === trueClass) || most[b] - most[a]);
  return labels.slice(0, MOST_BARS).sort((a, b) => a - b);
}

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
    tableCell(unitsText(occluded), true),
    tableCell(unitsText(clean), true),
  );
}

function drawBars(maps) {
  const { label: trueClass, position } = currentImage();
  const clean = shown.probe.occlusion.clean[occlusionView.image];
  const labels = classesOfBars(maps, trueClass, clean);
  const rows = labels.map((label) => {
    const occluded = probabilityUnits(maps, label)[position];
    return barRow(label, label === trueClass, occluded, clean[label]);
  });
  byId("bars").tBodies[0].replaceChildren(...rows);
}

async function drawOcclusion() {
  const { image } = occlusionView;
  const maps = await mapsOf(image);
  if (image !== occlusionView.image) return; // another one was chosen meanwhile
  drawOccludedImage();
  drawProbabilityMap(maps);
  drawPredictedMap(maps);
  showReadout(maps);
  showSliders();
  drawBars(maps);
}

function moveTo(row, column) {
  const { rows, columns } = positionGrid();
  occlusionView.row = clamp(row, 0, rows - 1);
  occlusionView.column = clamp(column, 0, columns - 1);
  return drawOcclusion();
}

/** Put the window where the true class is least likely: on what the network needs most. */
function moveToLowest() {
  const { lowest } = currentImage().shownWindow;
  const position = lowest[occlusionView.image];
  const { columns } = positionGrid();
  return moveTo(Math.floor(position / columns), position % columns);
}

/** Let the pointer and the arrow keys move the window over a picture. */
function steer(canvas) {
  const follow = (event) => {
    const [row, column] = pixelUnder(event, canvas.getBoundingClientRect(), shown.data);
    const { stride } = positionGrid();
    moveTo(Math.floor(row / stride), Math.floor(column / stride));
  };
  canvas.addEventListener("pointermove", follow);
  canvas.addEventListener("pointerdown", follow);
  canvas.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const [down, right] = step;
    const times = event.shiftKey ? LARGE_STEP : 1;
    moveTo(occlusionView.row + times * down, occlusionView.column + times * right);
  });
}

// The list of images

/** The places of the images in the data, sorted as chosen. */
function sortedImages() {
  const { indices, windows } = shown.probe.occlusion;
  const numbers = windows[occlusionView.window];
  const keys = {
    index: (image) => indices[image],
    fall: (image) => -numbers.fall[image],
    least: (image) => numbers.min_confidence[image],
    flips: (image) => -numbers.flipped_fraction[image],
  };
  const key = keys[byId("order").value];
  const images = indices.map((_, image) => image);
  return images.sort((a, b) => key(a) - key(b) || a - b);
}

async function drawListed(canvas, image, label) {
  const maps = await mapsOf(image);
  const context = canvas.getContext("2d");
  context.putImageData(cellPixels(shown.probe.occlusion.sprite, image), 0, 0);
  const map = mapPixels(probabilityUnits(maps, label), FULL_SCALE);
  context.putImageData(map, shown.data.width + 2, 0);
}

function listedImage(image) {
  const { indices, labels, clean, windows } = shown.probe.occlusion;
  const label = labels[image];
  const mean = windows[occlusionView.window].mean_confidence[image];
  const cleanProbability = clean[image][label] / fullUnits();
  const { width, height } = shown.data;
  const canvas = element("canvas", { width: 2 * width + 2, height });
  const title = `${indices[image]}: ${className(label)}`;
  const isChosen = image === occlusionView.image;
  const attributes = { "aria-pressed": String(isChosen), "data-place": image };
  const button = element(
    "button",
    { type: "button", onclick: () => chooseImage(image), attributes },
    canvas,
    element("span", { className: "name", textContent: title }),
    `${mean.toFixed(2)} of ${cleanProbability.toFixed(2)}`,
  );
  drawListed(canvas, image, label);
  return element("li", {}, button);
}

function drawList() {
  const { images, indices, windows } = shown.probe.occlusion;
  byId("occlusion-answer").textContent = windows[occlusionView.window].answer;
  const rest =
    images > indices.length
      ? `The first ${indices.length} of ${images} images; the maps of all are in the files. `
      : "";
  const words =
    "Under each image: number and class; then the probability of that class, averaged over all " +
    "places of the window, and its value without a window.";
  byId("sheet-note").textContent = rest + words;
  byId("sheet").replaceChildren(...sortedImages().map(listedImage));
}

function chooseImage(image) {
  occlusionView.image = image;
  for (const button of byId("sheet").querySelectorAll("button")) {
    const isChosen = Number(button.dataset.place) === image;
    button.setAttribute("aria-pressed", String(isChosen));
  }
  moveToLowest();
}

function chooseWindow(window) {
  occlusionView.window = window;
  drawList();
  moveToLowest();
}

// The tab

function drawScale() {
  const { viridis } = shown.data;
  const scale = new ImageData(256, 1);
  for (let level = 0; level < 256; level++) paint(level / 255, viridis, scale.data, 4 * level);
  byId("scale").getContext("2d").putImageData(scale, 0, 0);
}

/** What is done once, whichever network is shown. */
export function prepareOcclusion() {
  for (const axis of ["row", "column"]) {
    byId(axis).addEventListener("input", () => {
      const { centres } = shown.probe.occlusion;
      const [row, column] = ["row", "column"].map((name) => Number(byId(name).value));
      moveTo(centres.row.indexOf(row), centres.column.indexOf(column));
    });
  }
  for (const id of ["seen", "map", "predicted"]) steer(byId(id));
  for (const id of ["overlay", "stretch"]) byId(id).addEventListener("change", drawOcclusion);
  byId("order").addEventListener("change", drawList);
  drawScale();
}

/** The sliders hold pixels, of which each is the centre of a window. */
function prepareSliders() {
  const { centres, stride } = shown.probe.occlusion;
  for (const axis of ["row", "column"]) {
    const [min, max] = [centres[axis].at(0), centres[axis].at(-1)];
    Object.assign(byId(axis), { min, max, step: stride });
  }
}

export function showOcclusion() {
  const { windows } = shown.probe.occlusion;
  prepareSliders();
  occlusionView.image = 0;
  occlusionView.window = Math.min(occlusionView.window, windows.length - 1);
  const choices = windows.map(({ window }, place) => [place, `${window}×${window}`]);
  showRadios(byId("windows"), "window", choices, occlusionView.window, chooseWindow);
  drawList();
  return moveToLowest();
}
