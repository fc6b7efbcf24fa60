// The list of images beside the pictures: each with its map, sorted as chosen.

import { FULL_SCALE } from "./colours.mjs";
import { className, fullUnits, shown } from "./data.mjs";
import { byId, element } from "./elements.mjs";
import { probabilityUnits, sideOf } from "./maps.mjs";
import { mapPixels } from "./painting.mjs";
import { cellPixels } from "./pictures.mjs";
import { signed, wholePercent } from "./text.mjs";

const ON_OBJECT =
  "On the object: how much more probability it costs to cover a place on it than one beside it; " +
  "on others: the same with the objects of other images, what chance would give.";

/** The entry of the window that is shown, with numbers of every image. */
function numbersOfWindow() {
  const { windows } = shown.probe.occlusion;
  return windows.find(({ window }) => window === shown.state.window);
}

/** Whether an image is of the class that is listed and, if that is asked for, predicted right. */
function isListed(image) {
  const { listed, right } = shown.state;
  const { labels } = shown.probe.occlusion;
  if (right && wrongClass(image) !== null) return false;
  return listed === null || className(labels[image]) === listed;
}

/** The places of the listed images in the data, sorted as chosen. */
function sortedImages() {
  const { indices } = shown.probe.occlusion;
  const numbers = numbersOfWindow();
  const keys = {
    index: (image) => indices[image],
    fall: (image) => -numbers.fall[image],
    least: (image) => numbers.min_confidence[image],
    flips: (image) => -numbers.flipped_fraction[image],
    object: (image) => numbers.contrast[image] ?? Infinity,
  };
  const key = keys[shown.state.order];
  const images = indices.map((_, image) => image).filter(isListed);
  return images.sort((a, b) => key(a) - key(b) || a - b);
}

async function drawListed(canvas, image) {
  const { network, window, row, column } = shown.state;
  const { occlusion } = shown.probe;
  const side = await sideOf(network, window, { image: occlusion.indices[image], row, column });
  const context = canvas.getContext("2d");
  context.putImageData(cellPixels(occlusion.sprite, image), 0, 0);
  const map = mapPixels(probabilityUnits(side, side.label), side.grid, FULL_SCALE);
  context.putImageData(map, shown.data.width + 2, 0);
}

/** The class that is predicted without a window, where it isn't the true one; else nothing. */
function wrongClass(image) {
  const { labels, clean_predicted: predicted } = shown.probe.occlusion;
  return predicted[image] === labels[image] ? null : predicted[image];
}

/** By how much covering the object costs more, and with others' objects, as far as it is known. */
export function onObject(own, others) {
  if (own === null) return "";
  const words = `${signed(own.toFixed(2))} on the object`;
  return others === null ? words : `${words}, ${signed(others.toFixed(2))} on others`;
}

/** At how many places the prediction changes. */
export function changesText(share) {
  return share === 0 ? "changes nowhere" : `changes at ${wholePercent(share)} of places`;
}

/** What an image is sorted by, where that isn't said of it anyhow. */
function sortedBy(image) {
  const numbers = numbersOfWindow();
  const [own, others] = [numbers.contrast[image], numbers.contrast_others[image]];
  switch (shown.state.order) {
    case "least":
      return `lowest ${numbers.min_confidence[image].toFixed(2)}`;
    case "flips":
      return changesText(numbers.flipped_fraction[image]);
    case "object":
      return onObject(own, others);
    default:
      return "";
  }
}

function listedImage(image, choose) {
  const { indices, labels, clean } = shown.probe.occlusion;
  const label = labels[image];
  const mean = numbersOfWindow().mean_confidence[image];
  const cleanProbability = clean[image][label] / fullUnits();
  const { width, height } = shown.data;
  const canvas = element("canvas", { width: 2 * width + 2, height });
  const title = `${indices[image]}: ${className(label)}`;
  const attributes = { "data-place": image, "data-image": indices[image] };
  const button = element(
    "button",
    { type: "button", onclick: () => choose(indices[image]), attributes },
    canvas,
    element("span", { className: "name", textContent: title }),
    `${cleanProbability.toFixed(2)} → ${mean.toFixed(2)}`,
  );
  const textContent = sortedBy(image);
  if (textContent) button.append(element("span", { className: "sorted-by", textContent }));
  const wrong = wrongClass(image);
  if (wrong !== null) {
    const words = `predicted ${className(wrong)}`;
    button.append(element("span", { className: "wrong", textContent: words }));
  }
  drawListed(canvas, image);
  return element("li", {}, button);
}

/** What the list leaves out, and what its numbers are, where its heads don't say it. */
function noteOfList(listed, held, all) {
  const words = [];
  if (listed < held) words.push(`${listed} of ${held} images.`);
  if (all > held) {
    words.push(`The page holds the first ${held} of ${all}; the maps of all are in the files.`);
  }
  if (shown.state.order === "object") words.push(ON_OBJECT);
  return words.join(" ");
}

/** Draw all images; `choose` is called with the number of one that is pressed. */
export function drawSheet(choose) {
  const { images, indices } = shown.probe.occlusion;
  const sorted = sortedImages();
  byId("sheet-note").textContent = noteOfList(sorted.length, indices.length, images);
  const hasMasks = shown.probe.occlusion.masks !== null;
  byId("no-masks").hidden = hasMasks;
  const items = sorted.map((image) => listedImage(image, choose));
  byId("sheet").replaceChildren(...items);
}

/** Scroll the list, and only that, so that an item is in it. */
function bringIntoList(item) {
  const list = byId("sheet");
  const { offsetTop: top, offsetLeft: left, offsetHeight: height, offsetWidth: width } = item;
  const isSeen =
    top >= list.scrollTop &&
    top + height <= list.scrollTop + list.clientHeight &&
    left >= list.scrollLeft &&
    left + width <= list.scrollLeft + list.clientWidth;
  if (isSeen) return;
  list.scrollTo(left - (list.clientWidth - width) / 2, top - (list.clientHeight - height) / 2);
}

function listedButtons() {
  return [...byId("sheet").querySelectorAll("button")];
}

/** Let the arrow keys lead through the list, which the tab key reaches and leaves at once. */
export function prepareSheet() {
  const hasMasks = shown.data.probes.some(({ occlusion }) => occlusion.masks !== null);
  if (!hasMasks) byId("order").querySelector('[value="object"]').remove();
  byId("sheet").addEventListener("keydown", (event) => {
    const buttons = listedButtons();
    const at = buttons.indexOf(document.activeElement);
    const across = buttons.filter(({ offsetTop }) => offsetTop === buttons[0].offsetTop).length;
    const row = across === buttons.length ? 1 : across; // a strip has one row
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row };
    const next = buttons[at + steps[event.key]];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    next.focus();
  });
}

/** Mark the image that is shown, which the tab key reaches; the first one if that isn't listed. */
export function markShownImage() {
  const buttons = listedButtons();
  const isShownIn = (button) => Number(button.dataset.image) === shown.state.image;
  const reached = buttons.find(isShownIn) ?? buttons[0];
  for (const button of buttons) {
    const isShown = isShownIn(button);
    button.setAttribute("aria-pressed", String(isShown));
    button.tabIndex = button === reached ? 0 : -1;
    if (isShown) bringIntoList(button.parentElement);
  }
}
