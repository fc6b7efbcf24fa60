// Elements of the page. Texts only ever become text nodes: a class may have any name.

import { shown } from "./data.mjs";
import { addressOf } from "./text.mjs";

const SVG = "http://www.w3.org/2000/svg";

export function byId(id) {
  return document.getElementById(id);
}

/** An element with properties, among them `style` and `attributes`, and what is in it. */
export function element(name, properties = {}, ...children) {
  const { style, attributes, ...rest } = properties;
  const made = document.createElement(name);
  Object.assign(made, rest);
  Object.assign(made.style, style);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function option(value, label) {
  return element("option", { value, textContent: label });
}

/** Let the reader choose a class, or any: null. */
export function prepareClasses(select, choose) {
  const options = shown.data.classes.map((name) => option(name, name));
  select.replaceChildren(element("option", { textContent: "any" }), ...options);
  select.addEventListener("change", () => {
    choose(select.selectedIndex === 0 ? null : select.value); // a class may be called any
  });
}

/** Let such a choice say which class is shown, or null. */
export function showClass(select, name) {
  select.selectedIndex = shown.data.classes.indexOf(name) + 1;
}

export function link(path, text = path) {
  return element("a", { href: addressOf(path), textContent: text });
}

/** A canvas that is read out as a picture. */
export function canvasOf(label, properties = {}) {
  const attributes = { role: "img", "aria-label": label };
  return element("canvas", { attributes, ...properties });
}

/** A cell of a table; numbers stand on the right. */
export function tableCell(content, isNumber = false) {
  return element("td", { className: isNumber ? "number" : "" }, content);
}

export function rowHeader(content) {
  return element("th", { scope: "row" }, content);
}

export function columnHeader(text) {
  return element("th", { scope: "col", textContent: text });
}

/** Links to files of the network that is shown. */
export function showLinks(id, names) {
  const folder = `${shown.probe.run}/${shown.probe.checkpoint}`;
  const place = byId(id);
  place.replaceChildren("Files: ");
  for (const [position, name] of names.entries()) {
    if (position > 0) place.append(", ");
    place.append(link(`${folder}/${name}`, name));
  }
}

/** Radio buttons for pairs of value and label; none is checked yet. */
export function showRadios(place, name, choices, choose) {
  const labels = choices.map(([value, text]) => {
    const onchange = () => choose(value);
    const button = element("input", { type: "radio", name, value, onchange });
    return element("label", {}, button, ` ${text}`);
  });
  place.replaceChildren(...labels);
}

export function checkRadio(place, value) {
  for (const input of place.querySelectorAll("input")) input.checked = input.value === `${value}`;
}
