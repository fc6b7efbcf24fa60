// Unpacks the data and shows the page.

import { prepareAblation, showAblation } from "./ablation.mjs";
import { byId, option, showLinks } from "./elements.mjs";
import { showExperiment } from "./experiment.mjs";
import { prepareFilters, showFilters } from "./filters.mjs";
import { prepareOcclusion, showOcclusion } from "./occlusion.mjs";
import { inflatedObject } from "./packing.mjs";
import { loadedPicture } from "./pictures.mjs";
import { shown } from "./state.mjs";
import { prepareTabs, removeTab } from "./tabs.mjs";

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
    for (const layer of filters?.layers ?? []) await loadSprite(layer.sprite);
  }
  return data;
}

/** Whether the network has layers whose filters have maps: else it is only occluded. */
function hasFilters() {
  return shown.data.probes[0].filters !== null;
}

function showProbe(place) {
  shown.probe = shown.data.probes[place];
  byId("warning").textContent = shown.probe.warning;
  byId("warning").hidden = !shown.probe.warning;
  showOcclusion();
  if (hasFilters()) {
    showFilters();
    showAblation();
  }
  for (const [id, names] of Object.entries(shown.data.links)) showLinks(`${id}-files`, names);
}

function prepareProbes() {
  const options = shown.data.probes.map(({ run, checkpoint }, place) => {
    return option(place, `${run}, ${checkpoint}`);
  });
  const select = byId("probe");
  select.replaceChildren(...options);
  select.addEventListener("change", () => showProbe(Number(select.value)));
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
  showExperiment();
  showProbe(0);
  byId("unpacking").remove();
  for (const id of ["tabs", "panels"]) byId(id).hidden = false;
  prepareTabs();
  document.body.dataset.ready = "true";
}

start();
