// Keeps the state, what is drawn and the address in the browser's bar the same.

import { probeNamed, shown } from "./data.mjs";
import { byId } from "./elements.mjs";
import { address, parse, settled } from "./state.mjs";

const INTERVAL = 400; // ms between addresses of a moving place: browsers refuse many at a time

const book = { holdings: null, draw: null, timer: null, isBehind: false };

/** Let the entry of the history say what is shown now. */
function write() {
  book.isBehind = false;
  history.replaceState(null, "", `#${address(shown.state)}`);
}

/** The same, at once if that was not done lately, else in a moment. */
function writeSoon() {
  book.isBehind = true;
  if (book.timer !== null) return;
  write();
  book.timer = setTimeout(() => {
    book.timer = null;
    if (book.isBehind) writeSoon();
  }, INTERVAL);
}

function show(state) {
  const before = shown.state;
  shown.state = state;
  shown.probe = probeNamed(state.network);
  book.draw(before);
}

/** Say what of a wanted state this page doesn't have. */
function say(missing) {
  byId("notice").textContent = missing.length
    ? `This page doesn't have ${missing.join("; ")}.`
    : "";
}

function isShown(state) {
  return address(state) === address(shown.state);
}

/** Show something else: an entry of the history, to which the browser's back button leads. */
export function change(patch) {
  const { state, missing } = settled({ ...shown.state, ...patch }, book.holdings);
  if (isShown(state)) return;
  if (book.isBehind) write(); // the entry that is left
  show(state);
  say(missing);
  history.pushState(null, "", `#${address(state)}`);
}

/** What of the view is another image's: the place is where its class is least likely, or held. */
function viewOfImage(image) {
  return shown.state.held ? { image } : { image, row: null, column: null };
}

/** Show another test image, and what else is given. */
export function showImage(image, patch = {}) {
  change({ ...patch, ...viewOfImage(image) });
}

/** The address, with its `#`, of a test image in the occlusion tab. */
export function addressOfImage(image) {
  const wanted = { ...shown.state, tab: "occlusion", ...viewOfImage(image) };
  return `#${address(settled(wanted, book.holdings).state)}`;
}

/** The address, with its `#`, of a filter. */
export function addressOfFilter(filter) {
  const wanted = { ...shown.state, tab: "filters", filter };
  return `#${address(settled(wanted, book.holdings).state)}`;
}

/** Show something else in the same entry of the history: what changes all the time. */
export function move(patch) {
  const { state } = settled({ ...shown.state, ...patch }, book.holdings);
  if (isShown(state)) return;
  show(state);
  writeSoon();
}

function readAddress() {
  const { state, missing } = parse(location.hash, book.holdings);
  show(state);
  say(missing);
  write();
}

/**
 * Show what the address names, now and whenever it changes.
 *
 * @param holdings as of `holdingsOf`.
 * @param draw draws `shown.state`, given the state before it, or null.
 */
export function startNavigation(holdings, draw) {
  Object.assign(book, { holdings, draw });
  window.addEventListener("popstate", readAddress);
  readAddress();
}
