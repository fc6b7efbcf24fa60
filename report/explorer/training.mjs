// How was it trained? Accuracy and loss over the epochs.

import { chart, readableCharts } from "./charts.mjs";
import { element, link } from "./elements.mjs";
import { percent } from "./text.mjs";

const SPLITS = [
  { split: "train", colour: "var(--quiet)", dashes: "5 4" },
  { split: "validation", colour: "var(--orange)", dashes: "2 3" },
  { split: "test", colour: "var(--blue)", dashes: "" },
];
const QUANTITIES = [
  { quantity: "accuracy", full: 1, text: (share) => percent(share) },
  { quantity: "loss", full: null, text: (loss) => loss.toFixed(3) },
];

/** The lines of a quantity, one for each split that was measured. */
function linesOf(quantity, { columns, rows }) {
  const measured = SPLITS.filter(({ split }) => columns.includes(`${split}_${quantity}`));
  return measured.map(({ split, colour, dashes }) => {
    const column = columns.indexOf(`${split}_${quantity}`);
    return { name: split, values: rows.map((row) => row[column]), colour, dashes };
  });
}

/** The values of some lines at a place of the list of epochs. */
function valuesText(lines, text, at) {
  return lines.map(({ name, values }) => `${name} ${text(values[at])}`).join(", ");
}

function captionText(run, selection) {
  const { epoch, policy, split, test_accuracy: accuracy, best_epoch: best } = selection;
  const how = policy === "fixed" ? "chosen in the config" : `the best on the ${split} images`;
  return (
    `Accuracy and loss (cross-entropy) of run ${run} after each epoch; those of the training ` +
    `images are means over the epoch, of smoothed labels if training smooths them. ` +
    `Line: epoch ${epoch}, ${how}, ` +
    `${percent(accuracy)} on the test images; highest test accuracy: epoch ${best}. `
  );
}

/** A run's accuracy and loss after each epoch, the probed epoch marked. */
export function curveFigure(curve) {
  const { run, selection, rows } = curve;
  const epochs = rows.map(([epoch]) => epoch);
  const drawn = QUANTITIES.map((of) => ({ ...of, lines: linesOf(of.quantity, curve) }));
  const charts = drawn.map(({ quantity, full, text, lines }) => {
    const test = lines.find(({ name }) => name === "test").values;
    const values = test.map((value, at) => `epoch ${epochs[at]} ${text(value)}`).join(", ");
    const label = `run ${run}: test ${quantity} ${values}`;
    return chart({ label, quantity, epochs, lines, full, probed: selection.epoch });
  });
  const textAt = (at) =>
    drawn
      .map(({ quantity, text, lines }) => `${quantity} ${valuesText(lines, text, at)}`)
      .join("; ");
  const files = [link(`${run}/learning-curve.csv`), ", ", link(`${run}/learning-curve.png`)];
  const caption = element("figcaption", {}, captionText(run, selection), ...files);
  const name = `run ${run}`;
  const parts = readableCharts({ name, epochs, charts, start: selection.epoch, textAt });
  return element("figure", {}, ...parts, caption);
}

/** The accuracy of each seed of a run after each epoch, thin, and their mean. */
export function seedsFigure({ group, epochs, seeds, mean }) {
  const thick = { name: "mean", values: mean, colour: "var(--blue)", width: 2.5 };
  const thin = seeds.map(({ accuracy }) => {
    return { values: accuracy, colour: "var(--quiet)", width: 1 };
  });
  const means = mean.map((share, at) => `epoch ${epochs[at]} ${percent(share)}`).join(", ");
  const label = `run ${group}: mean test accuracy over seeds ${means}`;
  const quantity = "test accuracy";
  const charts = [chart({ label, quantity, epochs, lines: [...thin, thick], full: 1 })];
  const named = seeds.map(({ seed, accuracy }) => ({ name: `seed ${seed}`, values: accuracy }));
  const textAt = (at) => valuesText([thick, ...named], percent, at);
  const numbers = seeds.map(({ seed }) => seed).join(", ");
  const text = `Test accuracy of run ${group} after each epoch: seeds ${numbers}, and their mean. `;
  const files = ["csv", "png"].map((suffix) => link(`learning-curve-${group}.${suffix}`));
  const caption = element("figcaption", {}, text, files[0], ", ", files[1]);
  const name = `seeds of run ${group}`;
  const parts = readableCharts({ name, epochs, charts, start: epochs.at(-1), textAt });
  return element("figure", {}, ...parts, caption);
}
