import { useQueries, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { useLive } from "~/api/live";
import { RpcError } from "~/api/rpc";
import type { GridRow } from "~/widgets/Grid";

export const BLOCK = 200;
// What changes within this time is one question.
const SOON = 600;
const AGAIN = 5_000;

export interface GridPage<R> {
  rows: R[];
  total: number;
}

export interface GridSource<R extends GridRow> {
  /** Equal keys hold equal rows; must be the same object until something changes. */
  key: readonly unknown[];
  page: (block: number, signal: AbortSignal) => Promise<GridPage<R>>;
  /** The newest state of these rows. */
  some: (ids: string[]) => Promise<R[]>;
  /** Which of these rows the list holds, loaded or not. */
  belonging: (ids: string[]) => Promise<string[]>;
  /** How many rows the list holds now. */
  count: () => Promise<number>;
  /** True when the order is by something that changes while runs report: their rows may move. */
  moving: boolean;
  /** What announces changes, by ids. */
  topic: string;
}

const STANDING = /^-?(created|name)$/;

/** Whether rows in this order may move without one being added. */
export const isMoving = (order: string | readonly string[]): boolean => !STANDING.test([order].flat()[0] ?? "created");

export interface GridRows<R extends GridRow> {
  total: number;
  /** Row at a place, or undefined while its block is on the way. */
  at: (place: number) => R | undefined;
  loaded: () => R[];
  /** The rows from one place to another, also those that nobody has looked at yet. */
  span: (from: number, to: number) => Promise<R[]>;
  pending: boolean;
  fetching: boolean;
  error: unknown;
  retry: () => void;
  /** Rows that arrived or moved while the order was frozen. */
  waiting: number;
  applyWaiting: () => void;
  /** Ids whose cells changed just now. */
  touched: ReadonlyMap<string, number>;
}

/** Rows of a table by blocks of 200, patched in place as they change. */
export function useGridRows<R extends GridRow>(
  source: GridSource<R>,
  range: readonly [number, number],
  frozen: () => boolean,
): GridRows<R> {
  const { key } = source;
  const client = useQueryClient();
  const blocks: number[] = [];
  for (let b = Math.floor(range[0] / BLOCK); b <= Math.floor(Math.max(range[0], range[1] - 1) / BLOCK); b += 1)
    blocks.push(b);
  if (!blocks.includes(0)) blocks.unshift(0);
  const queryOf = (block: number) => ({
    queryKey: [...key, block],
    queryFn: ({ signal }: { signal: AbortSignal }) => source.page(block, signal),
    staleTime: 30_000,
  });
  const results = useQueries({ queries: blocks.map(queryOf) });
  const first = results[blocks.indexOf(0)];
  // Other columns or another order: the old rows stay until the new ones are here, so that a key always finds a row.
  // (A set of queries makes new observers for new keys, which know nothing of the data before.)
  const kept = useRef(new Map<number, GridPage<R>>());
  const settled = first?.data !== undefined;
  const shown = new Map(
    blocks.map((block, i) => [block, results[i]?.data ?? (settled ? undefined : kept.current.get(block))]),
  );
  if (settled)
    kept.current = new Map([...shown].filter((entry): entry is [number, GridPage<R>] => entry[1] !== undefined));
  const head = shown.get(0);

  const [patches, setPatches] = useState<ReadonlyMap<string, R>>(new Map());
  const [touched, setTouched] = useState<ReadonlyMap<string, number>>(new Map());
  const [waiting, setWaiting] = useState(0);
  const moved = useRef(new Set<string>());
  const pending = useRef<{ keys: Set<string>; timer: ReturnType<typeof setTimeout> | null }>({
    keys: new Set(),
    timer: null,
  });

  const known = useRef(new Set<string>());
  known.current = new Set([...shown.values()].flatMap((block) => (block?.rows ?? []).map((row) => row.id)));
  const latest = useRef({ source, total: 0 });
  latest.current = { source, total: head?.total ?? 0 };

  const applyWaiting = useCallback(() => {
    setWaiting(0);
    moved.current.clear();
    setPatches(new Map());
    void client.invalidateQueries({ queryKey: key });
  }, [client, key]);

  const flush = useCallback(async () => {
    const ids = [...pending.current.keys];
    pending.current = { keys: new Set(), timer: null };
    const here = ids.filter((id) => known.current.has(id));
    const other = ids.filter((id) => !known.current.has(id));
    const { source: list, total } = latest.current;
    // What changed elsewhere (another filter, another page of the list) must cost no more than this question.
    const [rows, belonging] = await Promise.all([here.length ? list.some(here) : [], list.belonging(ids)]);
    if (latest.current.source !== list) return;
    if (here.length) {
      const now = Date.now();
      setPatches((old) => new Map([...old, ...rows.map((row) => [row.id, row] as const)]));
      setTouched(new Map(rows.map((row) => [row.id, now])));
    }
    const inside = new Set(belonging);
    const come = other.filter((id) => inside.has(id));
    const left = here.some((id) => !inside.has(id));
    if (come.length === 0 && !left) return;
    let news = 0;
    if (list.moving) {
      for (const id of come) moved.current.add(id);
      news = moved.current.size;
    } else if (come.length) {
      // A run that is in the list already, further down than was loaded, is nothing new.
      news = Math.max(0, (await list.count()) - total);
      if (latest.current.source !== list) return;
    }
    if (frozen()) {
      if (come.length) setWaiting(news);
    } else if (news > 0 || left) applyWaiting();
  }, [applyWaiting, frozen]);

  /** Asks for what has changed. Where no answer comes, the rows would stay as they were: it is asked again. */
  const ask = (wait: number) => {
    pending.current.timer ??= setTimeout(() => {
      const ids = [...pending.current.keys];
      flush().catch((error: unknown) => {
        if (gone.current || (error instanceof RpcError && error.code >= 400 && error.code < 500)) return;
        for (const id of ids) pending.current.keys.add(id);
        ask(AGAIN);
      });
    }, wait);
  };
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      clearTimeout(pending.current.timer ?? undefined);
      pending.current.timer = null;
    };
  }, []);

  useLive(source.topic, (change) => {
    if (change.kind === "resync") {
      applyWaiting();
      return;
    }
    for (const id of change.keys) pending.current.keys.add(id);
    ask(SOON);
  });

  return {
    total: head?.total ?? 0,
    at: (place) => {
      const row = shown.get(Math.floor(place / BLOCK))?.rows[place % BLOCK];
      return row ? (patches.get(row.id) ?? row) : undefined;
    },
    loaded: () => [...shown.values()].flatMap((block) => (block?.rows ?? []).map((row) => patches.get(row.id) ?? row)),
    span: async (from, to) => {
      const found: R[] = [];
      for (let block = Math.floor(from / BLOCK); block <= Math.floor(to / BLOCK); block += 1) {
        const page = await client.fetchQuery(queryOf(block));
        found.push(...page.rows.slice(Math.max(0, from - block * BLOCK), to + 1 - block * BLOCK));
      }
      return found.map((row) => patches.get(row.id) ?? row);
    },
    pending: head === undefined,
    fetching: results.some((result) => result.isFetching),
    error: results.find((result) => result.isError)?.error ?? null,
    retry: () => void client.invalidateQueries({ queryKey: key }),
    waiting,
    applyWaiting,
    touched,
  };
}
