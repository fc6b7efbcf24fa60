// What does it lose without them? Accuracies, confusions and predictions, clean and ablated.

import { classAccuracies } from "./class_accuracy.mjs";
import { tint } from "./colours.mjs";
import { className, differs, shown, unitsText } from "./data.mjs";
import { byId, checkRadio, columnHeader, element, prepareClasses } from "./elements.mjs";
import { rowHeader, showClass, showRadios, svg, tableCell } from "./elements.mjs";
import { scaled } from "./layout.mjs";
import { change } from "./navigation.mjs";
import { thumbnail } from "./pictures.mjs";
import { filterReference, imageReference } from "./references.mjs";
import { fillSorted } from "./tables.mjs";
import { counted, countText, percent, points, variantLabel } from "./text.mjs";

const MOST_PICTURES = 24;
const MOST_ROWS = 100;
const SMALLEST_SCALE = 0.01; // of a change of accuracy, on each side of 0
const STRIP = { width: 160, height: 18 };
const STRIP_RANGE = [2, 98]; // per cent of its width
const FULL_CHANGE = 0.1; // of the images of a class, from which a change has the full colour
const STATES = [
  ["clean", "clean"],
  ["ablated", "ablated"],
  ["change", "the change"],
];
const FILTERS = ["class", "clean", "ablated"];
const LARGEST_FALL_FIRST = { column: "Points", direction: "ascending" };

// Change of accuracy

/** The ends of the common scale of all variants. */
function scaleOfChanges({ rows, random }) {
  const low = rows.map((row) => row.change_low);
  const high = rows.map((row) => row.change_high);
  const draws = random?.changes ?? [];
  return [Math.min(-SMALLEST_SCALE, ...low, ...draws), Math.max(SMALLEST_SCALE, ...high, ...draws)];
}

/** A small picture with the line of no change. */
function strip(scale, ...drawn) {
  const x = stripPlace(0, scale);
  const axis = svg("line", { x1: x, x2: x, y1: 0, y2: STRIP.height, class: "axis" });
  return svg("svg", { ...STRIP, "aria-hidden": "true" }, axis, ...drawn);
}

function stripPlace(change, scale) {
  return `${scaled(change, scale, STRIP_RANGE)}%`;
}

function variantRow(row, scale) {
  const colour = row.variant === "ablated" ? "var(--orange)" : "var(--blue)";
  const middle = STRIP.height / 2;
  const interval = svg("line", {
    x1: stripPlace(row.change_low, scale),
    x2: stripPlace(row.change_high, scale),
    y1: middle,
    y2: middle,
    stroke: colour,
    "stroke-width": 2,
  });
  const x = stripPlace(row.change, scale);
  const dot = svg("circle", { cx: x, cy: middle, r: 4, fill: colour });
  return element(
    "tr",
    {},
    rowHeader(row.variant.includes("/") ? filterReference(row.variant) : lineLabel(row)),
    tableCell(strip(scale, interval, dot)),
    tableCell(points(row.change), true),
    tableCell(row.lost, true),
    tableCell(row.gained, true),
  );
}

/** All random draws: a stroke each. */
function randomRow(line, scale) {
  const { changes, lowest, median, highest } = line;
  const strokes = changes.map((change) => {
    const x = stripPlace(change, scale);
    const ink = { stroke: "var(--ink)", "stroke-width": 1.5 };
    const name = svg("title", {}, `${points(change)} points`);
    return svg("line", { x1: x, x2: x, y1: 3, y2: 15, ...ink }, name);
  });
  const range = `${points(lowest)} to ${points(highest)}, median ${points(median)}`;
  return element(
    "tr",
    {},
    rowHeader(lineLabel(line)),
    tableCell(strip(scale, ...strokes)),
    element("td", { colSpan: 3, textContent: range }),
  );
}

function lineLabel({ variant, changes }) {
  return changes ? counted(changes.length, "random draw") : variantLabel(variant);
}

function drawVariants() {
  const { variants, singles } = shown.probe.ablation;
  const scale = scaleOfChanges(variants);
  const [low, high] = scale;
  const accuracy = percent(variants.clean_accuracy);
  byId("variants-name").textContent = `Change of accuracy, from ${accuracy} with all filters`;
  const lines = [...variants.rows];
  // Random draws have their place in the table by their median.
  if (variants.random) lines.splice(1, 0, { ...variants.random, change: variants.random.median });
  const rowOf = (line) => (line.changes ? randomRow(line, scale) : variantRow(line, scale));
  const columns = [
    { name: "Without", value: lineLabel },
    { name: `Scale: ${points(low)} to ${points(high)}` },
    { name: "Points", isNumber: true, value: (line) => line.change },
    { name: "Lost", isNumber: true, value: ({ lost }) => lost, largestFirst: true },
    { name: "Gained", isNumber: true, value: ({ gained }) => gained, largestFirst: true },
  ];
  byId("singles").textContent = singles;
  fillSorted(byId("variants"), columns, lines, rowOf, { sorting: LARGEST_FALL_FIRST });
}

