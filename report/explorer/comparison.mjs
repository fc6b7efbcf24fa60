// A second column beside the first one: another network, or another window, of the same image.

import { agreementText } from "./agreement.mjs";
import { className, fullUnits, shown } from "./data.mjs";
import { byId, link, option } from "./elements.mjs";
import { probabilityUnits } from "./maps.mjs";
import { change } from "./navigation.mjs";
import { differencePixels, outlineObject } from "./painting.mjs";
import { outline, showLarge } from "./pictures.mjs";
import { sideName } from "./side.mjs";
import { points } from "./text.mjs";

export const SECOND = "-second"; // ends the ids of the second column's elements

/** Give each part of the first column a double beside it. */
function makeSecondSide() {
  for (const side of document.querySelectorAll(".side")) {
    const second = side.cloneNode(true);
    second.hidden = true;
    for (const part of second.querySelectorAll("[id]")) part.id += SECOND;
    side.after(second);
  }
}

/** The window of a second column that was just switched on: another one if the network is none. */
function firstWindowBeside(network) {
  const { state, probe } = shown;
  if (network !== state.network) return state.window;
  const windows = probe.occlusion.windows.map(({ window }) => window);
  return windows.find((window) => window !== state.window) ?? state.window;
}

function chooseNetwork(network) {
  const window = shown.state.beside?.window ?? firstWindowBeside(network);
  change({ beside: network === "" ? null : { network, window } });
}

function chooseWindow(window) {
  change({ beside: { ...shown.state.beside, window } });
}

/**
 * A change of the first column, with what it changes in the second: two networks stay under the
 * same window, and change places where the first one becomes the second.
 */
export function withBeside(patch) {
  const { network, window, beside } = shown.state;
  if (beside === null || beside.network === network) return patch;
  if (patch.network === beside.network) return { ...patch, beside: { ...beside, network } };
  const follows = patch.window !== undefined && beside.window === window;
  return follows ? { ...patch, beside: { ...beside, window: patch.window } } : patch;
}

/** What is done once. */
export function prepareComparison() {
  makeSecondSide();
  const options = shown.data.probes.map(({ run, checkpoint }) => {
    return option(`${run}/${checkpoint}`, `${run}, ${checkpoint}`);
  });
  byId("beside").replaceChildren(option("", "nothing"), ...options);
  byId("beside").addEventListener("change", (event) => chooseNetwork(event.target.value));
  const { windows } = shown.data.probes[0].occlusion;
  const choices = windows.map(({ window }) => option(window, `${window}×${window}`));
  byId("beside-window").replaceChildren(...choices);
  byId("beside-window").addEventListener("change", (event) => {
    chooseWindow(Number(event.target.value));
  });
}

/** Let the controls say what is compared, and make room for it. */
export function showComparison() {
  const { network, beside, held } = shown.state;
  for (const choice of byId("beside").options) {
    if (choice.value === "") continue;
    const name = choice.value.replace("/", ", ");
    choice.textContent = choice.value === network ? `${name}: another window` : name;
  }
  byId("beside").value = beside?.network ?? "";
  byId("beside-choice").hidden = beside === null;
  if (beside) byId("beside-window").value = beside.window;
  byId("detail-and-list").classList.toggle("two", beside !== null);
  byId("detail-and-list").classList.toggle("held", held);
  for (const second of document.querySelectorAll(".side + .side")) second.hidden = beside === null;
}

/** Say whose columns these are; a network that has no maps of the image says that alone. */
export function nameSides(first, second) {
  const { beside, image } = shown.state;
  byId("side-name").hidden = beside === null;
  byId("side-name").textContent = sideName(first);
  const isLacking = beside !== null && second === null;
  for (const id of ["lacking", "panels-of-side", "readout", "bars"]) {
    byId(id + SECOND).hidden = (id === "lacking") !== isLacking;
  }
  byId(`side-name${SECOND}`).hidden = second === null;
  if (second) byId(`side-name${SECOND}`).textContent = sideName(second);
  if (!isLacking) return;
  const words = `This page has no maps of test image ${image} by ${beside.network}.`;
  byId(`lacking${SECOND}`).textContent = words;
}

/** Say how far the maps of two networks agree, where that was computed. */
export function showAgreement(first, second) {
  const sides = [first, second];
  const name = className(first.label);
  const words = second ? agreementText(shown.data.agreement, sides, first.image, name) : "";
  byId("agreement").hidden = words === "";
  byId("agreement").replaceChildren(`${words} (`, link("map-agreement.csv", "file"), ")");
}

/** The largest difference that is drawn in full colour: 1, or the largest there is. */
function mostOf(differences) {
  if (!shown.state.stretch) return 1;
  return differences.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

/** Draw by how much the true class's probability differs, at each position. */
export function drawDifference(first, second) {
  byId("difference-figure").hidden = second === null;
  if (second === null) return;
  const [before, after] = [first, second].map((side) => probabilityUnits(side, side.label));
  const differences = Array.from(after, (units, at) => (units - before[at]) / fullUnits());
  const canvas = byId("difference");
  const most = mostOf(differences);
  const times = showLarge(canvas, differencePixels(differences, first.grid, most));
  outlineObject(canvas, times, first.occlusion.masks?.[first.held]);
  for (const { box } of [first, second]) outline(canvas, times, box);
  const digits = shown.state.stretch ? 1 : 0;
  byId("difference-low").textContent = points(-most, digits);
  byId("difference-high").textContent = points(most, digits);
  const name = className(first.label);
  const difference = points(differences[first.position], 2);
  const words = `Probability of ${name}, second minus first, in points: ${difference} there`;
  byId("difference-caption").textContent = words;
  canvas.setAttribute("aria-label", `map of the difference: ${words}`);
}
