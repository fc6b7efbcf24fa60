// Unpacks the data and shows the page.

import { prepareAblation, showAblation } from "./ablation.mjs";
import { differs, shown } from "./data.mjs";
import { byId, option, showLinks } from "./elements.mjs";
import { showExperiment } from "./experiment.mjs";
import { prepareFilters, showFilters } from "./filters.mjs";
import { change, startNavigation } from "./navigation.mjs";
import { prepareOcclusion, showOcclusion } from "./occlusion.mjs";
import { inflatedObject } from "./packing.mjs";
import { loadedPicture } from "./pictures.mjs";
import { holdingsOf } from "./state.mjs";
import { prepareTabs, removeTab, showTab, tabNames } from "./tabs.mjs";

async function loadSprite(sprite) {
  sprite.picture = await loadedPicture(sprite.source);
}

/** The page's data, its pictures loaded. */
async function unpackedData() {
  const data = await inflatedObject(byId("data").textContent);
  const { thumbnails } = data;
  if (thumbnails) {
    thumbnails.cells = new Map(thumbnails.indices.map((image, cell) => [image, cell]));
    await loadSprite(thumbnails);
  }
  for (const { occlusion, filters } of data.probes) {
    await loadSprite(occlusion.sprite);
    for (const { sprite, kernels } of filters?.layers ?? []) {
      await loadSprite(sprite);
      if (kernels) await loadSprite(kernels.sprite);
    }
  }
  return data;
}

/** Whether the network has layers whose filters have maps: else it is only occluded. */
function hasFilters() {
  return shown.data.probes[0].filters !== null;
}

function showProbe() {
  byId("probe").value = shown.state.network;
  byId("warning").textContent = shown.probe.warning;
  byId("warning").hidden = !shown.probe.warning;
  for (const [id, names] of Object.entries(shown.data.links)) showLinks(`${id}-files`, names);
}

/** Draw what differs from the view before, or all. */
function draw(before) {
  if (differs(before, "network")) showProbe();
  showTab(shown.state.tab);
  showOcclusion(before);
  if (hasFilters()) {
    showFilters(before);
    showAblation(before);
  }
}

function prepareProbes() {
  const options = shown.data.probes.map(({ run, checkpoint }) => {
    return option(`${run}/${checkpoint}`, `${run}, ${checkpoint}`);
  });
  const select = byId("probe");
  select.replaceChildren(...options);
  select.addEventListener("change", () => change({ network: select.value }));
}

async function start() {
  shown.data = await unpackedData();
  const { width, height } = shown.data;
  document.body.style.setProperty("--aspect-ratio", `${width} / ${height}`);
  prepareProbes();
  prepareOcclusion();
  if (hasFilters()) {
    prepareFilters();
    prepareAblation();
  } else {
    for (const name of ["filters", "ablation"]) removeTab(name);
  }
  prepareTabs();
  showExperiment();
  byId("unpacking").remove();
  for (const id of ["tabs", "panels"]) byId(id).hidden = false;
  startNavigation(holdingsOf(shown.data, tabNames()), draw);
  document.body.dataset.ready = "true";
}

start();
