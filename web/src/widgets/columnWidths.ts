import { useEffect, useState } from "react";

type Widths = Readonly<Record<string, number>>;

function remembered(key: string): Widths {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as Widths;
  } catch {
    return {};
  }
}

/** Widths that a person gave to the columns of a kind of table; they hold in this browser, for every project. */
export function useColumnWidths(table: string): [Widths, (id: string, width: number) => void] {
  const key = `trialbook.widths.${table}`;
  const [widths, setWidths] = useState(() => remembered(key));
  useEffect(() => {
    if (Object.keys(widths).length > 0) localStorage.setItem(key, JSON.stringify(widths));
  }, [key, widths]);
  return [widths, (id, width) => setWidths((old) => ({ ...old, [id]: width }))];
}
