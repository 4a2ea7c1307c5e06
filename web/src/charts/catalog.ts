import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { call } from "~/api/rpc";
import type { SeriesEntry } from "~/api/types.gen";
import type { XKind } from "~/charts/axes";
import type { Card, CardLine } from "~/charts/react/ChartCard";

/** A value of the catalogue as a number; NaN and infinities travel as text. */
export function numberOf(value: number | string | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** The series of these tasks with their statistics. */
export function useCatalog(tasks: readonly string[]) {
  return useQuery({
    // One task per key, so that its live updates find it.
    queryKey: ["catalog", ...tasks],
    queryFn: ({ signal }) => call("series.catalog", { tasks: [...tasks] }, signal),
    enabled: tasks.length > 0,
    placeholderData: keepPreviousData,
    select: (reply) => reply.series,
  });
}

export const isMachine = (metric: string): boolean => metric.startsWith(":monitor:");

/** `train/loss` → `train`; metrics without a prefix share one section. */
export function sectionOf(metric: string): string {
  if (isMachine(metric)) return "System";
  const slash = metric.indexOf("/");
  return slash > 0 ? metric.slice(0, slash) : "Metrics";
}

function spanOf(entry: SeriesEntry, x: XKind): number {
  if (x === "iter") return (entry.last_iter ?? 0) - (entry.first_iter ?? 0);
  return (entry.end_time ?? 0) - (entry.start_time ?? 0);
}

// More lines than this on one canvas can be neither told apart nor moved smoothly.
const MOST_LINES = 100;

/** One card per key, from the entries that belong on it. */
export function cardsOf(
  entries: readonly SeriesEntry[],
  x: XKind,
  keyOf: (entry: SeriesEntry) => string,
  line: (entry: SeriesEntry) => { label: string; slot: number },
): Card[] {
  const groups = new Map<string, SeriesEntry[]>();
  for (const entry of entries) {
    if (entry.count === 0) continue;
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return [...groups.entries()].map(([key, group]) => ({
    key,
    title: key,
    left: Math.max(0, group.length - MOST_LINES),
    lines: group.slice(0, MOST_LINES).map(
      (entry): CardLine => ({
        task: entry.task,
        metric: entry.metric,
        variant: entry.variant,
        last: numberOf(entry.last),
        ...line(entry),
      }),
    ),
    version: group.map((entry) => entry.version).join(","),
    span: Math.max(...group.map((entry) => spanOf(entry, x)), 1e-9),
  }));
}

const PORTION = 200_000;

/** Every point of a card: rows of series, iteration, time, value. */
export async function allPoints(card: Card): Promise<(string | number | null)[][]> {
  const rows: (string | number | null)[][] = [];
  for (const line of card.lines) {
    for (let start = 0; ; start += PORTION) {
      const { task, metric, variant } = line;
      const reply = await call("series.raw", { series: [{ task, metric, variant }], start, limit: PORTION });
      const [got] = reply.series;
      if (!got) break;
      got.iter.forEach((iter, i) => rows.push([line.label, iter, got.time[i] ?? null, got.value[i] ?? null]));
      if (start + got.iter.length >= got.total || got.iter.length === 0) break;
    }
  }
  return rows;
}
