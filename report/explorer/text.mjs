// Numbers and names as the page writes them.

const NO_BREAK_SPACE = "\u00a0"; // so that no line begins with the sign
const MINUS = "\u2212";
const ORDINALS = new Intl.PluralRules("en", { type: "ordinal" });
const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };

/** A number with so many decimals, rounded as Python does it in sentences and figures: as it is in
 * binary, and of two that are as near to the even one. */
function fixed(value, digits) {
  const size = Math.abs(value);
  const isTie = (size * 2 ** (digits + 1)) % 2 === 1; // of a binary fraction no other one is
  const even = (2 * Math.round((size * 10 ** digits) / 2)) / 10 ** digits;
  return `${value < 0 ? "-" : ""}${(isTie ? even : size).toFixed(digits)}`;
}

export function percent(share, digits = 1) {
  return `${fixed(100 * share, digits)}${NO_BREAK_SPACE}%`;
}

/** A share, rounded to whole per cent; one that would round to none is named all the same. */
export function wholePercent(share) {
  return share <= 0.005 ? `<${NO_BREAK_SPACE}${percent(0.01, 0)}` : percent(share, 0);
}

/** A number with its sign; 0 has none. */
export function signed(number) {
  if (number.startsWith("-")) return number.replace("-", MINUS);
  return Number(number) === 0 ? number : `+${number}`;
}

/** A change of a share, in percentage points. */
export function points(change, digits = 1) {
  return signed(fixed(100 * change, digits));
}

/** A number of images, or by how many there are more or fewer. */
export function countText(count, isChange) {
  if (count === 0) return "·";
  return isChange ? signed(String(count)) : String(count);
}

/** A number with two decimals. */
export function decimal(value) {
  return fixed(value, 2).replace("-", MINUS);
}

/** Three significant digits. */
export function significant(value) {
  return Number(value.toPrecision(3));
}

/** A rank counted from 0, in words. */
export function ordinal(rank) {
  const number = rank + 1;
  return number === 1 ? "highest" : `${number}${ENDINGS[ORDINALS.select(number)]} highest`;
}

export function capitalised(text) {
  return text[0].toUpperCase() + text.slice(1);
}

/** The address of a file beside the page. */
export function addressOf(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The names of files by the folder that they are in; that of files in none is "". */
export function filesByFolder(paths) {
  const folders = new Map(); // an object has names of its own, such as "constructor"
  for (const path of paths) {
    const [, folder = "", name] = /^(?:(.*)\/)?([^/]*)$/.exec(path);
    folders.set(folder, [...(folders.get(folder) ?? []), name]);
  }
  return folders;
}

/** A variant of the ablation: all chosen filters, those of one layer, or a single one. */
export function variantLabel(variant) {
  if (variant === "ablated") return "the chosen filters";
  if (variant.includes("/")) return variant;
  return `the chosen filters of ${variant}`;
}

/** A number of things: "1 job", "2 jobs". */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Seconds in the unit that shows them best. */
export function durationText(seconds) {
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  if (seconds < 90 * 60) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function bytesText(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** How many jobs there were, when, and how long they took, as `manifest.summary` sums them up. */
export function madeText({ rules, first, last, seconds, unrecorded }) {
  const at = rules.columns.indexOf("jobs");
  const jobs = rules.rows.reduce((sum, row) => sum + row[at], 0);
  const missing = `How ${counted(unrecorded, "file")} came about is not recorded.`;
  if (jobs === 0) return missing;
  const days = [...new Set([first, last].map((time) => time.slice(0, 10)))].join(" to ");
  const text = `${counted(jobs, "job")} took ${durationText(seconds)} in all, ${days}.`;
  return unrecorded ? `${text} ${missing}` : text;
}
