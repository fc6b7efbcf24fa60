// In which order a table has its lines.

const DIRECTIONS = ["ascending", "descending"];

/** The direction after one more click on a column's head. */
export function nextDirection(direction, largestFirst = false) {
  const order = largestFirst ? DIRECTIONS.toReversed() : DIRECTIONS;
  return order[order.indexOf(direction) + 1] ?? "none";
}

function isLacking(value) {
  return value === null || value === undefined || value === "";
}

/** Negative where the first value comes first: numbers by size, then texts, conv2 before conv10. */
function compared(first, second) {
  const [isNumber, isOther] = [first, second].map((value) => typeof value === "number");
  if (isNumber && isOther) return first - second;
  if (isNumber !== isOther) return isNumber ? -1 : 1;
  return first.localeCompare(second, "en", { numeric: true });
}

/**
 * Lines by their values in one column; those without a value are last in both directions, and equal
 * ones keep their order.
 *
 * @param direction `ascending`, `descending` or `none`.
 */
export function sortedLines(lines, valueOf, direction) {
  if (direction === "none") return lines;
  const sign = direction === "ascending" ? 1 : -1;
  return lines.toSorted((first, second) => {
    const values = [valueOf(first), valueOf(second)];
    const [lacks, otherLacks] = values.map(isLacking);
    if (lacks || otherLacks) return lacks - otherLacks;
    return sign * compared(...values);
  });
}