// Accuracy of each class

function classRow({ label, images, clean, ablated, change: difference }) {
  const shareText = (share) => (share === null ? "" : percent(share));
  return element(
    "tr",
    {},
    rowHeader(className(label)),
    tableCell(difference === null ? "" : points(difference), true),
    tableCell(shareText(clean), true),
    tableCell(shareText(ablated), true),
    tableCell(images, true),
  );
}

function drawClasses() {
  const columns = [
    { name: "Class", value: ({ label }) => className(label) },
    { name: "Points", isNumber: true, value: (line) => line.change },
    { name: "Clean", isNumber: true, value: ({ clean }) => clean },
    { name: "Ablated", isNumber: true, value: ({ ablated }) => ablated },
    { name: "Images", isNumber: true, value: ({ images }) => images },
  ];
  const lines = classAccuracies(shown.probe.ablation.confusion);
  fillSorted(byId("class-accuracy"), columns, lines, classRow, { sorting: LARGEST_FALL_FIRST });
}

// Confusion

function confusionCaption() {
  const axes = "Rows: true class; columns: predicted class";
  const change =
    "images that the ablation of the chosen filters adds (orange) or takes away (blue); the full " +
    `colour from ${percent(FULL_CHANGE, 0)} of the true class's images on`;
  const captions = {
    clean: "images, with all filters, coloured by their share of the true class",
    ablated: "images, without the chosen filters, coloured by their share of the true class",
    change,
  };
  const { length: held } = shown.probe.ablation.confusion.labels;
  const { length: all } = shown.data.classes;
  const part =
    held < all
      ? ` These are the ${held} of ${all} classes whose counts change most; all are in the files.`
      : "";
  return `${axes}; ${captions[shown.state.confusion]}.${part}`;
}

/** The cell in a row and a column of the table. */
function confusionCell(row, column) {
  const { confusion } = shown.probe.ablation;
  const [label, predicted] = [row, column].map((at) => confusion.labels[at]);
  const isChange = shown.state.confusion === "change";
  const count = confusion[shown.state.confusion][row][column];
  const share = Math.abs(count) / Math.max(1, confusion.class_images[label]);
  const fullShare = isChange ? FULL_CHANGE : 1;
  const colour = isChange && count > 0 ? "var(--orange)" : "var(--blue)";

  const words = `${className(label)} predicted as ${className(predicted)}: ${count}`;
  const textContent = countText(count, isChange);
  const attributes = { "aria-label": words };
  const button = element("button", { type: "button", textContent, attributes });
  for (const kind of ["pointerenter", "focus", "click"]) {
    button.addEventListener(kind, () => showImagesOfCell(label, predicted));
  }
  const background = tint(colour, Math.min(1, share / fullShare));
  return element("td", { style: { background } }, button);
}

function drawConfusion() {
  const table = byId("confusion");
  const { labels } = shown.probe.ablation.confusion;
  byId("confusion-caption").textContent = confusionCaption();
  const headers = labels.map((label) => columnHeader(className(label)));
  table.tHead.replaceChildren(element("tr", {}, element("td", {}), ...headers));
  const rows = labels.map((label, row) => {
    const cells = labels.map((_, column) => confusionCell(row, column));
    return element("tr", {}, rowHeader(className(label)), ...cells);
  });
  table.tBodies[0].replaceChildren(...rows);
}

/** Whether an image of the class counts in a cell's column: for a change, in one state only. */
function countsInCell(place, predicted) {
  const { clean, ablated } = shown.probe.ablation;
  const isClean = clean[place] === predicted;
  const isAblated = ablated[place] === predicted;
  return { clean: isClean, ablated: isAblated, change: isClean !== isAblated }[
    shown.state.confusion
  ];
}

function imagesOfCell(label, predicted) {
  const { ablation } = shown.probe;
  const places = [];
  for (const [place, trueClass] of ablation.class.entries()) {
    if (trueClass === label && countsInCell(place, predicted)) places.push(place);
  }
  return places;
}

function cellText(label, predicted, count, pictured) {
  const { image, images } = shown.probe.ablation;
  const states = {
    clean: "with all filters",
    ablated: "without the chosen filters",
    change: "either with all filters or without the chosen ones, but not both",
  };
  const state = states[shown.state.confusion];
  const held = image.length < images ? ` (of the ${image.length} images that the page holds)` : "";
  const below = pictured < count ? `, ${pictured} of them below` : "";
  const what = `${className(label)} predicted as ${className(predicted)} ${state}`;
  return `${what}: ${count} images${held}${below}.`;
}

