// Numbers and names as the page writes them.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as text from "../../../../report/explorer/text.mjs";

test("a share is in per cent, and no line begins with the sign", () => {
  assert.equal(text.percent(0.97461), "97.5\u00a0%");
  assert.equal(text.percent(0.9625), "96.2\u00a0%"); // as Python rounds it
  assert.equal(text.percent(1, 0), "100\u00a0%");
  assert.equal(text.percent(0.00034, 2), "0.03\u00a0%");
});

test("a share that would round to none is named all the same", () => {
  assert.equal(text.wholePercent(0.0049), "<\u00a01\u00a0%");
  assert.equal(text.wholePercent(0.005), "<\u00a01\u00a0%");
  assert.equal(text.wholePercent(0.0051), "1\u00a0%");
  assert.equal(text.wholePercent(0.954), "95\u00a0%");
});

test("a change is in points with its sign", () => {
  assert.equal(text.points(-0.161), "\u221216.1");
  // As Python rounds them: the first three lie above or below the tie in binary, the others on it.
  assert.equal(text.points(-0.0065), "\u22120.7");
  assert.equal(text.points(0.0285), "+2.9");
  assert.equal(text.points(-0.0005), "\u22120.1");
  assert.equal(text.points(0.0025), "+0.2");
  assert.equal(text.points(-0.0075), "\u22120.8");
  assert.equal(text.points(0.001), "+0.1");
  assert.equal(text.points(0), "0.0");
});

test("only a change of a count has a sign, and 0 is a dot", () => {
  assert.equal(text.countText(0, true), "·");
  assert.equal(text.countText(0, false), "·");
  assert.equal(text.countText(23, false), "23");
  assert.equal(text.countText(23, true), "+23");
  assert.equal(text.countText(-4, true), "\u22124");
});

test("responses have three significant digits", () => {
  assert.equal(text.significant(37.45686), 37.5);
  assert.equal(text.significant(0.00123456), 0.00123);
});

test("ranks are counted from the highest", () => {
  assert.deepEqual([0, 1, 2, 3, 10, 20].map(text.ordinal), [
    "highest",
    "2nd highest",
    "3rd highest",
    "4th highest",
    "11th highest",
    "21st highest",
  ]);
});

test("a path becomes an address whatever its names hold", () => {
  assert.equal(text.addressOf("run 1/a#b/50 %?.csv"), "run%201/a%23b/50%20%25%3F.csv");
});

test("variants are named by what is switched off", () => {
  assert.equal(text.variantLabel("ablated"), "the chosen filters");
  assert.equal(text.variantLabel("conv2"), "the chosen filters of conv2");
  assert.equal(text.variantLabel("conv2/5"), "conv2/5");
});

test("jobs are told with their time, and files of which no job is known", () => {
  const made = {
    rules: {
      columns: ["rule", "jobs", "seconds"],
      rows: [
        ["train_epoch", 2, 7000],
        ["plot_filters", 1, 200],
      ],
    },
    first: "2026-01-31T23:59:00+00:00",
    last: "2026-02-02T00:00:00+00:00",
    seconds: 7200,
    unrecorded: 1,
  };
  const told = "3 jobs took 2.0 h in all, 2026-01-31 to 2026-02-02.";
  const missing = "How 1 file came about is not recorded.";
  assert.equal(text.madeText(made), `${told} ${missing}`);
  assert.equal(text.madeText({ ...made, unrecorded: 0 }), told);
  const nothing = { rules: { columns: ["rule", "jobs", "seconds"], rows: [] }, unrecorded: 1 };
  assert.equal(text.madeText(nothing), missing);
  assert.equal(text.durationText(89), "89 s");
  assert.equal(text.durationText(91), "2 min");
});

test("files are grouped by their folder, those in none by themselves", () => {
  const paths = ["card.csv", "run/a.csv", "run/epoch-1/b.h5", "run/c.csv", "manifest.json"];
  assert.deepEqual(
    [...text.filesByFolder([...paths, "constructor/d.csv"])],
    [
      ["", ["card.csv", "manifest.json"]],
      ["run", ["a.csv", "c.csv"]],
      ["run/epoch-1", ["b.h5"]],
      ["constructor", ["d.csv"]],
    ],
  );
});
