"use strict";
// The data is a JSON object, deflated; see scripts/convprobe/explorer.py. Texts from it only ever become text
// nodes: a class may have any name.

const $ = (id) => document.getElementById(id);
const SEEN = 288; // side of a drawn picture, in canvas pixels, or a little more
// Okabe & Ito's colours, which stay apart for every kind of colour vision; the true class is grey.
const COLOURS = ["#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"];
const TRUE_COLOUR = "#d9d9d9", OTHER_COLOUR = "#333333";
const MOST_CELL = 28, ALL_WIDTH = 1200, PAGE_MARGINS = 50; // of the picture of all filters, in pixels
const FULL_SCALE = [0, 1]; // of a probability
const MOST_BARS = 12, MOST_PICTURES = 24, MOST_LINES = 100;

let data, probe;
const state = { image: 0, window: Infinity, row: 0, column: 0, layer: 0, channel: 0, shown: "change" };

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  const { style, attributes, ...rest } = properties;
  Object.assign(made, rest);
  Object.assign(made.style, style);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function option(value, label) {
  return element("option", { value, textContent: label });
}

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function picture(source) {
  const image = new Image();
  image.src = source;
  await image.decode();
  return image;
}

// A space that doesn't break, so that no line begins with the sign.
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;
const points = (change) => (100 * change).toFixed(1).replace(/^(?!-|0\.0$)/, "+").replace("-", "\u2212");
const significant = (value) => Number(value.toPrecision(3));
const units = (count) => percent(count / 10 ** data.digits, data.digits - 2);
const className = (index) => data.classes[index];
const ordinal = (rank) => ["highest", "2nd highest", "3rd highest"][rank] ?? `${rank + 1}th highest`;

function link(path, text = path) {
  return element("a", { href: path.split("/").map(encodeURIComponent).join("/"), textContent: text });
}

/** The pictures of the network whose names begin so, relative to its folder. */
function pictures(beginning) {
  const folder = `${probe.run}/${probe.checkpoint}/`;
  return data.files.filter((name) => name.startsWith(folder + beginning) && name.endsWith(".png")).map((name) => name.slice(folder.length));
}

function links(place, names) {
  const folder = `${probe.run}/${probe.checkpoint}`;
  const made = names.map((name) => `${folder}/${name}`);
  const missing = made.find((name) => !data.files.includes(name));
  if (missing) throw new Error(`${missing} is no file of this experiment`);
  place.replaceChildren("Files: ", ...made.flatMap((name, index) => [index ? ", " : "", link(name, name.slice(folder.length + 1))]));
}

/** Draw one cell of a sprite into a canvas of the cell's own pixels. */
function drawCell(canvas, sprite, cell, width = sprite.side, height = sprite.side) {
  canvas.width = width;
  canvas.height = height;
  const x = (cell % sprite.across) * sprite.side, y = Math.floor(cell / sprite.across) * sprite.side;
  canvas.getContext("2d").drawImage(sprite.picture, x, y, width, height, 0, 0, width, height);
}

/** A small picture of a test image, or nothing where the page doesn't hold it. */
function thumbnail(image, properties = {}) {
  const cell = data.thumbnails.cells.get(image);
  if (cell === undefined) return null;
  const canvas = element("canvas", { attributes: { role: "img", "aria-label": `test image ${image}` }, ...properties });
  drawCell(canvas, data.thumbnails, cell);
  return canvas;
}

function fillTable(table, columns, rows, format = (value) => value ?? "") {
  const numeric = columns.map((_, place) => rows.some((row) => typeof row[place] === "number"));
  const head = columns.map((name, place) => element("th", { scope: "col", textContent: name.replaceAll("_", " "), className: numeric[place] ? "number" : "" }));
  table.tHead.replaceChildren(element("tr", {}, ...head));
  table.tBodies[0].replaceChildren(...rows.map((row) => element("tr", {}, ...row.map((value, place) => element("td", { textContent: format(value, row), className: numeric[place] ? "number" : "" })))));
}

