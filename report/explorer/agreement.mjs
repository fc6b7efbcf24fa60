// How far the maps of two networks agree, where that was computed.

import { decimal } from "./text.mjs";

/**
 * What the agreement of two sides is, in words; empty where it wasn't computed.
 *
 * @param entries of two networks and a window each, see `occlusion_tab.agreement`.
 * @param sides two, each with `run`, `checkpoint` and `window`.
 * @param image its number, and the `name` of its class.
 */
export function agreementText(entries, sides, image, name) {
  const [one, other] = sides.map(({ run, checkpoint }) => `${run}/${checkpoint}`);
  const entry = entries.find(({ first, second, window }) => {
    const isPair = (first === one && second === other) || (first === other && second === one);
    return isPair && sides.every((side) => side.window === window);
  });
  if (entry === undefined) return "";
  const hasClass = Object.hasOwn(entry.of_class, name); // a class may be called constructor
  const all = hasClass ? `${entry.text} ${entry.of_class[name]}` : entry.text;
  const at = entry.image.indexOf(image);
  if (at < 0) return all;
  const [own, others] = [entry.own[at], entry.others[at]].map(decimal);
  return (
    `These two maps have a rank correlation (Spearman) of ${own}; the map by ${entry.first} and ` +
    `those of other images by ${entry.second} of ${others}, on average. ${all}`
  );
}
