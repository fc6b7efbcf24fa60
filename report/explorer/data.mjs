// What the page shows: the data of the experiment, and which view of it (see state.mjs).

import { percent } from "./text.mjs";

export const shown = { data: null, state: null, probe: null };

export function className(label) {
  return shown.data.classes[label];
}

/** The probed network of a name, as in normalised/epoch-13. */
export function probeNamed(network) {
  return shown.data.probes.find(({ run, checkpoint }) => `${run}/${checkpoint}` === network);
}

/** How many units a probability of 1 has. */
export function fullUnits() {
  return 10 ** shown.data.digits;
}

/** A probability in units, in per cent. */
export function unitsText(units) {
  return percent(units / fullUnits(), shown.data.digits - 2);
}

/** Whether the view differs from the one before in any of these; it does from none. */
export function differs(before, ...names) {
  return before === null || names.some((name) => before[name] !== shown.state[name]);
}