function radios(place, name, choices, chosen, choose) {
  place.replaceChildren(...choices.map(([value, label]) => element("label", {},
    element("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }), ` ${label}`)));
}

// Where does it look?

/** The maps of one image: units of probability by window, class, row and column. */
async function mapsOf(place) {
  probe.looks.inflated[place] ??= inflated(probe.looks.maps[place]).then((buffer) => new Uint16Array(buffer));
  return probe.looks.inflated[place];
}

function unitsAt(maps, label, position, window = state.window) {
  const pixels = data.side ** 2;
  return maps[(window * data.classes.length + label) * pixels + position];
}

function pixelsOf(place) {
  const canvas = new OffscreenCanvas(data.side, data.side);
  const { sprite } = probe.looks;
  const x = (place % sprite.across) * sprite.side, y = Math.floor(place / sprite.across) * sprite.side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(sprite.picture, x, y, sprite.side, sprite.side, 0, 0, sprite.side, sprite.side);
  return context.getImageData(0, 0, data.side, data.side);
}

function viridis(share, pixels, at) {
  const colour = 3 * Math.min(255, Math.round(255 * share));
  for (let channel = 0; channel < 3; channel++) pixels[at + channel] = data.viridis[colour + channel];
  pixels[at + 3] = 255;
}

function mapPixels(maps, label, [low, high] = FULL_SCALE) {
  const found = new ImageData(data.side, data.side);
  for (let position = 0; position < data.side ** 2; position++) {
    viridis((unitsAt(maps, label, position) / 10 ** data.digits - low) / (high - low), found.data, 4 * position);
  }
  return found;
}

/** The probabilities at the ends of the large map's scale: all that there are, or those of this map. */
function scaleOf(maps, label) {
  if (!$("stretch").checked) return FULL_SCALE;
  let [low, high] = [Infinity, 0];
  for (let position = 0; position < data.side ** 2; position++) {
    const value = unitsAt(maps, label, position);
    [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  return low === high ? FULL_SCALE : [low / 10 ** data.digits, high / 10 ** data.digits];
}

function predictedAt(maps, position) {
  let best = 0;
  for (let label = 1; label < data.classes.length; label++) {
    if (unitsAt(maps, label, position) > unitsAt(maps, best, position)) best = label;
  }
  return best;
}

/** The part of the image under the window, cut at the border: top, left, bottom, right. */
function covered() {
  const reach = (probe.looks.windows[state.window].window - 1) / 2;
  return [state.row - reach, state.column - reach, state.row + reach + 1, state.column + reach + 1].map((edge) => Math.max(0, Math.min(data.side, edge)));
}

/** Show pixels of the image's size in a larger canvas. */
function show(canvas, pixels) {
  const times = Math.max(1, Math.ceil(SEEN / data.side));
  canvas.width = canvas.height = data.side * times;
  const small = new OffscreenCanvas(data.side, data.side);
  small.getContext("2d").putImageData(pixels, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return [context, times];
}

function outline(context, times, [top, left, bottom, right]) {
  for (const [width, colour] of [[4, "white"], [2, "black"]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.strokeRect(left * times, top * times, (right - left) * times, (bottom - top) * times);
  }
}

/** The border of the object, where its place is known. */
function drawObject(context, times) {
  const packed = probe.looks.masks?.[state.image];
  if (!packed) return;
  const bits = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const inside = (row, column) => {
    const place = row * data.side + column;
    return row >= 0 && column >= 0 && row < data.side && column < data.side && ((bits[place >> 3] >> (7 - (place & 7))) & 1) === 1;
  };
  context.beginPath();
  for (let row = 0; row <= data.side; row++) {
    for (let column = 0; column <= data.side; column++) {
      if (inside(row, column) !== inside(row - 1, column)) context.rect(column * times, row * times, times, 0);
      if (inside(row, column) !== inside(row, column - 1)) context.rect(column * times, row * times, 0, times);
    }
  }
  for (const [width, colour] of [[4, "black"], [2, "white"]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** Each class's colour in the map of predicted classes, the commonest first. */
function classColours(maps) {
  const label = probe.looks.labels[state.image];
  const predicted = Array.from({ length: data.side ** 2 }, (_, position) => predictedAt(maps, position));
  const counts = new Map();
  for (const found of predicted) counts.set(found, (counts.get(found) ?? 0) + 1);
  const others = [...counts.keys()].filter((found) => found !== label).sort((a, b) => counts.get(b) - counts.get(a));
  const colours = new Map([[label, TRUE_COLOUR], ...others.map((found, place) => [found, COLOURS[place] ?? OTHER_COLOUR])]);
  return { predicted, counts, colours };
}

/** Put the window where the probability of the true class is lowest: what the network needs most. */
async function moveToLowest() {
  const { image } = state, maps = await mapsOf(image), label = probe.looks.labels[image];
  if (image !== state.image) return;
  let lowest = 0;
  for (let position = 1; position < data.side ** 2; position++) {
    if (unitsAt(maps, label, position) < unitsAt(maps, label, lowest)) lowest = position;
  }
  moveTo(Math.floor(lowest / data.side), lowest % data.side);
}

async function drawLooks() {
  const { image } = state, maps = await mapsOf(image);
  if (image !== state.image) return; // another one was chosen meanwhile
  const { looks } = probe, label = looks.labels[image], position = state.row * data.side + state.column;
  const { window, fill } = looks.windows[state.window], box = covered();
  const name = className(label), where = `window ${window}×${window} at row ${state.row}, column ${state.column}`;

  const seen = pixelsOf(image);
  for (let row = box[0]; row < box[2]; row++) {
    for (let column = box[1]; column < box[3]; column++) seen.data.fill(fill, 4 * (row * data.side + column), 4 * (row * data.side + column) + 3);
  }
  show($("seen"), seen);
  $("seen").setAttribute("aria-label", `test image ${looks.indices[image]}, ${name}, ${where}`);

  const scale = scaleOf(maps, label), drawn = mapPixels(maps, label, scale);
  ["low", "high"].forEach((end, place) => ($(`scale-${end}`).textContent = percent(scale[place], scale === FULL_SCALE ? 0 : data.digits - 2)));
  if ($("overlay").checked) {
    const under = pixelsOf(image).data;
    for (let at = 0; at < under.length; at += 4) {
      const grey = 0.3 * under[at] + 0.59 * under[at + 1] + 0.11 * under[at + 2];
      for (let channel = 0; channel < 3; channel++) drawn.data[at + channel] = 0.55 * drawn.data[at + channel] + 0.45 * grey;
    }
  }
  const [onMap, times] = show($("map"), drawn);
  drawObject(onMap, times);
  outline(onMap, times, box);
  $("map").setAttribute("aria-label", `map of the probability of ${name}; ${where}: ${units(unitsAt(maps, label, position))}`);
  const captions = { map: `Probability of ${name} with the window centred there${looks.masks ? "; white: the object" : ""}`, predicted: "Class predicted with the window centred there" };
  for (const [id, words] of Object.entries(captions)) {
    $(`${id}-caption`).replaceChildren(`${words} (`, link(`${probe.run}/${probe.checkpoint}/occlusion/window-${window}.h5`, "file"), ")");
  }

  const { predicted, counts, colours } = classColours(maps);
  const flat = new ImageData(data.side, data.side);
  predicted.forEach((found, place) => {
    const colour = parseInt(colours.get(found).slice(1), 16);
    flat.data.set([colour >> 16, (colour >> 8) & 255, colour & 255, 255], 4 * place);
  });
  const [onPredicted] = show($("predicted"), flat);
  outline(onPredicted, times, box);
  $("predicted").setAttribute("aria-label", `map of the predicted class; ${where}: ${className(predicted[position])}`);
  $("legend").replaceChildren(...[...counts.entries()].sort((a, b) => b[1] - a[1]).map(([found, count]) => element("span", {},
    element("span", { className: "swatch", style: { background: colours.get(found) } }), `${className(found)} ${count / predicted.length < 0.005 ? "<\u00a01\u00a0%" : percent(count / predicted.length, 0)}`)));

  $("shown-image").textContent = `Test image ${looks.indices[image]}: ${name}`;
  $("readout").textContent = `${where[0].toUpperCase()}${where.slice(1)}: ${name} ${units(unitsAt(maps, label, position))}, predicted ${className(predicted[position])}`;
  for (const axis of ["row", "column"]) {
    $(axis).value = state[axis];
    $(`${axis}-value`).textContent = state[axis];
  }
  drawBars(maps, label, position);
}

function drawBars(maps, label, position) {
  const clean = probe.looks.clean[state.image], full = 10 ** data.digits;
  let shown = data.classes.map((_, index) => index);
  if (shown.length > MOST_BARS) {
    // The same ones at every position: those that are ever likely under this window.
    const most = shown.map((found) => Math.max(clean[found], ...Array.from({ length: data.side ** 2 }, (_, place) => unitsAt(maps, found, place))));
    shown = shown.sort((a, b) => (b === label) - (a === label) || most[b] - most[a]).slice(0, MOST_BARS).sort((a, b) => a - b);
  }
  $("bars").tBodies[0].replaceChildren(...shown.map((found) => {
    const value = unitsAt(maps, found, position);
    const bar = element("div", { className: "bar" }, element("i", { style: { width: `${(100 * value) / full}%` } }), element("b", { style: { left: `calc(${(100 * clean[found]) / full}% - 1px)` } }));
    return element("tr", { className: found === label ? "true" : "" }, element("th", { scope: "row", textContent: className(found) + (found === label ? " (true)" : "") }),
      element("td", {}, bar), element("td", { className: "number", textContent: units(value) }), element("td", { className: "number", textContent: units(clean[found]) }));
  }));
}

function moveTo(row, column) {
  const clamp = (value) => Math.max(0, Math.min(data.side - 1, value));
  [state.row, state.column] = [clamp(row), clamp(column)];
  return drawLooks();
}

function steer(canvas) {
  const follow = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    moveTo(Math.floor(((event.clientY - top) / height) * data.side), Math.floor(((event.clientX - left) / width) * data.side));
  };
  canvas.addEventListener("pointermove", follow);
  canvas.addEventListener("pointerdown", follow);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const times = event.shiftKey ? 4 : 1;
    moveTo(state.row + times * step[0], state.column + times * step[1]);
  });
}

async function drawSheet() {
  const { looks } = probe, rows = looks.windows[state.window].rows, order = $("order").value;
  const key = {
    index: (place) => looks.indices[place],
    fall: (place) => rows[place][0] - looks.clean[place][looks.labels[place]] / 10 ** data.digits,
    least: (place) => rows[place][1],
    flips: (place) => -rows[place][2],
  }[order];
  const places = looks.indices.map((_, place) => place).sort((a, b) => key(a) - key(b) || a - b);
  $("looks-answer").textContent = looks.windows[state.window].answer;
  const rest = looks.of > looks.indices.length ? `The first ${looks.indices.length} of ${looks.of}; the maps of all are in the files. ` : "";
  $("sheet-note").textContent = `${rest}Under each: number and class, the probability of the class averaged over all places, and that without a window.`;
  $("sheet").replaceChildren(...places.map((place) => {
    const label = looks.labels[place], clean = looks.clean[place][label] / 10 ** data.digits;
    const canvas = element("canvas", { width: 2 * data.side + 2, height: data.side });
    const words = `${rows[place][0].toFixed(2)} of ${clean.toFixed(2)}`;
    const button = element("button", { type: "button", onclick: () => choose(place), attributes: { "aria-pressed": String(place === state.image), "data-place": place } },
      canvas, element("span", { className: "name", textContent: `${looks.indices[place]}: ${className(label)}` }), words);
    mapsOf(place).then((maps) => {
      const context = canvas.getContext("2d");
      context.putImageData(pixelsOf(place), 0, 0);
      context.putImageData(mapPixels(maps, label), data.side + 2, 0);
    });
    return element("li", {}, button);
  }));
}

function choose(place) {
  state.image = place;
  for (const button of $("sheet").querySelectorAll("button")) button.setAttribute("aria-pressed", String(Number(button.dataset.place) === place));
  moveToLowest();
}

function setUpLooks() {
  const { looks } = probe;
  state.image = 0;
  state.window = Math.min(state.window, looks.windows.length - 1);
  radios($("windows"), "window", looks.windows.map(({ window }, place) => [place, `${window}×${window}`]), state.window, (place) => {
    state.window = place;
    drawSheet();
    moveToLowest();
  });
  links($("looks-files"), [...looks.windows.map(({ window }) => `occlusion/window-${window}.h5`), "occlusion/summary.csv", "occlusion/localisation.csv", ...pictures("occlusion/sheet-")]);
  drawSheet();
  return moveToLowest();
}

// What do its filters answer to?

function rowOf(layer, channel, rank) {
  const at = channel * layer.ranks + rank;
  return { image: layer.image[at], response: layer.response[at], box: [layer.top[at], layer.left[at], layer.bottom[at], layer.right[at]] };
}

function drawFilter() {
  const layer = probe.answers.layers[state.layer], name = `${layer.name}/${state.channel}`;
  $("layer").value = state.layer;
  $("channel").max = layer.channels - 1;
  $("channel").value = state.channel;
  $("filter-name").textContent = `Filter ${name}`;
  for (const input of $("chosen").querySelectorAll("input")) input.checked = input.value === name;
  $("top").replaceChildren(...Array.from({ length: layer.ranks }, (_, rank) => {
    const { image, response, box } = rowOf(layer, state.channel, rank), [top, left, bottom, right] = box;
    const label = data.thumbnails.labels[data.thumbnails.cells.get(image)];
    const pair = element("div", { className: "pair" }), whole = thumbnail(image);
    if (whole) {
      const scale = whole.width / data.side, side = data.side;
      const patch = element("canvas", { width: Math.max(1, Math.round((right - left) * scale)), height: Math.max(1, Math.round((bottom - top) * scale)), attributes: { role: "img", "aria-label": "the same pixels, enlarged" } });
      patch.getContext("2d").drawImage(whole, left * scale, top * scale, patch.width, patch.height, 0, 0, patch.width, patch.height);
      const large = element("canvas", { width: 4 * side * Math.ceil(32 / side), height: 4 * side * Math.ceil(32 / side), attributes: { role: "img", "aria-label": `test image ${image} with the box` } });
      const context = large.getContext("2d"), times = large.width / side;
      context.imageSmoothingEnabled = false;
      context.drawImage(whole, 0, 0, large.width, large.height);
      outline(context, times, box);
      pair.append(large, patch);
    } else {
      const patch = element("canvas", { attributes: { role: "img", "aria-label": "what the peak sees" } });
      if (rank === 0) drawCell(patch, layer.sprite, state.channel, right - left, bottom - top);
      pair.append(rank === 0 ? patch : element("span", { textContent: "(picture in images.h5)" }));
    }
    const words = `${ordinal(rank)}: test image ${image}${label === undefined ? "" : `, ${className(label)}`}; response ${significant(response)}, rows ${top}–${bottom - 1}, columns ${left}–${right - 1}`;
    return element("li", {}, pair, response > 0 ? words : rank === 0 ? "no response: 0 for every image" : "no response: 0 for all other images");
  }));
  drawAll(layer);
}

/** How the filters of a layer lie in the picture of all: cells across, side of a cell with its gap, in canvas pixels. */
function grid({ channels, sprite }) {
  const times = Math.max(1, Math.round(MOST_CELL / sprite.side)), pitch = sprite.side * times + 2;
  // As wide as the page, so that a cell is never shown too small to be tapped.
  const width = Math.min(ALL_WIDTH, document.body.clientWidth - PAGE_MARGINS);
  return { times, pitch, across: Math.max(1, Math.min(channels, Math.floor(width / pitch))) };
}

function drawAll(layer) {
  const canvas = $("all"), { sprite } = layer, { times, pitch, across } = grid(layer), side = sprite.side;
  canvas.width = across * pitch;
  canvas.height = Math.ceil(layer.channels / across) * pitch;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  for (let channel = 0; channel < layer.channels; channel++) {
    const x = (channel % across) * pitch, y = Math.floor(channel / across) * pitch;
    if (channel === state.channel) {
      context.fillStyle = "#ff00ff";
      context.fillRect(x - 3, y - 3, pitch + 4, pitch + 4);
    }
    context.drawImage(sprite.picture, (channel % sprite.across) * side, Math.floor(channel / sprite.across) * side, side, side, x, y, side * times, side * times);
  }
  canvas.setAttribute("aria-label", `what the peak of each of the ${layer.channels} filters of ${layer.name} sees in its first image; the same is said filter by filter above`);
  $("all-name").textContent = `All ${layer.channels} filters of ${layer.name}`;
}

function filterUnder(event) {
  const layer = probe.answers.layers[state.layer], { pitch, across } = grid(layer), canvas = $("all");
  const { left, top, width } = canvas.getBoundingClientRect(), cell = (pitch * width) / canvas.width;
  const found = Math.floor((event.clientY - top) / cell) * across + Math.floor((event.clientX - left) / cell);
  return found >= 0 && found < layer.channels ? found : null;
}

function setUpAnswers() {
  const { layers, chosen } = probe.answers;
  [state.layer, state.channel] = [0, 0];
  const pick = (name) => {
    const [layer, channel] = name.split("/");
    state.layer = layers.findIndex((found) => found.name === layer);
    state.channel = Number(channel);
    drawFilter();
  };
  $("layer").replaceChildren(...layers.map((layer, place) => option(place, `${layer.name} (${layer.channels} filters)`)));
  radios($("chosen"), "filter", chosen.map((name) => [name, name]), chosen[0], pick);
  $("answers-answer").textContent = probe.answers.answer;
  links($("answers-files"), ["filters/top-images.csv", "filters/all-top-images.csv", "filters/activations.h5", "filters/top-patches.png", ...chosen.map((name) => `filters/${name}.png`)]);
  links($("atlas-files"), pictures("filters/atlas/"));
  pick(chosen[0] ?? `${layers[0].name}/0`);
}

// What does it lose without them?

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), half = (sorted.length - 1) / 2;
  return (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2;
}

/** What each variant changes, in points, with its paired interval; a random draw is a stroke. */
function drawVariants() {
  const { columns, rows } = probe.loses.variants, at = (name) => columns.indexOf(name);
  const [none, ...variants] = rows;
  const draws = variants.filter((row) => row[0].startsWith("random-")), named = variants.filter((row) => !draws.includes(row));
  const edges = variants.flatMap((row) => (draws.includes(row) ? [row[at("change")]] : [row[at("change_low")], row[at("change_high")]]));
  const low = Math.min(-0.01, ...edges), high = Math.max(0.01, ...edges);
  const x = (value) => `${2 + (96 * (value - low)) / (high - low)}%`;
  const name = (variant) => (variant === "ablated" ? "the chosen ones" : variant.includes("/") ? variant : `the chosen ones of ${variant}`);
  $("variants-name").textContent = `Change of accuracy without some filters, from ${percent(none[at("accuracy")])} with all`;
  $("variants-scale").textContent = `${points(low)} to ${points(high)} points`;
  const line = (x1, x2, y1, y2, more) => svg("line", { x1: x(x1), x2: x(x2), y1, y2, ...more });
  const strip = (...drawn) => svg("svg", { width: 160, height: 18, "aria-hidden": "true" }, line(0, 0, 0, 18, { class: "axis" }), ...drawn);
  const made = named.map((row) => {
    const colour = row[0] === "ablated" ? "var(--orange)" : "var(--blue)";
    const [least, value, most] = ["change_low", "change", "change_high"].map((column) => row[at(column)]);
    const bar = strip(line(least, most, 9, 9, { stroke: colour, "stroke-width": 2 }), svg("circle", { cx: x(value), cy: 9, r: 4, fill: colour }));
    return element("tr", {}, element("th", { scope: "row", textContent: name(row[0]) }), element("td", {}, bar),
      ...[points(value), row[at("lost")], row[at("gained")]].map((value) => element("td", { className: "number", textContent: value })));
  });
  if (draws.length) {
    const changes = draws.map((row) => row[at("change")]);
    const strokes = strip(...changes.map((change) => line(change, change, 3, 15, { stroke: "var(--ink)", "stroke-width": 1.5 })));
    const range = `${points(Math.min(...changes))} to ${points(Math.max(...changes))}, median ${points(median(changes))}`;
    made.splice(1, 0, element("tr", {}, element("th", { scope: "row", textContent: `${draws.length} random draws of as many` }), element("td", {}, strokes), element("td", { colSpan: 3, textContent: range })));
  }
  $("variants").tBodies[0].replaceChildren(...made);
}

const STATES = [["clean", "with all filters"], ["ablated", "without the chosen ones"], ["change", "the change"]];

function drawConfusion() {
  const { clean, ablated } = probe.loses.confusion, table = $("confusion"), shown = state.shown;
  const sums = clean.map((row) => Math.max(1, row.reduce((sum, count) => sum + count, 0)));
  $("confusion-caption").textContent = shown === "change" ? "Rows: true class; columns: predicted; more (orange) or fewer (blue) images than before, the full colour from 10\u00a0% of the true class on." : "Rows: true class; columns: predicted; images, coloured by their share of the true class.";
  table.tHead.replaceChildren(element("tr", {}, element("td", {}), ...data.classes.map((name) => element("th", { scope: "col", textContent: name }))));
  table.tBodies[0].replaceChildren(...data.classes.map((name, label) => element("tr", {}, element("th", { scope: "row", textContent: name }), ...data.classes.map((other, found) => {
    const count = shown === "change" ? ablated[label][found] - clean[label][found] : { clean, ablated }[shown][label][found];
    const share = shown === "change" ? Math.min(1, (10 * Math.abs(count)) / sums[label]) : count / sums[label];
    const colour = shown === "change" && count > 0 ? "var(--orange)" : "var(--blue)";
    const text = count === 0 ? "·" : shown === "change" && count > 0 ? `+${count}` : String(count).replace("-", "−");
    const button = element("button", { type: "button", textContent: text, attributes: { "aria-label": `${name} taken for ${other}: ${count}` } });
    for (const kind of ["pointerenter", "focus", "click"]) button.addEventListener(kind, () => drawCellImages(label, found));
    return element("td", { style: { background: share ? `color-mix(in srgb, ${colour} ${Math.round(45 * share)}%, transparent)` : "" } }, button);
  }))));
}

function drawCellImages(label, found) {
  const { loses } = probe, { shown } = state;
  const places = loses.image.map((_, place) => place).filter((place) => loses.class[place] === label && {
    clean: loses.clean[place] === found,
    ablated: loses.ablated[place] === found,
    change: (loses.clean[place] === found) !== (loses.ablated[place] === found),
  }[shown]);
  const pictures = places.filter((place) => data.thumbnails.cells.has(loses.image[place])).slice(0, MOST_PICTURES);
  const what = { clean: "with all filters", ablated: "without the chosen ones", change: "either with all filters or without the chosen ones, not both" }[shown];
  const held = loses.image.length < loses.images ? ` (of the ${loses.image.length} images that the page holds)` : "";
  $("cell-name").textContent = `${className(label)} taken for ${className(found)} ${what}: ${places.length} images${held}${pictures.length < places.length ? `, ${pictures.length} of them below` : ""}.`;
  $("cell").replaceChildren(...pictures.map((place) => element("li", {}, thumbnail(loses.image[place]),
    `image ${loses.image[place]}: ${className(loses.clean[place])} → ${className(loses.ablated[place])}, ${units(loses.clean_confidence[place])} → ${units(loses.ablated_confidence[place])}`)));
}

function drawRows(most = MOST_LINES) {
  const { loses } = probe, wanted = { class: $("rows-class").value, clean: $("rows-clean").value, ablated: $("rows-ablated").value };
  const places = loses.image.map((_, place) => place).filter((place) => loses.image[place] < loses.table_images
    && Object.entries(wanted).every(([column, value]) => value === "" || loses[column][place] === Number(value))
    && (!$("rows-changed").checked || loses.clean[place] !== loses.ablated[place]));
  $("rows-count").replaceChildren(`${places.length} images${places.length > most ? `, the first ${most} of them shown ` : ""}`);
  if (places.length > most) $("rows-count").append(element("button", { type: "button", textContent: "Show all", onclick: () => drawRows(Infinity) }));
  $("rows").tBodies[0].replaceChildren(...places.slice(0, most).map((place) => {
    const cells = [loses.image[place], thumbnail(loses.image[place]) ?? "", className(loses.class[place]), units(loses.clean_confidence[place]), units(loses.ablated_confidence[place]), className(loses.clean[place]), className(loses.ablated[place])];
    return element("tr", { className: loses.clean[place] === loses.ablated[place] ? "" : "changed" }, ...cells.map((cell, column) => element("td", { className: [0, 3, 4].includes(column) ? "number" : "" }, cell)));
  }));
}

function setUpLoses() {
  const { loses } = probe;
  $("loses-answer").textContent = loses.answer;
  drawVariants();
  radios($("states"), "state", STATES, state.shown, (value) => {
    state.shown = value;
    drawConfusion();
    $("cell").replaceChildren();
  });
  drawConfusion();
  $("cell").replaceChildren();
  $("rows-name").textContent = `The first ${Math.min(loses.table_images, loses.images)} test images`;
  for (const id of ["rows-class", "rows-clean", "rows-ablated"]) $(id).replaceChildren(option("", "any"), ...data.classes.map((name, index) => option(index, name)));
  drawRows();
  links($("loses-files"), ["accuracy.csv", "class-accuracy.csv", "predictions.csv", "first-images.csv", "confusion-clean.csv", "confusion-ablated.csv", "class-pairs.csv", "flips.csv", "variants.h5", "confusion.png", "class-pairs.png", "gallery.png", "accuracy.png"].map((name) => `ablation/${name}`));
}

// How was it made?

/** Accuracy over the epochs, from 0 to 1, the probed epoch marked. */
function curveFigure({ run, selection, columns, rows }) {
  const [width, height, left, top, right, bottom] = [420, 230, 40, 10, 80, 36];
  const epochs = rows.map((row) => row[0]), last = epochs.at(-1);
  const x = (epoch) => left + ((epoch - 1) / Math.max(1, last - 1)) * (width - left - right);
  const y = (share) => top + (1 - share) * (height - top - bottom);
  const words = `run ${run}: test accuracy ${rows.map((row) => `epoch ${row[0]} ${percent(row[columns.indexOf("test_accuracy")])}`).join(", ")}`;
  const figure = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    figure.append(svg("line", { x1: left, x2: width - right, y1: y(share), y2: y(share), class: "axis" }), svg("text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, share.toFixed(2)));
  }
  const step = Math.ceil(last / 10);
  for (const epoch of epochs.filter((epoch) => (epoch - 1) % step === 0)) figure.append(svg("text", { x: x(epoch), y: height - bottom + 16, "text-anchor": "middle" }, String(epoch)));
  figure.append(svg("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, "epoch"));
  figure.append(svg("line", { x1: x(selection.epoch), x2: x(selection.epoch), y1: y(0), y2: y(1), stroke: "currentColor" }));
  const ends = [];
  for (const [split, colour, dashes] of [["train", "var(--quiet)", "5 4"], ["validation", "var(--orange)", "2 3"], ["test", "var(--blue)", ""]]) {
    const column = columns.indexOf(`${split}_accuracy`);
    if (column < 0) continue;
    const points = rows.map((row) => `${x(row[0])},${y(row[column])}`);
    figure.append(svg("polyline", { points: points.join(" "), fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dashes }));
    let place = y(rows.at(-1)[column]) + 4;
    while (ends.some((taken) => Math.abs(taken - place) < 13)) place += 1;
    ends.push(place);
    figure.append(svg("text", { x: width - right + 6, y: place, style: `fill: ${colour}` }, split));
  }
  const how = selection.policy === "fixed" ? "chosen in the config" : "the best";
  const caption = `Accuracy of run ${run} after each epoch. Line: epoch ${selection.epoch}, ${how}, ${percent(selection.test_accuracy)} on the test images; highest test accuracy: epoch ${selection.best_epoch}. `;
  return element("figure", {}, figure, element("figcaption", {}, caption, link(`${run}/learning-curve.csv`), ", ", link(`${run}/learning-curve.png`)));
}

function setUpMade() {
  $("curves").replaceChildren(...(data.curves.length ? data.curves.map(curveFigure) : ["No run was trained here: the weights are a file's."]));
  // All numbers are shares or probabilities but those of an epoch.
  // The verdict beside the claim: on a narrow screen the rest is scrolled to.
  const order = ["claim", "verdict", "published", "measured", "low", "high"].map((name) => data.card.columns.indexOf(name));
  const [columns, ...rows] = [data.card.columns, ...data.card.rows].map((row) => order.map((place) => row[place]));
  fillTable($("card"), columns, rows, (value, [claim]) => (typeof value === "number" && !claim.startsWith("epoch ") ? value.toFixed(3) : value ?? ""));
  fillTable($("counts"), data.counts.columns, data.counts.rows);
  $("config").textContent = data.config;
  const digests = data.probes.map(({ run, checkpoint, looks }) => [`SHA-256 of ${run}/checkpoints/${checkpoint}.pth`, looks.digest]);
  const trained = data.curves.map(({ run, trained_by }) => [`Run ${run} was trained by`, trained_by.join("; ")]);
  $("versions").tBodies[0].replaceChildren(...[...Object.entries(data.versions), ...trained, ...digests].map(([name, value]) => element("tr", {}, element("th", { scope: "row", textContent: name }), element("td", { textContent: value, style: { overflowWrap: "anywhere" } }))));
  $("files").replaceChildren(...data.files.map((name) => element("li", {}, link(name))));
}

// The page

function showTab(tab, focus = false) {
  for (const other of document.querySelectorAll('[role="tab"]')) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    $(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
  history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
}

function setUpTabs() {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => showTab(tab));
    tab.addEventListener("keydown", (event) => {
      const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (next !== undefined) showTab(tabs.at(next % tabs.length), true);
    });
  });
  showTab($(`tab-${location.hash.slice(1)}`) ?? tabs[0]);
}

function setUpProbe(place) {
  probe = data.probes[place];
  $("warning").textContent = probe.warning;
  $("warning").hidden = !probe.warning;
  setUpLooks();
  setUpAnswers();
  setUpLoses();
}

async function start() {
  data = JSON.parse(new TextDecoder().decode(await inflated($("data").textContent)));
  data.thumbnails.cells = new Map(data.thumbnails.indices.map((image, cell) => [image, cell]));
  data.thumbnails.picture = await picture(data.thumbnails.source);
  for (const { looks, answers } of data.probes) {
    looks.inflated = [];
    looks.sprite.picture = await picture(looks.sprite.source);
    for (const layer of answers.layers) layer.sprite.picture = await picture(layer.sprite.source);
  }

  $("probe").replaceChildren(...data.probes.map(({ run, checkpoint }, place) => option(place, `${run}, ${checkpoint}`)));
  $("probe").addEventListener("change", () => setUpProbe(Number($("probe").value)));
  for (const axis of ["row", "column"]) {
    $(axis).max = data.side - 1;
    $(axis).addEventListener("input", () => moveTo(Number($("row").value), Number($("column").value)));
  }
  for (const id of ["seen", "map", "predicted"]) steer($(id));
  const scale = new ImageData(256, 1);
  for (let level = 0; level < 256; level++) viridis(level / 255, scale.data, 4 * level);
  $("scale").getContext("2d").putImageData(scale, 0, 0);
  $("order").addEventListener("change", drawSheet);
  for (const id of ["overlay", "stretch"]) $(id).addEventListener("change", drawLooks);
  $("layer").addEventListener("change", () => {
    [state.layer, state.channel] = [Number($("layer").value), 0];
    drawFilter();
  });
  $("channel").addEventListener("change", () => {
    const last = probe.answers.layers[state.layer].channels - 1;
    state.channel = Math.max(0, Math.min(last, Math.round(Number($("channel").value)) || 0));
    drawFilter();
  });
  $("all").addEventListener("pointermove", (event) => {
    const found = filterUnder(event), layer = probe.answers.layers[state.layer];
    $("pointed").textContent = found === null ? " " : `${layer.name}/${found}: test image ${rowOf(layer, found, 0).image}, response ${significant(rowOf(layer, found, 0).response)}`;
  });
  window.addEventListener("resize", () => drawAll(probe.answers.layers[state.layer]));
  $("all").addEventListener("click", (event) => {
    const found = filterUnder(event);
    if (found !== null) state.channel = found;
    drawFilter();
  });
  for (const id of ["rows-class", "rows-clean", "rows-ablated", "rows-changed"]) $(id).addEventListener("change", () => drawRows());
  setUpMade();
  setUpProbe(0);
  $("unpacking").remove();
  for (const id of ["tabs", "panels"]) $(id).hidden = false;
  setUpTabs();
  document.body.dataset.ready = "true";
}

start();
