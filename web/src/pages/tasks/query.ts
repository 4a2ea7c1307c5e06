import { useQueries, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";

import { useLive } from "~/api/live";
import { call, type Reply } from "~/api/rpc";
import type { GetAllTasks } from "~/api/types.gen";
import { BASE_FIELDS, type Column, type Row } from "~/pages/tasks/columns";
import * as codec from "~/state/codec";

export const BLOCK = 200;

export const VIEW = {
  q: codec.text(),
  st: codec.list(),
  t: codec.list(),
  ty: codec.list(),
  s: codec.list(["-created"]),
  /** None: the table chooses. */
  c: codec.list(),
  archived: codec.flag(),
  flat: codec.flag(true),
};
export type TasksView = codec.ViewOf<typeof VIEW>;

/** A pattern that the user typed: a regular expression when it is one, else the text itself. */
function patternOf(text: string): string {
  try {
    new RegExp(text);
    return text;
  } catch {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }
}

export function requestOf(project: string, view: TasksView, columns: readonly Column[]): GetAllTasks {
  const order = view.s.flatMap((key) => {
    const down = key.startsWith("-") ? "-" : "";
    const column = columns.find((one) => one.id === key.replace(/^-/, ""));
    const name = column?.order ?? (/^-?(created|last_update)$/.test(key) ? key.replace(/^-/, "") : undefined);
    return name ? [down + name] : [];
  });
  return {
    project: project === "*" ? undefined : [project],
    include_subprojects: view.flat,
    _any_: view.q.trim() ? { fields: ["name", "id", "comment"], pattern: patternOf(view.q.trim()) } : undefined,
    status: view.st.length ? [...view.st] : undefined,
    type: view.ty.length ? [...view.ty] : undefined,
    tags: view.t.length ? ["__$all", ...view.t] : undefined,
    system_tags: [view.archived ? "archived" : "-archived"],
    order_by: order.length ? order : ["-created"],
    only_fields: [...new Set([...BASE_FIELDS, ...columns.flatMap((column) => column.fields)])],
  };
}

export interface TaskRows {
  total: number;
  /** Row at a place, or undefined while its block is on the way. */
  at: (place: number) => Row | undefined;
  loaded: () => Row[];
  pending: boolean;
  fetching: boolean;
  error: unknown;
  retry: () => void;
  /** Tasks that arrived or moved while the order was frozen. */
  waiting: number;
  applyWaiting: () => void;
  /** Ids whose cells changed just now. */
  touched: ReadonlyMap<string, number>;
}

/** Rows of the table by blocks of 200, patched in place as tasks change. */
export function useTaskRows(
  project: string,
  request: GetAllTasks,
  range: readonly [number, number],
  frozen: () => boolean,
): TaskRows {
  const client = useQueryClient();
  const blocks: number[] = [];
  for (let b = Math.floor(range[0] / BLOCK); b <= Math.floor(Math.max(range[0], range[1] - 1) / BLOCK); b += 1) blocks.push(b);
  if (!blocks.includes(0)) blocks.unshift(0);
  const key = useMemo(() => ["tasks", "table", request] as const, [request]);
  const results = useQueries({
    queries: blocks.map((block) => ({
      queryKey: [...key, block],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call("tasks.get_all_ex", { ...request, page: block, page_size: BLOCK }, signal),
      staleTime: 30_000,
      // Other columns or another order: the old rows stay until the new ones are here.
      placeholderData: (old: Reply<"tasks.get_all_ex"> | undefined, query: { queryKey: readonly unknown[] } | undefined) =>
        query?.queryKey[3] === block ? old : undefined,
    })),
  });
  const first = results[blocks.indexOf(0)];
  const lastTotal = useRef(0);
  if (first?.data) lastTotal.current = first.data.total ?? first.data.tasks.length;

  const [patches, setPatches] = useState<ReadonlyMap<string, Row>>(new Map());
  const [touched, setTouched] = useState<ReadonlyMap<string, number>>(new Map());
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const pending = useRef<{ keys: Set<string>; timer: ReturnType<typeof setTimeout> | null }>({ keys: new Set(), timer: null });

  const byBlock = new Map(blocks.map((block, i) => [block, results[i]?.data?.tasks as Row[] | undefined]));
  const known = useRef(new Set<string>());
  known.current = new Set([...byBlock.values()].flatMap((rows) => (rows ?? []).map((row) => row.id)));

  const applyWaiting = useCallback(() => {
    setFresh(new Set());
    setPatches(new Map());
    void client.invalidateQueries({ queryKey: key });
  }, [client, key]);

  const flush = useCallback(async () => {
    const ids = [...pending.current.keys];
    pending.current = { keys: new Set(), timer: null };
    const here = ids.filter((id) => known.current.has(id));
    const other = ids.filter((id) => !known.current.has(id));
    if (here.length) {
      const reply = await call("tasks.get_all_ex", { id: here, only_fields: request.only_fields, page_size: 500 });
      const now = Date.now();
      setPatches((old) => new Map([...old, ...reply.tasks.map((row) => [row.id as string, row as Row] as const)]));
      setTouched(new Map(reply.tasks.map((row) => [row.id as string, now])));
    }
    if (other.length === 0) return;
    if (frozen()) setFresh((old) => new Set([...old, ...other]));
    else applyWaiting();
  }, [applyWaiting, frozen, request.only_fields]);

  useLive(project === "*" ? "tasks" : `project:${project}`, (change) => {
    if (change.kind === "resync") {
      applyWaiting();
      return;
    }
    for (const id of change.keys) pending.current.keys.add(id);
    pending.current.timer ??= setTimeout(() => void flush().catch(() => undefined), 600);
  });

  return {
    total: first?.data ? (first.data.total ?? first.data.tasks.length) : lastTotal.current,
    at: (place) => {
      const row = byBlock.get(Math.floor(place / BLOCK))?.[place % BLOCK];
      return row ? (patches.get(row.id) ?? row) : undefined;
    },
    loaded: () => [...byBlock.values()].flatMap((rows) => (rows ?? []).map((row) => patches.get(row.id) ?? row)),
    pending: first?.isPending ?? true,
    fetching: results.some((result) => result.isFetching),
    error: results.find((result) => result.isError)?.error ?? null,
    retry: () => void client.invalidateQueries({ queryKey: key }),
    waiting: fresh.size,
    applyWaiting,
    touched,
  };
}
