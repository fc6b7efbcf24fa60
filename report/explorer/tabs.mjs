// The tabs: one panel is seen at a time.

import { byId } from "./elements.mjs";
import { change } from "./navigation.mjs";

function allTabs() {
  return [...document.querySelectorAll('[role="tab"]')];
}

function nameOf(tab) {
  return tab.getAttribute("aria-controls");
}

export function tabNames() {
  return allTabs().map(nameOf);
}

export function showTab(name) {
  for (const tab of allTabs()) {
    const isChosen = nameOf(tab) === name;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    byId(nameOf(tab)).hidden = !isChosen;
  }
}

/** The tab that a key leads to, or undefined. */
function tabOfKey(key, tabs, place) {
  const places = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 };
  const wanted = places[key];
  return wanted === undefined ? undefined : tabs.at(wanted % tabs.length);
}

/** Take away a tab with its panel. */
export function removeTab(name) {
  byId(`tab-${name}`).remove();
  byId(name).remove();
}

export function prepareTabs() {
  const tabs = allTabs();
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => change({ tab: nameOf(tab) }));
    tab.addEventListener("keydown", (event) => {
      const next = tabOfKey(event.key, tabs, place);
      if (next === undefined) return;
      event.preventDefault();
      change({ tab: nameOf(next) });
      next.focus();
    });
  }
}
