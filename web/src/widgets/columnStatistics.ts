import type { TableValue } from "~/widgets/DataTable";

const BINS = 16;
const TOP = 3;

export interface ColumnFacts {
  name: string;
  kind: "number" | "text" | "empty";
  count: number;
  missing: number;
  distinct: number;
  least?: number;
  greatest?: number;
  mean?: number;
  deviation?: number;
  /** How many values fall into each of equal steps from the least to the greatest. */
  bins?: number[];
  /** The most frequent texts. */
  top?: [string, number][];
}

/** What each column of a table holds. A column with any text that is not a number is text. */
export function columnFacts(columns: readonly string[], rows: readonly (readonly TableValue[])[]): ColumnFacts[] {
  return columns.map((name, c) => {
    const values = rows.map((row) => row[c] ?? null).filter((value) => value !== null && value !== "");
    const base = { name, count: values.length, missing: rows.length - values.length, distinct: new Set(values).size };
    if (values.length === 0) return { ...base, kind: "empty" };
    if (values.every((value) => typeof value === "number")) return { ...base, ...numberFacts(values as number[]) };
    const often = new Map<string, number>();
    for (const value of values) often.set(String(value), (often.get(String(value)) ?? 0) + 1);
    return {
      ...base,
      kind: "text",
      top: [...often].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, TOP),
    };
  });
}

function numberFacts(values: readonly number[]): Omit<ColumnFacts, "name" | "count" | "missing" | "distinct"> {
  let [least, greatest, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
    sum += value;
  }
  const mean = sum / values.length;
  const bins = new Array<number>(BINS).fill(0);
  let squares = 0;
  for (const value of values) {
    squares += (value - mean) ** 2;
    const place = greatest > least ? Math.min(BINS - 1, Math.floor(((value - least) / (greatest - least)) * BINS)) : 0;
    bins[place] = (bins[place] as number) + 1;
  }
  return { kind: "number", least, greatest, mean, deviation: Math.sqrt(squares / values.length), bins };
}

/** Cells as numbers where the text is one, and as nothing where there is none. */
export function typedRows(rows: readonly (readonly string[])[]): TableValue[][] {
  return rows.map((row) =>
    row.map((cell) => (cell.trim() === "" ? null : Number.isFinite(Number(cell)) ? Number(cell) : cell)),
  );
}

/** Lines of JSON objects as a table: every name that occurs is a column. Null when the text is none. */
export function parseJsonLines(text: string): { columns: string[]; rows: TableValue[][] } | null {
  const items: Record<string, unknown>[] = [];
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    let item: unknown;
    try {
      item = JSON.parse(line);
    } catch {
      return null;
    }
    if (typeof item !== "object" || item === null || Array.isArray(item)) return null;
    items.push(item as Record<string, unknown>);
  }
  const columns = [...new Set(items.flatMap((item) => Object.keys(item)))];
  return items.length ? { columns, rows: items.map((item) => columns.map((name) => plain(item[name]))) } : null;
}

function plain(value: unknown): TableValue {
  if (value === undefined || value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : (value as TableValue);
}
