// Charts of values over the epochs, and what they show at the epoch that is pointed at.

import { element, svg } from "./elements.mjs";
import { freePlace, numberUnder, scaled, ticksUpTo } from "./layout.mjs";

const [WIDTH, HEIGHT] = [420, 240];
const [LEFT, TOP, RIGHT, BOTTOM] = [40, 24, WIDTH - 80, HEIGHT - 36]; // of the axes
const MOST_EPOCH_LABELS = 10;
const LABEL_HEIGHT = 13;
const BASELINE = 4; // from the middle of a label down
const DOT = 3.5; // radius

/** Where an epoch lies, of so many. */
function xOf(epoch, last) {
  return scaled(epoch, [1, Math.max(2, last)], [LEFT, RIGHT]);
}

/** Where a value lies, between 0 and the highest tick. */
function yOf(value, ticks) {
  return scaled(value, [0, ticks.at(-1)], [BOTTOM, TOP]);
}

function svgText(x, y, text, attributes) {
  return svg("text", { x, y, ...attributes }, text);
}

function valueAxis(name, ticks) {
  const drawn = [svgText(0, TOP - 14, name)];
  const digits = Math.max(0, -Math.floor(Math.log10(ticks[1]))); // as many as their step has
  for (const tick of ticks) {
    const y = yOf(tick, ticks);
    drawn.push(svg("line", { x1: LEFT, x2: RIGHT, y1: y, y2: y, class: "axis" }));
    drawn.push(svgText(LEFT - 6, y + BASELINE, tick.toFixed(digits), { "text-anchor": "end" }));
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

/** The lines, those that have a name with it at their end. */
function drawnLines(epochs, lines, ticks) {
  const drawn = [];
  const taken = [];
  for (const { name, values, colour, width = 2, dashes = "" } of lines) {
    const corners = values.map(
      (value, at) => `${xOf(epochs[at], epochs.at(-1))},${yOf(value, ticks)}`,
    );
    const stroke = { stroke: colour, "stroke-width": width, "stroke-dasharray": dashes };
    drawn.push(svg("polyline", { points: corners.join(" "), fill: "none", ...stroke }));
    if (!name) continue;
    const y = freePlace(yOf(values.at(-1), ticks) + BASELINE, taken, LABEL_HEIGHT);
    taken.push(y);
    drawn.push(svgText(RIGHT + 6, y, name, { style: `fill: ${colour}` }));
  }
  return drawn;
}

/** A vertical line, and a dot for each line; where they are, `place` decides. */
function marks(epochs, lines, ticks) {
  const upright = svg("line", { y1: BOTTOM, y2: TOP, class: "pointed" });
  const dots = lines.map(({ colour }) => svg("circle", { r: DOT, style: `fill: ${colour}` }));
  const place = (at) => {
    const x = xOf(epochs[at], epochs.at(-1));
    for (const name of ["x1", "x2"]) upright.setAttribute(name, x);
    for (const [number, dot] of dots.entries()) {
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", yOf(lines[number].values[at], ticks));
    }
  };
  return { drawn: [upright, ...dots], place };
}

/**
 * A chart.
 *
 * @param label that is read out.
 * @param quantity its name.
 * @param lines each with `values`, one per epoch, and a `colour`; perhaps a `name`, `width` and
 *   `dashes`.
 * @param full the end of the axis; null for the highest value.
 * @param probed the epoch that is marked; null for none.
 * @returns `drawing`, and `place`, which marks the epoch at a place of the list.
 */
export function chart({ label, quantity, epochs, lines, full = null, probed = null }) {
  const ticks = ticksUpTo(full ?? Math.max(...lines.flatMap(({ values }) => values)));
  const x = xOf(probed, epochs.at(-1));
  const line = { x1: x, x2: x, y1: BOTTOM, y2: TOP, stroke: "currentColor" };
  const { drawn, place } = marks(epochs, lines, ticks);
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    ...valueAxis(quantity, ticks),
    ...epochAxis(epochs),
    ...(probed === null ? [] : [svg("line", line)]),
    ...drawnLines(epochs, lines, ticks),
    ...drawn,
  );
  return { drawing, place };
}

/**
 * Charts over the same epochs, and a slider that moves along them; it follows the pointer.
 *
 * @param name of what is shown.
 * @param start the epoch that the slider begins with.
 * @param textAt what the charts show at a place of the list of epochs.
 */
export function readableCharts({ name, epochs, charts, start, textAt }) {
  const [min, max] = [epochs[0], epochs.at(-1)];
  const attributes = { "aria-label": `Epoch, ${name}` };
  const slider = element("input", { type: "range", min, max, value: start, attributes });
  const reading = element("p", { className: "reading" });
  const show = () => {
    const at = epochs.indexOf(Number(slider.value));
    reading.textContent = `Epoch ${epochs[at]}: ${textAt(at)}`;
    slider.setAttribute("aria-valuetext", reading.textContent);
    for (const { place } of charts) place(at);
  };
  const axis = { width: WIDTH, ends: [LEFT, xOf(max, max)], numbers: epochs };
  const follow = (event) => {
    slider.value = numberUnder(event, event.currentTarget.getBoundingClientRect(), axis);
    show();
  };
  slider.addEventListener("input", show);
  for (const { drawing } of charts) {
    for (const kind of ["pointermove", "pointerdown"]) drawing.addEventListener(kind, follow);
  }
  show();
  const drawings = charts.map(({ drawing }) => drawing);
  return [element("div", { className: "charts" }, ...drawings), slider, reading];
}
