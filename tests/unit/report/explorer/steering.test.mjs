// When the place follows the pointer, and when it is held.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as steering from "../../../../report/explorer/steering.mjs";

const MOUSE = { pointerType: "mouse" };
const FINGER = { pointerType: "touch" };

test("a click holds what is free and lets go what is held", () => {
  assert.equal(steering.holdsAfter(MOUSE, false, false), true);
  assert.equal(steering.holdsAfter(MOUSE, false, true), false);
});

test("after a drag and after a tap the place is held", () => {
  for (const isHeld of [false, true]) {
    assert.equal(steering.holdsAfter(MOUSE, true, isHeld), true);
    assert.equal(steering.holdsAfter(FINGER, false, isHeld), true);
  }
});

test("the place follows a free pointer, and any that is dragged", () => {
  assert.equal(steering.follows(MOUSE, false, false), true);
  assert.equal(steering.follows(MOUSE, false, true), false);
  assert.equal(steering.follows(FINGER, false, false), false);
  for (const pointer of [MOUSE, FINGER]) assert.equal(steering.follows(pointer, true, true), true);
});

test("a pointer that is told of again without having moved is still", () => {
  const seen = { clientX: 3, clientY: 4 };
  assert.equal(steering.isAt(seen, null), false);
  assert.equal(steering.isAt({ ...seen }, seen), true);
  assert.equal(steering.isAt({ clientX: 3, clientY: 5 }, seen), false);
});
