import { useState } from "react";

import { useKeptWidths } from "~/state/columnChoice";
import { readStored, writeStored } from "~/state/stored";

type Widths = Readonly<Record<string, number>>;

const EVEN: Widths = {};

function remembered(key: string): Widths {
  const kept = readStored(key);
  if (typeof kept !== "object" || kept === null || Array.isArray(kept)) return {};
  return Object.fromEntries(
    Object.entries(kept).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

/**
 * Widths that a person gave to the columns of a table. The server keeps them with the choice of columns, for each
 * project; where it has none, those hold that this browser saw last in a table of the same kind.
 *
 * @param table kind of the table.
 * @param place of the choice of columns; none: in this browser alone.
 */
export function useColumnWidths(
  table: string,
  place = "",
): [Widths, (id: string, width: number, done?: boolean) => void] {
  const key = `trialbook.widths.${table}`;
  const [here] = useState(() => remembered(key));
  const [kept, keep] = useKeptWidths(place);
  // While somebody pulls at a column, and after it.
  const [pulled, setPulled] = useState<{ place: string; widths: Widths }>({ place, widths: EVEN });
  const mine = pulled.place === place ? pulled.widths : EVEN;
  const set = (id: string, width: number, done = false) => {
    setPulled((old) => ({ place, widths: { ...(old.place === place ? old.widths : EVEN), [id]: width } }));
    // What another window has set since then stays.
    writeStored(key, { ...remembered(key), [id]: width });
    if (done && place) keep({ ...kept, ...mine, [id]: width });
  };
  return [{ ...here, ...kept, ...mine }, set];
}
