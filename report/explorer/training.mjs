// How was it trained? Accuracy over the epochs.

import { element, link, svg } from "./elements.mjs";
import { freePlace, scaled } from "./layout.mjs";
import { percent } from "./text.mjs";

const [WIDTH, HEIGHT] = [420, 230];
const [LEFT, TOP, RIGHT, BOTTOM] = [40, 10, WIDTH - 80, HEIGHT - 36]; // of the axes
const TICKS = [0, 0.25, 0.5, 0.75, 1];
const MOST_EPOCH_LABELS = 10;
const LABEL_HEIGHT = 13;
const BASELINE = 4; // from the middle of a label down
const SPLITS = [
  { split: "train", colour: "var(--quiet)", dashes: "5 4" },
  { split: "validation", colour: "var(--orange)", dashes: "2 3" },
  { split: "test", colour: "var(--blue)", dashes: "" },
];

function yOf(share) {
  return scaled(share, [0, 1], [BOTTOM, TOP]);
}

/** Where an epoch lies, of so many. */
function xOf(epoch, last) {
  return scaled(epoch, [1, Math.max(2, last)], [LEFT, RIGHT]);
}

function svgText(x, y, text, attributes) {
  return svg("text", { x, y, ...attributes }, text);
}

function accuracyAxis() {
  const drawn = [];
  for (const share of TICKS) {
    const y = yOf(share);
    drawn.push(svg("line", { x1: LEFT, x2: RIGHT, y1: y, y2: y, class: "axis" }));
    drawn.push(svgText(LEFT - 6, y + BASELINE, share.toFixed(2), { "text-anchor": "end" }));
  }
  return drawn;
}

function epochAxis(epochs) {
  const last = epochs.at(-1);
  const step = Math.ceil(last / MOST_EPOCH_LABELS);
  const labelled = epochs.filter((epoch) => (epoch - 1) % step === 0);
  const middle = { "text-anchor": "middle" };
  const numbers = labelled.map((epoch) =>
    svgText(xOf(epoch, last), BOTTOM + 16, `${epoch}`, middle),
  );
  return [...numbers, svgText((LEFT + RIGHT) / 2, HEIGHT - 4, "epoch", middle)];
}

/** The lines of all splits, each with its name at the end. */
function curves(epochs, columns, rows) {
  const drawn = [];
  const taken = [];
  for (const { split, colour, dashes } of SPLITS) {
    const column = columns.indexOf(`${split}_accuracy`);
    if (column < 0) continue;
    const points = cornersOf(
      epochs,
      rows.map((row) => row[column]),
    );
    const stroke = { stroke: colour, "stroke-width": 2, "stroke-dasharray": dashes };
    drawn.push(svg("polyline", { points, fill: "none", ...stroke }));
    const y = freePlace(yOf(rows.at(-1)[column]) + BASELINE, taken, LABEL_HEIGHT);
    taken.push(y);
    drawn.push(svgText(RIGHT + 6, y, split, { style: `fill: ${colour}` }));
  }
  return drawn;
}

function curveText({ run, columns, rows }, epochs) {
  const column = columns.indexOf("test_accuracy");
  const accuracies = rows.map((row, at) => `epoch ${epochs[at]} ${percent(row[column])}`);
  return `run ${run}: test accuracy ${accuracies.join(", ")}`;
}

function captionText(run, selection) {
  const { epoch, policy, test_accuracy: accuracy, best_epoch: best } = selection;
  const how = policy === "fixed" ? "chosen in the config" : "the best";
  return (
    `Accuracy of run ${run} after each epoch. Line: epoch ${epoch}, ${how}, ` +
    `${percent(accuracy)} on the test images; highest test accuracy: epoch ${best}. `
  );
}

/** A figure's axes, and lines on them. */
function drawing(epochs, label, ...lines) {
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    ...accuracyAxis(),
    ...epochAxis(epochs),
    ...lines,
  );
}

function cornersOf(epochs, accuracies) {
  const last = epochs.at(-1);
  return accuracies.map((share, at) => `${xOf(epochs[at], last)},${yOf(share)}`).join(" ");
}

/** The accuracy of each seed of a run after each epoch, thin, and their mean. */
export function seedsFigure({ group, epochs, seeds, mean }) {
  const line = (accuracies, stroke, width) => {
    const points = cornersOf(epochs, accuracies);
    return svg("polyline", { points, fill: "none", stroke, "stroke-width": width });
  };
  const thin = seeds.map(({ accuracy }) => line(accuracy, "var(--quiet)", 1));
  const y = yOf(mean.at(-1)) + BASELINE;
  const name = svgText(RIGHT + 6, y, "mean", { style: "fill: var(--blue)" });
  const thick = line(mean, "var(--blue)", 2.5);
  const means = mean.map((share, at) => `epoch ${epochs[at]} ${percent(share)}`).join(", ");
  const label = `run ${group}: mean test accuracy over seeds ${means}`;
  const figure = drawing(epochs, label, ...thin, thick, name);
  const numbers = seeds.map(({ seed }) => seed).join(", ");
  const text = `Test accuracy of run ${group} after each epoch: seeds ${numbers}, and their mean. `;
  const files = ["csv", "png"].map((suffix) => link(`learning-curve-${group}.${suffix}`));
  return element("figure", {}, figure, element("figcaption", {}, text, files[0], ", ", files[1]));
}

/** A run's accuracy after each epoch, from 0 to 1, the probed epoch marked. */
export function curveFigure(curve) {
  const { run, selection, columns, rows } = curve;
  const epochs = rows.map(([epoch]) => epoch);
  const probed = xOf(selection.epoch, epochs.at(-1));
  const mark = { x1: probed, x2: probed, y1: yOf(0), y2: yOf(1), stroke: "currentColor" };
  const lines = [svg("line", mark), ...curves(epochs, columns, rows)];
  const figure = drawing(epochs, curveText(curve, epochs), ...lines);
  const files = [link(`${run}/learning-curve.csv`), ", ", link(`${run}/learning-curve.png`)];
  const caption = element("figcaption", {}, captionText(run, selection), ...files);
  return element("figure", {}, figure, caption);
}
