// What do its filters answer to? The top images of one filter, and a patch of every filter.

import { describeChosen, mapPicture } from "./chosen_filter.mjs";
import { className, differs, shown } from "./data.mjs";
import { byId, canvasOf, checkRadio, element, option } from "./elements.mjs";
import { prepareClasses, showClass, showRadios } from "./elements.mjs";
import { cellCorner, clamp, filterGrid, filterUnder, scaledDown } from "./layout.mjs";
import { drawKernel } from "./kernels.mjs";
import { change, move } from "./navigation.mjs";
import { drawCell, outline, thumbnail } from "./pictures.mjs";
import { drawQuantiles } from "./quantiles.mjs";
import { imageReference } from "./references.mjs";
import { ordinal, significant } from "./text.mjs";
import { filtersOfClass, topImage } from "./top_images.mjs";

const LARGE_SIDE = 256; // longer side of an image, in canvas pixels, or a little more
const WIDEST = 1200; // the picture of all filters, in pixels
const PAGE_MARGINS = 50;
const FRAME = 3; // around the chosen filter
const FRAME_COLOUR = "#ff00ff";

/** The layer and the number of the filter that is shown: at first the first chosen one. */
function currentFilter() {
  const { layers, chosen } = shown.probe.filters;
  const name = shown.state.filter ?? chosen[0] ?? `${layers[0].name}/0`;
  const [, layerName, channel] = /^(.*)\/(\d+)$/.exec(name);
  const layer = layers.find((held) => held.name === layerName);
  return { name, layer, channel: Number(channel) };
}

/** The filters of the layer that are in the picture of all: those of the class looked for. */
function listedFilters() {
  const { layer } = currentFilter();
  const { top } = shown.state;
  if (top === null) return Array.from({ length: layer.channels }, (_, channel) => channel);
  return filtersOfClass(layer, shown.data.classes.indexOf(top), shown.data.labelOf);
}

// The top images of one filter

