// Unpacks the data and shows the page.

import { prepareAblation, showAblation } from "./ablation.mjs";
import { withBeside } from "./comparison.mjs";
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
  const { thumbnails, labels } = data;
  const sprites = [];
  if (thumbnails) {
    data.labelOf = new Map(labels.image.map((image, at) => [image, labels.label[at]]));
    thumbnails.cells = new Map(thumbnails.indices.map((image, cell) => [image, cell]));
    sprites.push(thumbnails);
  }
  for (const { occlusion, filters } of data.probes) {
    sprites.push(occlusion.sprite);
    for (const { sprite, kernels } of filters?.layers ?? []) {
      sprites.push(sprite);
      if (kernels) sprites.push(kernels.sprite);
    }
  }
  await Promise.all(sprites.map(loadSprite));
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

const drawnIn = {}; // by tab the view that it was last drawn in

/** Draw what differs from when the tab was last seen, or all: the other tabs can wait. */
function drawTab(tab) {
  const before = drawnIn[tab] ?? null;
  drawnIn[tab] = shown.state;
  switch (tab) {
    case "occlusion":
      showOcclusion(before);
      break;
    case "filters":
      showFilters(before);
      break;
    case "ablation":
      showAblation(before);
      break;
    default:
      showExperiment(before);
  }
}

/** Draw what differs from the view before, or all. */
function draw(before) {
  if (differs(before, "network")) showProbe();
  showTab(shown.state.tab);
  drawTab(shown.state.tab);
}

function prepareProbes() {
  const options = shown.data.probes.map(({ run, checkpoint }) => {
    return option(`${run}/${checkpoint}`, `${run}, ${checkpoint}`);
  });
  const select = byId("probe");
  select.replaceChildren(...options);
  select.addEventListener("change", () => change(withBeside({ network: select.value })));
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
  byId("unpacking").remove();
  for (const id of ["tabs", "panels"]) byId(id).hidden = false;
  startNavigation(holdingsOf(shown.data, tabNames()), draw);
  document.body.dataset.ready = "true";
}

start();
