import "~/widgets/datatable.css";

import { useMemo, useRef, useState } from "react";

import { csv, saveFile } from "~/state/download";
import { formatShort } from "~/state/format";
import { Icon } from "~/theme/icons";
import { rowsNear, useViewport } from "~/widgets/scroll";

export type TableValue = string | number | boolean | null;

interface Props {
  name: string;
  columns: readonly string[];
  rows: readonly (readonly TableValue[])[];
  height?: number;
}

const ROW = 24;

function compare(a: TableValue | undefined, b: TableValue | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true });
}

/** A table of values with sorting and CSV; only the rows on the screen are in the page. */
export function DataTable({ name, columns, rows, height = 320 }: Props) {
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const view = useViewport(box);
  const ordered = useMemo(() => {
    if (!sort) return rows;
    const sign = sort.down ? -1 : 1;
    return [...rows].sort((a, b) => sign * compare(a[sort.column], b[sort.column]));
  }, [rows, sort]);
  const numeric = columns.map(
    (_, c) => rows.length > 0 && rows.slice(0, 50).every((row) => row[c] === null || typeof row[c] === "number"),
  );
  const [first, last] = rowsNear(view, { total: ordered.length, height: ROW, spare: 10, unmeasured: height });
  const click = (column: number) =>
    setSort((old) => (old?.column !== column ? { column, down: false } : old.down ? null : { column, down: true }));
  return (
    <div className="data-table">
      <div className="data-table-bar">
        <span className="caption num">
          {rows.length} × {columns.length}
        </span>
        <button
          type="button"
          className="icon-button"
          title="Download CSV"
          aria-label="Download CSV"
          onClick={() => saveFile(`${name}.csv`, csv([columns, ...ordered]), "text/csv")}
        >
          <Icon name="download" size={14} />
        </button>
      </div>
      <div className="data-table-box" ref={box} style={{ maxHeight: height }}>
        <table>
          <thead>
            <tr>
              {columns.map((column, i) => (
                <th
                  key={`${column}${i.toString()}`}
                  className={numeric[i] ? "right" : undefined}
                  aria-sort={sort?.column === i ? (sort.down ? "descending" : "ascending") : "none"}
                >
                  <button type="button" onClick={() => click(i)}>
                    {column}
                    {sort?.column === i ? (sort.down ? " ↓" : " ↑") : ""}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {first > 0 && <tr style={{ height: first * ROW }} />}
            {ordered.slice(first, last).map((row, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place.
              <tr key={first + i} style={{ height: ROW }}>
                {row.map((value, c) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its column.
                  <td key={c} className={numeric[c] ? "right" : undefined} title={String(value ?? "")}>
                    {typeof value === "number" ? formatShort(value) : String(value ?? "–")}
                  </td>
                ))}
              </tr>
            ))}
            {last < ordered.length && <tr style={{ height: (ordered.length - last) * ROW }} />}
          </tbody>
        </table>
      </div>
    </div>
  );
}