/** The whole image with the box in it. */
function imageWithBox(whole, image, box) {
  const times = Math.ceil(LARGE_SIDE / Math.max(shown.data.width, shown.data.height));
  const [width, height] = [times * shown.data.width, times * shown.data.height];
  const canvas = canvasOf(`test image ${image} with the box`, { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(whole, 0, 0, width, height);
  outline(canvas, times, box);
  return canvas;
}

/** The pixels in the box. */
function patchOf(whole, [top, left, bottom, right]) {
  const scale = whole.width / shown.data.width;
  const width = Math.max(1, Math.round((right - left) * scale));
  const height = Math.max(1, Math.round((bottom - top) * scale));
  const canvas = canvasOf("the same pixels, enlarged", { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(whole, left * scale, top * scale, width, height, 0, 0, width, height);
  return canvas;
}

/** The patch alone, of an image that the page doesn't hold: only the first one is there. */
function patchAlone(layer, channel, rank, [top, left, bottom, right]) {
  if (rank > 0) return element("span", { textContent: "(picture in test-images.h5)" });
  const canvas = canvasOf("the patch at the peak");
  const size = { height: bottom - top, width: right - left };
  const { height, width } = scaledDown(size, layer.sprite.width);
  drawCell(canvas, layer.sprite, channel, width, height);
  return canvas;
}

function picturesOf({ name, layer, channel }, rank) {
  const { image, response, box } = topImage(layer, channel, rank);
  const pair = element("div", { className: "pair" });
  if (response === 0) return pair; // the filter answers to no such image
  const whole = thumbnail(image);
  if (whole) pair.append(imageWithBox(whole, image, box), patchOf(whole, box));
  else pair.append(patchAlone(layer, channel, rank, box));
  const map = mapPicture(name, rank, image);
  if (map) pair.append(map);
  return pair;
}

/** What stands under the pictures of a top image: texts, and a link to its maps. */
function topImageText({ image, response, box }, rank) {
  if (response === 0 && rank === 0) return ["no response: 0 for every image"];
  if (response === 0) return ["no response: 0 for all other images"];
  const [top, left, bottom, right] = box;
  const name = className(shown.data.labelOf.get(image));
  const rows = `rows ${top}–${bottom - 1}`;
  const columns = `columns ${left}–${right - 1}`;
  const number = significant(response);
  const reference = imageReference(image, `test image ${image}`);
  return [`${ordinal(rank)}: `, reference, `, ${name}; response ${number}, ${rows}, ${columns}`];
}

function drawFilter() {
  const filter = currentFilter();
  const { name, layer, channel } = filter;
  byId("layer").value = layer.name;
  byId("channel").max = layer.channels - 1;
  byId("channel").value = channel;
  byId("filter-name").textContent = `Filter ${name}`;
  checkRadio(byId("chosen"), name);
  showClass(byId("top-class"), shown.state.top);

  const items = [];
  for (let rank = 0; rank < layer.ranks; rank++) {
    const top = topImage(layer, channel, rank);
    items.push(element("li", {}, picturesOf(filter, rank), ...topImageText(top, rank)));
    if (top.response === 0) break; // neither does it answer to those behind it
  }
  byId("top").replaceChildren(...items);
  const { ranks } = shown.probe.filters;
  byId("top-note").hidden = layer.ranks === ranks;
  byId("top-note").textContent =
    `The page holds the first ${layer.ranks} of ${ranks} top images of each filter; all are in ` +
    "filters/all-top-images.csv.";
  describeChosen(name);
  drawKernel(name, layer, channel);
  drawQuantiles(name);
  drawAllFilters();
}

// All filters of the layer

function currentGrid() {
  const { sprite } = currentFilter().layer;
  // As wide as the page, so that a patch is never shown too small to be tapped.
  const width = Math.min(WIDEST, document.body.clientWidth - PAGE_MARGINS);
  return filterGrid(listedFilters().length, sprite.width, width);
}

/** Draw the patch of a filter at a place of the picture. */
function drawPatch(context, sprite, channel, place, { times, pitch, across }) {
  const { width: side } = sprite; // its cells are square
  const from = cellCorner(channel, sprite);
  const to = cellCorner(place, { width: pitch, height: pitch, across });
  if (channel === currentFilter().channel) {
    context.fillStyle = FRAME_COLOUR;
    context.fillRect(to.x - FRAME, to.y - FRAME, pitch + FRAME + 1, pitch + FRAME + 1);
  }
  const length = side * times;
  context.drawImage(sprite.picture, from.x, from.y, side, side, to.x, to.y, length, length);
}

function drawAllFilters() {
  const { layer, channel: chosen } = currentFilter();
  const { name, channels, sprite } = layer;
  const listed = listedFilters();
  const grid = currentGrid();
  const canvas = byId("all");
  canvas.hidden = listed.length === 0;
  canvas.width = grid.across * grid.pitch;
  canvas.height = Math.ceil(listed.length / grid.across) * grid.pitch;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  for (const [place, channel] of listed.entries()) drawPatch(context, sprite, channel, place, grid);
  const { top } = shown.state;
  const ofClass = top === null ? "" : ` with an image of class ${top} among their top images`;
  const words =
    `for each of the ${listed.length} filters of ${name}${ofClass}, the patch at the peak of its ` +
    `map in its top image; chosen: filter ${chosen}`;
  canvas.setAttribute("aria-label", words);
  const count = top === null ? `All ${channels}` : `${listed.length} of the ${channels}`;
  byId("all-name").textContent = `${count} filters of ${name}${ofClass}`;
}

/** The filter under the pointer, or null. */
function filterAt(event) {
  const box = byId("all").getBoundingClientRect();
  const listed = listedFilters();
  const place = filterUnder(event, box, currentGrid(), listed.length);
  return place === null ? null : listed[place];
}

function showPointed(event) {
  const channel = filterAt(event);
  const { layer } = currentFilter();
  let words = " "; // keeps the line's height
  if (channel !== null) {
    const { image, response } = topImage(layer, channel, 0);
    words = `${layer.name}/${channel}: test image ${image}, response ${significant(response)}`;
  }
  byId("pointed").textContent = words;
}

// The tab

function chooseLayer() {
  change({ filter: `${byId("layer").value}/0` });
}

function chooseChannel() {
  const { layer } = currentFilter();
  const wanted = Math.round(Number(byId("channel").value)) || 0;
  const channel = clamp(wanted, 0, layer.channels - 1);
  byId("channel").value = channel;
  change({ filter: `${layer.name}/${channel}` });
}

function choosePointed(event) {
  const channel = filterAt(event);
  if (channel !== null) change({ filter: `${currentFilter().layer.name}/${channel}` });
}

/** Move by one filter, or by a row of the picture of all; the rest of a held key is one entry. */
function chooseByKey(event) {
  const { layer, channel } = currentFilter();
  const { across } = currentGrid();
  const listed = listedFilters();
  const at = listed.indexOf(channel); // -1 if the chosen one is not listed: then right is the first
  const places = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - across,
    ArrowDown: at + across,
    Home: 0,
    End: listed.length - 1,
  };
  const place = places[event.key];
  if (place === undefined) return;
  event.preventDefault();
  if (listed[place] === undefined) return;
  const show = event.repeat ? move : change;
  show({ filter: `${layer.name}/${listed[place]}` });
  scrollToChosen();
}

/** Scroll the picture of all filters, where it is higher than its frame, to the chosen one. */
function scrollToChosen() {
  const { across, pitch } = currentGrid();
  const top = Math.floor(listedFilters().indexOf(currentFilter().channel) / across) * pitch;
  const frame = byId("all").parentElement;
  const isSeen = top >= frame.scrollTop && top + pitch <= frame.scrollTop + frame.clientHeight;
  if (!isSeen) frame.scrollTop = top - (frame.clientHeight - pitch) / 2;
}

/** What is done once, whichever network is shown. */
export function prepareFilters() {
  byId("layer").addEventListener("change", chooseLayer);
  byId("channel").addEventListener("change", chooseChannel);
  byId("all").addEventListener("pointermove", showPointed);
  byId("all").addEventListener("click", choosePointed);
  byId("all").addEventListener("keydown", chooseByKey);
  window.addEventListener("resize", drawAllFilters);
  byId("runs-differ").hidden = new Set(shown.data.probes.map(({ run }) => run)).size === 1;
  prepareClasses(byId("top-class"), (top) => change({ top }));
}

/** What a network has to choose from. */
function showChoices() {
  const { answer, layers, chosen } = shown.probe.filters;
  byId("filters-answer").textContent = answer;
  const options = layers.map(({ name, channels }) => option(name, `${name} (${channels} filters)`));
  byId("layer").replaceChildren(...options);
  const choices = chosen.map((name) => [name, name]);
  showRadios(byId("chosen"), "filter", choices, (filter) => change({ filter }));
}

export function showFilters(before) {
  if (differs(before, "network")) showChoices();
  if (differs(before, "network", "filter", "top")) drawFilter();
}
