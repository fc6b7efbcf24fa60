// Tables that a click on a column's head sorts.

import { element, tableCell } from "./elements.mjs";
import { nextDirection, sortedLines } from "./sorting.mjs";

const sortings = new WeakMap(); // of each table the column that it is sorted by, and its direction

/** The head of a column; one whose `value` of a line is unknown doesn't sort. */
function columnHead({ name, isNumber, value }, sort) {
  const properties = { scope: "col", className: isNumber ? "number" : "" };
  if (!value) return element("th", properties, name);
  const button = element("button", { type: "button", className: "sort", onclick: sort }, name);
  return element("th", properties, button);
}

/** Let the heads say which of them sorts. */
function markHeads(heads, columns, { column, direction }) {
  for (const [at, head] of heads.entries()) {
    if (!columns[at].value) continue;
    head.setAttribute("aria-sort", columns[at].name === column ? direction : "none");
  }
}

/**
 * Fill a table with a row per line. A click on a column's head sorts it: smallest first, largest
 * first, then as it was. What is chosen stays when the table is filled anew.
 *
 * @param columns each with `name`, `isNumber` and, where it sorts, `value(line)`; perhaps
 *   `largestFirst`, if it sorts so at the first click.
 * @param rowOf makes a line's row.
 * @param sorting before any click: `column`, by its name, and `direction`.
 * @param most rows that are made, of the first lines in that order.
 */
export function fillSorted(table, columns, lines, rowOf, { sorting, most = Infinity } = {}) {
  const draw = () => {
    const { column, direction } = sortings.get(table);
    const value = columns.find(({ name }) => name === column)?.value;
    const ordered = value ? sortedLines(lines, value, direction) : lines;
    markHeads(heads, columns, sortings.get(table));
    table.tBodies[0].replaceChildren(...ordered.slice(0, most).map(rowOf));
  };
  const heads = columns.map((column) => {
    return columnHead(column, () => {
      const now = sortings.get(table);
      const before = now.column === column.name ? now.direction : "none";
      const direction = nextDirection(before, column.largestFirst);
      sortings.set(table, { column: column.name, direction });
      draw();
    });
  });
  if (!sortings.has(table)) sortings.set(table, sorting ?? { column: null, direction: "none" });
  table.tHead.replaceChildren(element("tr", {}, ...heads));
  draw();
}

/** Fill a table with rows of values. */
export function fillTable(table, names, rows, format = (value) => value ?? "") {
  const columns = names.map((name, at) => ({
    name: name.replaceAll("_", " "),
    isNumber: rows.some((row) => typeof row[at] === "number"),
    value: (row) => row[at],
  }));
  const rowOf = (row) => {
    const cells = row.map((value, at) => tableCell(format(value, row, at), columns[at].isNumber));
    return element("tr", {}, ...cells);
  };
  fillSorted(table, columns, rows, rowOf);
}
