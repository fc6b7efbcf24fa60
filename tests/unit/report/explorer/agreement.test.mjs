import assert from "node:assert/strict";
import { test } from "node:test";

import { agreementText } from "../../../../report/explorer/agreement.mjs";

const ENTRIES = [
  {
    first: "a/epoch-01",
    second: "b/weights",
    window: 3,
    text: "On average 0.5.",
    of_class: { cat: "Of cats: 0.4." },
    image: [4, 9],
    own: [0.256, -0.5],
    others: [0.1, 0.004],
  },
];

function sides(first, second, windows = [3, 3]) {
  return [first, second].map((name, at) => {
    const [run, checkpoint] = name.split("/");
    return { run, checkpoint, window: windows[at] };
  });
}

test("two sides agree as the image's numbers say, in either order", () => {
  const words =
    "These two maps have a rank correlation (Spearman) of −0.50; the map by a/epoch-01 and those " +
    "of other images by b/weights of 0.00, on average. On average 0.5. Of cats: 0.4.";
  assert.equal(agreementText(ENTRIES, sides("a/epoch-01", "b/weights"), 9, "cat"), words);
  assert.equal(agreementText(ENTRIES, sides("b/weights", "a/epoch-01"), 9, "cat"), words);
});

test("of an image without numbers there is the mean over the others", () => {
  const said = (name) => agreementText(ENTRIES, sides("a/epoch-01", "b/weights"), 5, name);
  assert.equal(said("dog"), "On average 0.5.");
  assert.equal(said("constructor"), "On average 0.5.");
  assert.equal(said("cat"), "On average 0.5. Of cats: 0.4.");
});

test("nothing is said of other networks or windows", () => {
  for (const pair of [
    sides("a/epoch-01", "b/weights", [3, 5]),
    sides("a/epoch-01", "b/weights", [5, 5]),
    sides("a/epoch-01", "a/epoch-01"),
    sides("a/epoch-02", "b/weights"),
  ]) {
    assert.equal(agreementText(ENTRIES, pair, 9), "");
  }
});
