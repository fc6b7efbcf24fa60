// Addresses of views: what they say, and what is shown where the page doesn't have it.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as views from "../../../../report/explorer/state.mjs";

function networkNamed(name, images = [0, 1, 7, 12]) {
  const [run, checkpoint] = name.split("/");
  return {
    name,
    run,
    checkpoint,
    images,
    windows: [3, 5, 9],
    rows: [1, 4, 7],
    columns: [1, 4, 7, 10],
    layers: [
      { name: "conv1", channels: 4 },
      { name: "layer-2.0.conv1", channels: 8 },
    ],
    lowest: (image, window) => (image === 7 && window === 9 ? [4, 10] : [7, 1]),
  };
}

const HOLDINGS = {
  tabs: ["occlusion", "filters", "ablation", "experiment"],
  classes: ["cat", "sea/ship, blue"],
  networks: [
    networkNamed("normalised/epoch-13"),
    networkNamed("normalised/epoch-02"),
    networkNamed("raw-seed-1/epoch-02", [0, 1, 7]),
    networkNamed("window-3/epoch-01"),
  ],
};

function parsed(text) {
  return views.parse(text, HOLDINGS);
}

test("without an address the page shows its own choice", () => {
  const { state, missing } = parsed("");
  assert.deepEqual(missing, []);
  assert.equal(state.tab, "occlusion");
  assert.equal(state.network, "normalised/epoch-13");
  assert.deepEqual([state.image, state.window, state.row, state.column], [0, 9, 7, 1]);
  assert.equal(views.address(state), "occlusion/normalised/epoch-13/image-0/window-9/7,1");
});

test("an address names the whole view, and the same view comes from it", () => {
  const addresses = [
    "occlusion/raw-seed-1/epoch-02/image-7/window-5/4,10",
    "filters/normalised/epoch-02/image-1/window-3/1,7/filter-conv1-3",
    "filters/normalised/epoch-02/image-1/window-3/1,7/filter-layer-2.0.conv1-7",
    "filters/normalised/epoch-02/image-1/window-3/1,7/top-cat",
    "occlusion/normalised/epoch-13/image-0/window-9/7,1/with/raw-seed-1/epoch-02/window-3/held",
    "occlusion/normalised/epoch-13/image-0/window-9/7,1/sort-flips/overlay/stretch",
    "occlusion/normalised/epoch-13/image-0/window-9/7,1/sort-object/list-cat/right/bare",
    "ablation/window-3/epoch-01/image-0/window-9/7,1/show-clean/class-sea%2Fship,%20blue/changed",
    "ablation/window-3/epoch-01/image-0/window-9/7,1/clean-cat/ablated-cat",
  ];
  for (const text of addresses) {
    const { state, missing } = parsed(`#${text}`);
    assert.deepEqual(missing, []);
    assert.equal(views.address(state), text);
    assert.deepEqual(parsed(views.address(state)).state, state);
  }
});

test("parts of an address are enough, in any order", () => {
  assert.equal(parsed("#ablation").state.tab, "ablation");
  const { state, missing } = parsed("#occlusion/window-5/image-12");
  assert.deepEqual(missing, []);
  assert.deepEqual([state.network, state.image, state.window], ["normalised/epoch-13", 12, 5]);
  const beside = parsed("#occlusion/with/window-5/image-12").state;
  assert.deepEqual(beside.beside, { network: "normalised/epoch-13", window: 5 });
  assert.equal(beside.image, 12);
  const same = parsed("#occlusion/window-5/with/raw-seed-1/epoch-02").state;
  assert.deepEqual(same.beside, { network: "raw-seed-1/epoch-02", window: 5 });
});

test("a run may have the name of another part of the address", () => {
  assert.equal(parsed("#occlusion/window-3/epoch-01/window-5").state.network, "window-3/epoch-01");
});

test("the window stands where the true class is least likely if no place is named", () => {
  const { row, column } = parsed("#occlusion/normalised/epoch-13/image-7/window-9").state;
  assert.deepEqual([row, column], [4, 10]);
});

