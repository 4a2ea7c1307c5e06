import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { call } from "~/api/rpc";
import type { GetAllTasks } from "~/api/types.gen";
import { metricColumn, parameterColumn, type Row, type Stat } from "~/pages/tasks/columns";
import { isSecret } from "~/state/secrets";

const SAMPLE = 16;
const ROWS = 50;
// A run with more names than this is not sampled further: its neighbours would bring megabytes for four columns.
const MANY_NAMES = 600;
const MOST_METRICS = 4;
const MOST_PARAMETERS = 3;
const LONGEST_VALUE = 40;

const LOWER = /loss|err|mae|mse|rmse|perplexity|ppl|nll|wer|cer|fid\b/i;
const HIGHER = /acc|score|f1|auc|precision|recall|reward|return|bleu|rouge|iou|\bmap(?:\d|@|_|-|\b)|r2|dice|psnr|ssim/i;
const HELD_OUT = /val|test|eval|dev|holdout/i;
// What people set by hand and look for first.
const TELLING =
  /(^|[_./ -])(lr|learning[_ -]?rate|batch[_ -]?size|epochs?|optimi[sz]er|model|arch|depth|width|dropout|weight[_ -]?decay)$/i;

export function statOf(name: string): Stat {
  if (LOWER.test(name)) return "min";
  return HIGHER.test(name) ? "max" : "last";
}

/** The metrics that most of these runs share, those first that say how good a run is. */
export function chooseMetrics(rows: readonly Row[]): string[] {
  const found = new Map<string, { metric: string; variant: string; runs: number }>();
  let reporting = 0;
  for (const row of rows) {
    const own = Object.values(row.last_metrics ?? {}).flatMap((variants) => Object.values(variants));
    if (own.some((one) => !one.metric.startsWith(":monitor:"))) reporting += 1;
    for (const { metric, variant } of own) {
      if (metric.startsWith(":monitor:")) continue;
      const key = `${metric}\0${variant}`;
      const known = found.get(key) ?? { metric, variant, runs: 0 };
      known.runs += 1;
      found.set(key, known);
    }
  }
  const weight = ({ metric, variant }: { metric: string; variant: string }) => {
    const name = `${metric}/${variant}`;
    return (LOWER.test(name) || HIGHER.test(name) ? 2 : 0) + (HELD_OUT.test(name) ? 1 : 0);
  };
  return [...found.values()]
    .filter((one) => 2 * one.runs >= reporting)
    .sort(
      (a, b) =>
        weight(b) - weight(a) || b.runs - a.runs || (`${a.metric}/${a.variant}` < `${b.metric}/${b.variant}` ? -1 : 1),
    )
    .slice(0, MOST_METRICS)
    .map(({ metric, variant }) => metricColumn(statOf(`${metric}/${variant}`), metric, variant));
}

/** The parameters in which these runs differ, so that runs of one name can be told apart. */
export function chooseParameters(rows: readonly Row[]): string[] {
  const found = new Map<string, { section: string; name: string; values: Map<string, number>; long: boolean }>();
  for (const row of rows) {
    for (const [section, items] of Object.entries(row.hyperparams ?? {})) {
      for (const [name, item] of Object.entries(items)) {
        if (isSecret(name)) continue;
        const key = `${section}\0${name}`;
        const known = found.get(key) ?? { section, name, values: new Map<string, number>(), long: false };
        const value = String(item.value ?? "");
        known.values.set(value, (known.values.get(value) ?? 0) + 1);
        known.long ||= value.length > LONGEST_VALUE;
        found.set(key, known);
      }
    }
  }
  const runs = (one: { values: Map<string, number> }) => [...one.values.values()].reduce((sum, n) => sum + n, 0);
  return [...found.values()]
    .filter((one) => one.values.size > 1 && !one.long)
    .sort(
      (a, b) =>
        runs(b) - runs(a) ||
        Number(TELLING.test(b.name)) - Number(TELLING.test(a.name)) ||
        b.values.size - a.values.size ||
        (a.name < b.name ? -1 : 1),
    )
    .slice(0, MOST_PARAMETERS)
    .map(({ section, name }) => parameterColumn(section, name));
}

async function sample(
  request: GetAllTasks,
  field: "last_metrics" | "hyperparams",
  size: number,
  signal: AbortSignal,
): Promise<Row[]> {
  const reply = await call(
    "tasks.get_all_ex",
    { ...request, only_fields: ["id", field], page: 0, page_size: size },
    signal,
  );
  return reply.tasks as Row[];
}

async function choose(request: GetAllTasks, signal: AbortSignal): Promise<{ metrics: string[]; parameters: string[] }> {
  const [first, rest] = await Promise.all([
    sample({ ...request, order_by: ["-last_update"] }, "last_metrics", 1, signal),
    sample(request, "hyperparams", ROWS, signal),
  ]);
  const names = Object.values(first[0]?.last_metrics ?? {}).reduce(
    (sum, variants) => sum + Object.keys(variants).length,
    0,
  );
  const rows =
    names > MANY_NAMES
      ? first
      : await sample({ ...request, order_by: ["-last_update"] }, "last_metrics", SAMPLE, signal);
  return { metrics: chooseMetrics(rows), parameters: chooseParameters(rest) };
}

/** Columns for a table whose user has not chosen any, in the order in which one reads a run. */
export function useAutomaticColumns(request: GetAllTasks, active: boolean): readonly string[] {
  const asked = useMemo(() => {
    // The choice belongs to the project: whatever is filtered or searched for, the columns stay what they were.
    const { project, include_subprojects } = request;
    return { project, include_subprojects, system_tags: ["-archived", "-dataset"], order_by: ["-created"] };
  }, [request]);
  const found = useQuery({
    queryKey: ["tasks", "columns", asked],
    queryFn: ({ signal }) => choose(asked, signal),
    enabled: active,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
    // The first values of a project's first run come a moment after the run.
    refetchInterval: (query) => (query.state.data?.metrics.length ? false : 5000),
  });
  const { metrics, parameters } = found.data ?? NOTHING;
  return useMemo(
    () => [
      "name",
      "status",
      ...parameters,
      ...metrics,
      "tags",
      "started",
      "runtime",
      "iteration",
      "user",
      "updated",
      "type",
    ],
    [metrics, parameters],
  );
}

const NOTHING = { metrics: [], parameters: [] };
