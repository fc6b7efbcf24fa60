// Texts that convprobe.report.packing wrote are read again.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as packing from "../../../../report/explorer/packing.mjs";

test("an object is read with any letters in it", async () => {
  const packed = "eNqrVkrOSSwuVrJSOrdJqRYAJjoFUQ==";
  assert.deepEqual(await packing.inflatedObject(packed), { class: "β" });
});

test("numbers are read in order, the lower byte first", async () => {
  const packed = "eNpjYGBkYGAUUOdX//8fAATuAm4=";
  const numbers = await packing.inflatedNumbers(packed);
  assert.deepEqual([...numbers], [0, 1, 256, 10000, 9999, 65535]);
});

test("a plane is cut out without a copy", () => {
  const values = Uint16Array.from({ length: 12 }, (_, place) => place);
  const middle = packing.plane(values, 1, 4);
  assert.deepEqual([...middle], [4, 5, 6, 7]);
  assert.equal(middle.buffer, values.buffer);
});

test("bits are counted from the highest of each byte", () => {
  const bytes = packing.bytesOf("kPA="); // 1001 0000 1111 0000
  const bits = Array.from({ length: 16 }, (_, place) => packing.hasBit(bytes, place));
  assert.deepEqual(bits.map(Number), [1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
});