test("what the page doesn't have is replaced by what is nearest, and named", () => {
  const shownFor = (text) => {
    const { state, missing } = parsed(text);
    return [views.address(state), missing];
  };
  const start = "occlusion/normalised/epoch-13";
  const cases = [
    [`${start}/image-9/window-9/4,4`, "image-7/window-9/4,4", ["image 9: image 7 is shown"]],
    [`${start}/image-0/window-6/4,4`, "image-0/window-5/4,4", ["window 6: window 5 is shown"]],
    [
      `${start}/image-0/window-5/9,99`,
      "image-0/window-5/7,10",
      ["place 9,99: place 7,10 is shown"],
    ],
    [
      `${start}/image-0/4,4/-7,4/window-5`,
      "image-0/window-5/1,4",
      ["place -7,4: place 1,4 is shown"],
    ],
    [`${start}/image-cat/window-5/4,4`, "image-0/window-5/4,4", ["image NaN: image 0 is shown"]],
    [
      `${start}/4,4/filter-conv1-9`,
      "image-0/window-9/4,4/filter-conv1-3",
      ["filter conv1/9: filter conv1/3 is shown"],
    ],
    [`${start}/4,4/filter-conv7-9`, "image-0/window-9/4,4", ["filter conv7/9: none is shown"]],
    [`${start}/4,4/sort-size`, "image-0/window-9/4,4", ["order size: order index is shown"]],
    [`${start}/4,4/class-dog`, "image-0/window-9/4,4", ["class dog: none is shown"]],
    [`${start}/4,4/%E0%A4%A`, "image-0/window-9/4,4", ["“%E0%A4%A”: it is left out"]],
  ];
  for (const [text, rest, missing] of cases) {
    assert.deepEqual(shownFor(text), [`${start}/${rest}`, missing]);
  }
  assert.deepEqual(parsed("#nothing/image-7").missing, ["tab nothing: tab occlusion is shown"]);
});

test("of a run the nearest epoch is shown, of an unknown run the same epoch", () => {
  const networkFor = (name) => parsed(`#occlusion/${name}`).state.network;
  assert.equal(networkFor("normalised/epoch-09"), "normalised/epoch-13");
  assert.equal(networkFor("normalised/epoch-04"), "normalised/epoch-02");
  assert.equal(networkFor("other/epoch-01"), "window-3/epoch-01");
  assert.equal(networkFor("other/epoch-99"), "normalised/epoch-13");
  assert.deepEqual(parsed("#occlusion/normalised/epoch-04").missing, [
    "network normalised/epoch-04: network normalised/epoch-02 is shown",
  ]);
});

test("another network keeps image, window and place where it has them", () => {
  const { state } = parsed("#occlusion/normalised/epoch-13/image-7/window-5/4,10/filter-conv1-2");
  const network = "raw-seed-1/epoch-02";
  const other = views.settled({ ...state, network }, HOLDINGS);
  assert.deepEqual(other, { state: { ...state, network }, missing: [] });
  const lacking = views.settled({ ...state, image: 12, network }, HOLDINGS);
  assert.deepEqual(lacking.missing, ["image 12: image 7 is shown"]);
});

test("a network without filters has none in its view", () => {
  const networks = [{ ...networkNamed("normalised/epoch-13"), layers: [] }];
  const { state, missing } = views.parse("#occlusion/filter-conv1-2", { ...HOLDINGS, networks });
  assert.equal(state.filter, null);
  assert.deepEqual(missing, ["filter conv1/2: none is shown"]);
});

test("the page's data say what it holds", () => {
  const occlusion = {
    indices: [3, 8],
    windows: [
      { window: 3, lowest: [0, 1] },
      { window: 5, lowest: [5, 4] },
    ],
    centres: { row: [1, 4], column: [1, 4, 7] },
  };
  const probes = [{ run: "raw", checkpoint: "epoch-01", occlusion, filters: null }];
  const { networks } = views.holdingsOf({ probes, classes: ["cat"] }, ["occlusion"]);
  const [{ lowest, ...network }] = networks;
  assert.deepEqual(network, {
    name: "raw/epoch-01",
    run: "raw",
    checkpoint: "epoch-01",
    images: [3, 8],
    windows: [3, 5],
    rows: [1, 4],
    columns: [1, 4, 7],
    layers: [],
  });
  assert.deepEqual(lowest(3, 5), [4, 7]);
  assert.deepEqual(lowest(8, 3), [1, 4]);
});
