import { type RefObject, useLayoutEffect, useMemo, useRef, useState } from "react";

import { useKept } from "~/state/kept";
import { useKeys } from "~/state/keys";
import { toastError } from "~/state/toasts";
import type { GridRow } from "~/widgets/Grid";
import type { GridRows } from "~/widgets/gridRows";

const HEAD = 32;
const NOTHING: readonly never[] = [];

export interface GridSelection<R extends GridRow> {
  selected: ReadonlyMap<string, R>;
  clear: () => void;
  toggle: (row: R, place: number, range: boolean) => void;
  at: number;
  setAt: (place: number) => void;
}

/** Which rows are selected and where the keyboard stands: `j k x X Enter Esc`. */
export function useGridSelection<R extends GridRow>(
  box: RefObject<HTMLDivElement | null>,
  rows: GridRows<R>,
  rowHeight: number,
  open: (row: R) => void,
): GridSelection<R> {
  const [chosen, setChosen] = useKept<readonly R[]>("selected", NOTHING);
  const selected = useMemo(() => new Map(chosen.map((row) => [row.id, row])), [chosen]);
  const setSelected = (next: ReadonlyMap<string, R>) => setChosen([...next.values()]);
  const [at, setAt] = useKept("at", -1);
  const [anchor, setAnchor] = useState(-1);
  const clear = () => setSelected(new Map());
  const latest = useRef(selected);
  useLayoutEffect(() => {
    latest.current = selected;
  });
  const toggle = (row: R, place: number, range: boolean) => {
    setAnchor(place);
    if (range && anchor >= 0) {
      const [from, to] = [Math.min(anchor, place), Math.max(anchor, place)];
      const add = (more: readonly R[]) =>
        setSelected(new Map([...latest.current, ...more.map((one) => [one.id, one] as const)]));
      const here = Array.from({ length: to - from + 1 }, (_, i) => rows.at(from + i)).filter(
        (one) => one !== undefined,
      );
      add(here);
      // Between two places that were looked at there may be rows that were not.
      if (here.length <= to - from) rows.span(from, to).then(add, toastError);
      return;
    }
    const next = new Map(selected);
    if (!next.delete(row.id)) next.set(row.id, row);
    setSelected(next);
  };
  const moveTo = (place: number) => {
    const next = Math.max(0, Math.min(rows.total - 1, place));
    setAt(next);
    const scroller = box.current;
    if (!scroller) return;
    const top = next * rowHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + rowHeight + HEAD > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top + rowHeight + HEAD - scroller.clientHeight;
    }
  };
  const current = at >= 0 ? rows.at(at) : undefined;
  useKeys({
    j: () => moveTo(at + 1),
    k: () => moveTo(at - 1),
    arrowdown: () => moveTo(at + 1),
    arrowup: () => moveTo(at - 1),
    x: () => current && toggle(current, at, false),
    X: () => current && toggle(current, at, true),
    enter: () => current && open(current),
    escape: clear,
  });
  return { selected, clear, toggle, at, setAt };
}

/** Sort keys after a click on a column's head: down, up, none; with Shift beside the others. */
export function nextSort(
  sort: readonly string[],
  id: string,
  add: boolean,
  initial: readonly string[],
): readonly string[] {
  const bare = (key: string) => key.replace(/^-/, "");
  const old = sort.find((key) => bare(key) === id);
  const key = old === undefined ? `-${id}` : old.startsWith("-") ? id : null;
  const rest = add ? sort.filter((one) => bare(one) !== id && !initial.includes(one)) : [];
  const next = key ? [...rest, key].slice(-3) : rest;
  return next.length ? next : initial;
}