function cellImage(place) {
  const { ablation } = shown.probe;
  const clean = unitsText(ablation.clean_confidence[place]);
  const ablated = unitsText(ablation.ablated_confidence[place]);
  const classes = `${className(ablation.clean[place])} → ${className(ablation.ablated[place])}`;
  const reference = imageReference(ablation.image[place], `image ${ablation.image[place]}`);
  const words = `: ${classes}, ${clean} → ${ablated}`;
  return element("li", {}, thumbnail(ablation.image[place]), reference, words);
}

function showImagesOfCell(label, predicted) {
  const { image } = shown.probe.ablation;
  const places = imagesOfCell(label, predicted);
  const held = places.filter((place) => shown.data.thumbnails.cells.has(image[place]));
  const pictured = held.slice(0, MOST_PICTURES);
  const words = cellText(label, predicted, places.length, pictured.length);
  byId("cell-name").textContent = words;
  byId("cell").replaceChildren(...pictured.map(cellImage));
}

// Predictions

/** Whether an image is wanted, by what is chosen above the table. */
function isWanted(place) {
  const { ablation } = shown.probe;
  if (ablation.image[place] >= ablation.table_images) return false;
  if (shown.state.changed && ablation.clean[place] === ablation.ablated[place]) return false;
  return FILTERS.every((column) => {
    const wanted = shown.state[column];
    return wanted === null || className(ablation[column][place]) === wanted;
  });
}

function predictionRow(place) {
  const { ablation } = shown.probe;
  const clean = ablation.clean[place];
  const ablated = ablation.ablated[place];
  return element(
    "tr",
    { className: clean === ablated ? "" : "changed" },
    tableCell(imageReference(ablation.image[place]), true),
    tableCell(thumbnail(ablation.image[place]) ?? ""),
    tableCell(className(ablation.class[place])),
    tableCell(unitsText(ablation.clean_confidence[place]), true),
    tableCell(unitsText(ablation.ablated_confidence[place]), true),
    tableCell(className(clean)),
    tableCell(className(ablated)),
  );
}

/** The columns of the table, whose lines are places in the data. */
function predictionColumns() {
  const { ablation } = shown.probe;
  const named = (name, values) => ({ name, value: (place) => className(values[place]) });
  const numbers = (name, values) => ({ name, isNumber: true, value: (place) => values[place] });
  return [
    numbers("Image", ablation.image),
    { name: element("span", { className: "hidden", textContent: "Picture" }) },
    named("True class", ablation.class),
    numbers("Its probability, clean", ablation.clean_confidence),
    numbers("ablated", ablation.ablated_confidence),
    named("Clean prediction", ablation.clean),
    named("Ablated prediction", ablation.ablated),
  ];
}

function drawRows(most = MOST_ROWS) {
  const all = shown.probe.ablation.image.map((_, place) => place);
  const places = all.filter(isWanted);
  const count = byId("rows-count");
  count.textContent = `${places.length} images`;
  if (places.length > most) {
    const onclick = () => drawRows(Infinity);
    const button = element("button", { type: "button", textContent: "Show all", onclick });
    count.append(`, the first ${most} of them shown `, button);
  }
  fillSorted(byId("rows"), predictionColumns(), places, predictionRow, { most });
}

// The tab

/** What is done once, whichever network is shown. */
export function prepareAblation() {
  showRadios(byId("states"), "state", STATES, (confusion) => change({ confusion }));
  for (const name of FILTERS) {
    prepareClasses(byId(`rows-${name}`), (chosen) => change({ [name]: chosen }));
  }
  byId("rows-changed").addEventListener("change", (event) => {
    change({ changed: event.target.checked });
  });
}

function showConfusion() {
  checkRadio(byId("states"), shown.state.confusion);
  drawConfusion();
  byId("cell").replaceChildren();
}

function showRows() {
  const { table_images: tableImages, image } = shown.probe.ablation;
  byId("rows-name").textContent = `The first ${Math.min(tableImages, image.length)} test images`;
  for (const name of FILTERS) showClass(byId(`rows-${name}`), shown.state[name]);
  byId("rows-changed").checked = shown.state.changed;
  drawRows();
}

export function showAblation(before) {
  if (differs(before, "network")) {
    byId("ablation-answer").textContent = shown.probe.ablation.answer;
    drawVariants();
    drawClasses();
  }
  if (differs(before, "network", "confusion")) showConfusion();
  if (differs(before, "network", "changed", ...FILTERS)) showRows();
}
