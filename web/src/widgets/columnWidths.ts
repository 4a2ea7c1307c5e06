import { useState } from "react";

type Widths = Readonly<Record<string, number>>;

function remembered(key: string): Widths {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    if (typeof kept !== "object" || kept === null || Array.isArray(kept)) return {};
    return Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, number] => Number.isFinite(entry[1])));
  } catch {
    return {};
  }
}

/** Widths that a person gave to the columns of a kind of table; they hold in this browser, for every project. */
export function useColumnWidths(table: string): [Widths, (id: string, width: number) => void] {
  const key = `trialbook.widths.${table}`;
  const [widths, setWidths] = useState(() => remembered(key));
  const set = (id: string, width: number) => {
    setWidths((old) => ({ ...old, [id]: width }));
    // What another window has set since then stays.
    localStorage.setItem(key, JSON.stringify({ ...remembered(key), [id]: width }));
  };
  return [widths, set];
}
