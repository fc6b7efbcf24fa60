// What is seen of the page, as one plain value, and the address that names it.
//
// An address is read and written without the document: `occlusion/normalised/epoch-13/image-12/
// window-9/20,20`, then what differs from the page's own choice.

import { clamp, nearest } from "./layout.mjs";

export const ORDERS = ["index", "fall", "least", "flips", "object"];
export const CONFUSIONS = ["change", "clean", "ablated"];

// Null is the page's own choice. `image` is the number of a test image, `window` its side, `row`
// and `column` are the pixel at its centre; `beside` is the network and window compared with,
// `listed` the class of the images in the list, `top` that of images that the listed filters answer
// to.
const START = {
  tab: null,
  network: null,
  image: null,
  window: null,
  row: null,
  column: null,
  beside: null,
  filter: null,
  top: null,
  order: "index",
  listed: null,
  right: false,
  confusion: "change",
  class: null,
  clean: null,
  ablated: null,
  held: false,
  bare: false,
  overlay: false,
  stretch: false,
  changed: false,
};
const FLAGS = ["right", "held", "bare", "overlay", "stretch", "changed"];
const WORDS = {
  top: "top",
  order: "sort",
  listed: "list",
  confusion: "show",
  class: "class",
  clean: "clean",
  ablated: "ablated",
};
const PLACE = /^(-?\d+),(-?\d+)$/;
const LAST_DASH = /-(?=[^-]*$)/;

// From the state to the address

function encoded(part) {
  return encodeURIComponent(part).replaceAll("%2C", ",");
}

/** The address of a settled state, to stand after the `#`. */
export function address(state) {
  const { tab, network, image, window, row, column, beside, filter } = state;
  const parts = [tab, ...network.split("/"), `image-${image}`, `window-${window}`];
  parts.push(`${row},${column}`);
  if (beside) parts.push("with", ...beside.network.split("/"), `window-${beside.window}`);
  if (filter) parts.push(`filter-${filter.replace(/\/(?=\d+$)/, "-")}`);
  for (const [name, word] of Object.entries(WORDS)) {
    if (state[name] !== START[name]) parts.push(`${word}-${state[name]}`);
  }
  parts.push(...FLAGS.filter((name) => state[name]));
  return parts.map(encoded).join("/");
}

// From the address to the state

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // cut off in the middle of a letter
  }
}

/** What one part of an address says of the state, or null. */
function readPart(part) {
  if (FLAGS.includes(part)) return { [part]: true };
  const place = PLACE.exec(part);
  if (place) return { row: Number(place[1]), column: Number(place[2]) };
  const [, word, value] = /^([a-z]+)-(.+)$/.exec(part) ?? [];
  if (word === "image" || word === "window") return { [word]: Number(value) };
  if (word === "filter") return { filter: value.replace(LAST_DASH, "/") };
  const name = Object.keys(WORDS).find((key) => WORDS[key] === word);
  return name === undefined ? null : { [name]: value };
}

/** Take from the parts the network that they begin with, if they do. */
function takeNetwork(parts, { networks }) {
  const name = parts.slice(0, 2).join("/");
  if (!networks.some((network) => network.name === name)) {
    if (!parts.length || parts[0] === "with" || readPart(parts[0])) return null;
  }
  parts.splice(0, 2);
  return name;
}

/** Take from the parts what comes after `with`. */
function takeBeside(parts, holdings) {
  const network = takeNetwork(parts, holdings);
  const window = /^window-/.test(parts[0]) ? readPart(parts.shift()).window : null;
  return { network, window };
}

/**
 * The state that an address names, what isn't on the page replaced by what is nearest.
 *
 * @param text what stands after the `#`, or with it.
 * @param holdings `tabs`, `classes` and `networks`, as of `holdingsOf`.
 * @returns as of `settled`.
 */
