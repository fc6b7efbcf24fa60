// Where does it look? The window moves over an image; its maps and probabilities follow.

import { FULL_SCALE, classColours, scaleOf } from "./colours.mjs";
import {
  SECOND,
  drawDifference,
  nameSides,
  prepareComparison,
  showAgreement,
  showComparison,
  withBeside,
} from "./comparison.mjs";
import { className, differs, fullUnits, shown } from "./data.mjs";
import { byId, checkRadio, prepareClasses, showClass, showRadios } from "./elements.mjs";
import { clamp, pixelUnder } from "./layout.mjs";
import { gridOf, probabilityUnits, sideOf } from "./maps.mjs";
import { change, move, showImage } from "./navigation.mjs";
import { drawScale } from "./painting.mjs";
import { drawSheet, markShownImage, prepareSheet } from "./sheet.mjs";
import { drawSide } from "./side.mjs";
import { steer, watchPointer } from "./steering.mjs";

const MOST_BARS = 12;
const PICTURES = ["seen", "map", "predicted"];
const OF_LIST = ["order", "listed", "right"];
const SWITCHES = ["held", "bare", "overlay", "stretch"];

// The place

/** Move to a position, counted in rows and columns of positions. */
function moveTo(row, column) {
  const { centres } = shown.probe.occlusion;
  const { rows, columns } = gridOf(shown.probe.occlusion);
  move({
    row: centres.row[clamp(row, 0, rows - 1)],
    column: centres.column[clamp(column, 0, columns - 1)],
  });
}

function moveToPointer(event) {
  const box = event.currentTarget.getBoundingClientRect();
  const [row, column] = pixelUnder(event, box, shown.data);
  const { stride } = shown.probe.occlusion;
  moveTo(Math.floor(row / stride), Math.floor(column / stride));
}

function step(down, right) {
  const { centres } = shown.probe.occlusion;
  const { row, column } = shown.state;
  moveTo(centres.row.indexOf(row) + down, centres.column.indexOf(column) + right);
}

function hold(held) {
  move({ held });
}

// Drawing

/** How likely a class is on a side at most, in units, as far as the page knows. */
function mostUnits(side, label) {
  const clean = side.occlusion.clean[side.held][label];
  const units = probabilityUnits(side, label) ?? [];
  return units.reduce((most, value) => Math.max(most, value), clean);
}

/** The classes that have a bar: of many, those that are ever likely under one of the windows. */
function classesOfBars(sides) {
  const labels = [...new Set(sides.flatMap(({ classes }) => classes))];
  const most = new Map();
  for (const label of labels) {
    most.set(label, Math.max(...sides.map((side) => mostUnits(side, label))));
  }
  const trueClass = sides[0].label;
  labels.sort((a, b) => (b === trueClass) - (a === trueClass) || most.get(b) - most.get(a));
  return labels.slice(0, MOST_BARS).sort((a, b) => a - b);
}

/** The scale of the probabilities on all sides. */
function commonScale(sides) {
  if (!shown.state.stretch) return FULL_SCALE;
  const units = sides.flatMap((side) => [...probabilityUnits(side, side.label)]);
  return scaleOf(units, fullUnits());
}

/** A colour for each class that is predicted on any side, the commonest first. */
function commonColours(sides) {
  const shares = new Map();
  for (const { shownWindow, held } of sides) {
    for (const [label, share] of shownWindow.predicted_shares[held]) {
      shares.set(label, (shares.get(label) ?? 0) + share);
    }
  }
  const labels = [...shares.keys()].sort((a, b) => shares.get(b) - shares.get(a));
  return classColours(sides[0].label, labels, shown.data.classes.length);
}

async function drawSides() {
  const { state } = shown;
  const { network, window, beside } = state;
  const first = await sideOf(network, window, state);
  const second = beside ? await sideOf(beside.network, beside.window, state) : null;
  if (state !== shown.state) return; // another view was chosen meanwhile
  byId("shown-image").textContent = `Test image ${state.image}: ${className(first.label)}`;
  const sides = [first, second].filter(Boolean);
  const common = {
    scale: commonScale(sides),
    colours: commonColours(sides),
    labels: classesOfBars(sides),
  };
  nameSides(first, second);
  drawSide(first, "", common);
  if (second) drawSide(second, SECOND, common);
  drawDifference(first, second);
  showAgreement(first, second);
}

// The tab

/** What is done once, whichever network is shown. */
export function prepareOcclusion() {
  for (const axis of ["row", "column"]) {
    byId(axis).addEventListener("input", () => move({ [axis]: Number(byId(axis).value) }));
  }
  prepareComparison();
  prepareSheet();
  prepareClasses(byId("listed"), (listed) => change({ listed }));
  watchPointer();
  const pictures = [...PICTURES, ...PICTURES.map((id) => id + SECOND), "difference"];
  for (const id of pictures) {
    const isHeld = () => shown.state.held;
    steer(byId(id), { point: moveToPointer, step, isHeld, hold });
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && hold(false));
  for (const id of SWITCHES) {
    byId(id).addEventListener("change", (event) => move({ [id]: event.target.checked }));
  }
  byId("order").addEventListener("change", (event) => change({ order: event.target.value }));
  byId("right").addEventListener("change", (event) => change({ right: event.target.checked }));
  for (const id of ["scale", `scale${SECOND}`]) drawScale(byId(id), shown.data.viridis);
  drawScale(byId("difference-scale"), shown.data.berlin);
}

/** What a network has to choose from; the sliders hold pixels, each the centre of a window. */
function showWindowsAndSliders() {
  const { windows, centres, stride } = shown.probe.occlusion;
  for (const axis of ["row", "column"]) {
    const [min, max] = [centres[axis].at(0), centres[axis].at(-1)];
    Object.assign(byId(axis), { min, max, step: stride });
  }
  const choices = windows.map(({ window }) => [window, `${window}×${window}`]);
  showRadios(byId("windows"), "window", choices, (window) => change(withBeside({ window })));
}

/** Let all controls say what is shown. */
function showControls() {
  const { state } = shown;
  checkRadio(byId("windows"), state.window);
  byId("order").value = state.order;
  byId("right").checked = state.right;
  showClass(byId("listed"), state.listed);
  for (const id of SWITCHES) byId(id).checked = state[id];
  for (const axis of ["row", "column"]) {
    byId(axis).value = state[axis];
    byId(`${axis}-value`).textContent = state[axis];
  }
}

function answerOfWindow() {
  const { windows } = shown.probe.occlusion;
  return windows.find(({ window }) => window === shown.state.window).answer;
}

export function showOcclusion(before) {
  if (differs(before, "network")) showWindowsAndSliders();
  showControls();
  showComparison();
  if (differs(before, "network", "window", ...OF_LIST)) {
    byId("occlusion-answer").textContent = answerOfWindow();
    drawSheet(showImage);
  }
  if (differs(before, "network", "window", ...OF_LIST, "image")) markShownImage();
  drawSides();
}
