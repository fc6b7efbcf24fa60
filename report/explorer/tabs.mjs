// The tabs: one panel is seen at a time, and the address says which.

import { byId } from "./elements.mjs";

function allTabs() {
  return [...document.querySelectorAll('[role="tab"]')];
}

function showTab(tab) {
  for (const other of allTabs()) {
    const isChosen = other === tab;
    other.setAttribute("aria-selected", String(isChosen));
    other.tabIndex = isChosen ? 0 : -1;
    byId(other.getAttribute("aria-controls")).hidden = !isChosen;
  }
  history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
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
    tab.addEventListener("click", () => showTab(tab));
    tab.addEventListener("keydown", (event) => {
      const next = tabOfKey(event.key, tabs, place);
      if (next === undefined) return;
      showTab(next);
      next.focus();
    });
  }
  showTab(byId(`tab-${location.hash.slice(1)}`) ?? tabs[0]);
}