export function parse(text, holdings) {
  const parts = text.replace(/^#/, "").split("/").filter(Boolean).map(decoded);
  const wanted = { ...START };
  const unknown = [];
  if (parts.length) wanted.tab = parts.shift();
  wanted.network = takeNetwork(parts, holdings);
  while (parts.length) {
    const part = parts.shift();
    if (part === "with") wanted.beside = takeBeside(parts, holdings);
    else if (readPart(part)) Object.assign(wanted, readPart(part));
    else unknown.push(`“${part}”: it is left out`);
  }
  const { state, missing } = settled(wanted, holdings);
  return { state, missing: [...missing, ...unknown] };
}

// What the page has

/** The network of a name; else the one of its run whose epoch is nearest, or of its epoch. */
function nearestNetwork(name, networks) {
  const [run, checkpoint] = name.split("/");
  const epochOf = (text) => Number(/\d+$/.exec(text ?? "")?.[0] ?? 0);
  const ofRun = networks.filter((network) => network.run === run);
  const distance = (network) => Math.abs(epochOf(network.checkpoint) - epochOf(checkpoint));
  const sorted = ofRun.sort((a, b) => distance(a) - distance(b));
  const exact = networks.find((network) => network.name === name);
  const ofEpoch = networks.find((network) => network.checkpoint === checkpoint);
  return exact ?? sorted[0] ?? ofEpoch ?? networks[0];
}

/** The filter of a name, or of its layer the nearest one; null where there is no such layer. */
function nearestFilter(name, layers) {
  const [, layerName, channel] = /^(.*)\/([^/]*)$/.exec(name) ?? [];
  const layer = layers.find((held) => held.name === layerName);
  if (layer === undefined) return null;
  return `${layerName}/${clamp(Math.round(Number(channel)) || 0, 0, layer.channels - 1)}`;
}

/** One of some choices, or the first. */
function choice(wanted, choices) {
  return choices.includes(wanted) ? wanted : choices[0];
}

/** What is wanted of the second column, or what is nearest. */
function settledBeside(wanted, window, networks) {
  if (wanted === null) return null;
  const network = nearestNetwork(wanted.network ?? "", networks);
  return { network: network.name, window: nearest(wanted.window ?? window, network.windows) };
}

function settledPlace({ row, column }, image, window, network) {
  if (row === null || column === null) return network.lowest(image, window);
  return [nearest(row, network.rows), nearest(column, network.columns)];
}

/** Choices with a name. */
function settledChoices(wanted, { tabs, classes }, layers) {
  const classOrAny = (name) => choice(wanted[name], [null, ...classes]);
  return {
    tab: choice(wanted.tab, tabs),
    filter: wanted.filter === null ? null : nearestFilter(wanted.filter, layers),
    order: choice(wanted.order, ORDERS),
    listed: classOrAny("listed"),
    confusion: choice(wanted.confusion, CONFUSIONS),
    class: classOrAny("class"),
    clean: classOrAny("clean"),
    ablated: classOrAny("ablated"),
    top: classOrAny("top"),
  };
}

/**
 * A state that the page can show: what is wanted of it, or what is nearest.
 *
 * @returns the `state`, and what is `missing`, as sentences without their beginning and end.
 */
export function settled(wanted, holdings) {
  const { networks } = holdings;
  const network = wanted.network === null ? networks[0] : nearestNetwork(wanted.network, networks);
  const image = nearest(wanted.image ?? network.images[0], network.images);
  const window = nearest(wanted.window ?? Math.max(...network.windows), network.windows);
  const [row, column] = settledPlace(wanted, image, window, network);
  const state = {
    ...wanted,
    ...settledChoices(wanted, holdings, network.layers),
    network: network.name,
    image,
    window,
    row,
    column,
    beside: settledBeside(wanted.beside, window, networks),
  };
  return { state, missing: missingOf(wanted, state) };
}

/** What a state has in place of what was wanted. */
function missingOf(wanted, state) {
  const missing = [];
  const compare = (name, before, after) => {
    if (before === null || before === after) return;
    missing.push(`${name} ${before}: ${after === null ? "none" : `${name} ${after}`} is shown`);
  };
  for (const name of ["tab", "network", "image", "window"]) {
    compare(name, wanted[name], state[name]);
  }
  if (wanted.row !== null && wanted.column !== null) {
    compare("place", `${wanted.row},${wanted.column}`, `${state.row},${state.column}`);
  }
  if (wanted.beside) {
    compare("network", wanted.beside.network, state.beside.network);
    compare("window", wanted.beside.window, state.beside.window);
  }
  for (const name of ["filter", ...Object.keys(WORDS)]) {
    compare(name, wanted[name], state[name]);
  }
  return missing;
}

/** What the page holds, of its data; `tabs` are those that it has. */
export function holdingsOf({ probes, classes }, tabs) {
  const networks = probes.map(({ run, checkpoint, occlusion, filters }) => {
    const { indices, windows, centres } = occlusion;
    const sides = windows.map(({ window }) => window);
    const lowest = (image, window) => {
      const position = windows[sides.indexOf(window)].lowest[indices.indexOf(image)];
      const { row, column } = centres;
      return [row[Math.floor(position / column.length)], column[position % column.length]];
    };
    return {
      name: `${run}/${checkpoint}`,
      run,
      checkpoint,
      images: indices,
      windows: sides,
      rows: centres.row,
      columns: centres.column,
      layers: filters?.layers ?? [],
      lowest,
    };
  });
  return { tabs, classes, networks };
}
