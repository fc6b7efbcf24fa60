// How far the maps of two networks agree, where that was computed.

import { decimal } from "./text.mjs";

/**
 * What the agreement of two sides is, in words; empty where it wasn't computed.
 *
 * @param entries of two networks and a window each, see `tab_data.agreement`.
 * @param sides two, each with `run`, `checkpoint` and `window`.
 */
export function agreementText(entries, sides, image) {
  const [one, other] = sides.map(({ run, checkpoint }) => `${run}/${checkpoint}`);
  const entry = entries.find(({ first, second, window }) => {
    const isPair = (first === one && second === other) || (first === other && second === one);
    return isPair && sides.every((side) => side.window === window);
  });
  if (entry === undefined) return "";
  const at = entry.image.indexOf(image);
  if (at < 0) return entry.text;
  const [own, others] = [entry.own[at], entry.others[at]].map(decimal);
  return (
    `Rank correlation of these two maps (Spearman): ${own}; of that by ${entry.first} with those ` +
    `of other images by ${entry.second}, on average: ${others}. ${entry.text}`
  );
}
