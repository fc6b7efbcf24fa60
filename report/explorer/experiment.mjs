// How was it made? Training, claims of the study, images, weights, versions, hardware, files.

import { byId, element, link, rowHeader } from "./elements.mjs";
import { shown } from "./data.mjs";
import { fillTable } from "./tables.mjs";
import { bytesText, counted, filesByFolder, madeText } from "./text.mjs";
import { curveFigure, seedsFigure } from "./training.mjs";

// The verdict is beside the claim: on a narrow screen the rest is scrolled to.
const CARD_COLUMNS = [
  "claim",
  "verdict",
  "published",
  "measured",
  "low",
  "high",
  "seeds",
  "counting_low",
  "counting_high",
];
const UNTRAINED = "No run was trained here: the weights are from a file.";

function showCurves() {
  const { curves } = shown.data;
  byId("curves").replaceChildren(...(curves.length ? curves.map(curveFigure) : [UNTRAINED]));
}

/** What the probes found with each seed, as a table. */
function seedsTable({ group, probed }) {
  const table = element("table", {}, element("thead"), element("tbody"));
  const name = (column) => column.replace(/^confidence_(\d+)$/, "mean confidence, window $1");
  const asText = (value) => (typeof value === "number" ? value.toFixed(3) : (value ?? ""));
  fillTable(table, probed.columns.map(name), probed.rows, asText);
  const also = probed.columns.includes("accuracy_without_filters")
    ? ", also without the chosen filters,"
    : "";
  const text =
    `The probed networks of run ${group}: test accuracy${also} and the mean probability of the ` +
    "true class under each window.";
  table.prepend(element("caption", {}, text));
  const attributes = { tabindex: "0", role: "region", "aria-label": `Seeds of run ${group}` };
  return element("div", { className: "scroll", attributes }, table);
}

/** Runs of several seeds, if there are any. */
function showSeeds() {
  const { groups } = shown.data;
  byId("seeds-part").hidden = groups.length === 0;
  byId("seeds").replaceChildren(...groups.map(seedsFigure));
  const probed = groups.filter((group) => group.probed);
  byId("seed-tables").replaceChildren(...probed.map(seedsTable));
}

/** A number of the card: a share or a probability, that of an epoch, or of seeds. */
function cardText(value, [claim], at) {
  const isShare =
    typeof value === "number" && !claim.startsWith("epoch ") && CARD_COLUMNS[at] !== "seeds";
  return isShare ? value.toFixed(3) : (value ?? "");
}

function fillCard(table, { columns, rows }) {
  const order = CARD_COLUMNS.map((name) => columns.indexOf(name));
  const ordered = rows.map((row) => order.map((at) => row[at]));
  fillTable(table, CARD_COLUMNS, ordered, cardText);
}

/** The claims, with those that were not tested folded away. */
function showCard() {
  const { title, about, tested, untested, why } = shown.data.card;
  byId("card-title").textContent = title;
  byId("card-about").textContent = about;
  fillCard(byId("card"), tested);
  byId("untested").hidden = why === "";
  byId("untested-why").textContent = why;
  fillCard(byId("untested-card"), untested);
}

/** A table of names and what they stand for. */
function fillEntries(table, entries) {
  const style = { overflowWrap: "anywhere" };
  const rows = entries.map(([name, value]) => {
    return element("tr", {}, rowHeader(name), element("td", { textContent: value, style }));
  });
  table.tBodies[0].replaceChildren(...rows);
}

function showWeights() {
  const { curves, probes } = shown.data;
  const trained = curves.map(({ run, trained_by: trainedBy }) => {
    return [`Run ${run} was trained by`, trainedBy.join("; ")];
  });
  const digests = probes.map(({ run, checkpoint, occlusion }) => {
    return [`SHA-256 of ${run}/checkpoints/${checkpoint}.pth`, occlusion.digest];
  });
  fillEntries(byId("weights"), [...trained, ...digests]);
}

function showMade() {
  const { made } = shown.data;
  byId("made").textContent = madeText(made);
  const entries = made.environments.flatMap(({ versions, ...machine }) => [
    ["Processor", `${machine.processor}, ${counted(machine.cores, "core")} used at most`],
    ["Memory", bytesText(machine.memory)],
    ["System", machine.system],
    ...Object.entries(versions),
  ]);
  const devices = made.devices.map((device) => ["Networks ran on", device]);
  fillEntries(byId("environments"), [...devices, ...entries]);
  const { columns, rows } = made.rules;
  fillTable(byId("rules"), columns, rows);
}

/** The links to the files of a folder, folded away; those beside the page stay in sight. */
function filesOf(folder, names) {
  const list = element("ul", { className: "files" });
  for (const name of names) {
    const path = folder ? `${folder}/${name}` : name;
    list.append(element("li", {}, link(path, name)));
  }
  if (folder === "") return list;
  const words = `${folder} (${counted(names.length, "file")})`;
  return element("details", {}, element("summary", { textContent: words }), list);
}

function showFiles() {
  const folders = [...filesByFolder(shown.data.files)];
  byId("files").replaceChildren(...folders.map(([folder, names]) => filesOf(folder, names)));
}

/** Nothing here depends on the view: it is drawn once. */
export function showExperiment(before) {
  if (before !== null) return;
  const { counts, config } = shown.data;
  showCurves();
  showSeeds();
  showCard();
  fillTable(byId("counts"), counts.columns, counts.rows);
  byId("config").textContent = config;
  showWeights();
  showMade();
  showFiles();
}
