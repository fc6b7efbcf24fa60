// What the page shows: the data of the experiment, and the network that was chosen.

import { percent } from "./text.mjs";

export const shown = { data: null, probe: null };

export function className(label) {
  return shown.data.classes[label];
}

/** How many units a probability of 1 has. */
export function fullUnits() {
  return 10 ** shown.data.digits;
}

/** A probability in units, in per cent. */
export function unitsText(units) {
  return percent(units / fullUnits(), shown.data.digits - 2);
}
