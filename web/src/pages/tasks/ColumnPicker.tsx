import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import type { InProject } from "~/api/types.gen";
import { BUILT_IN_IDS, BUILT_IN_LABELS, columnOf, metricColumn, parameterColumn, STATS } from "~/pages/tasks/columns";
import { Icon } from "~/theme/icons";
import { Dialog } from "~/widgets/Dialog";
import { ErrorPanel } from "~/widgets/states";

const PAGE = 10_000;
const MOST_PAGES = 4;
// Longer lists are narrowed by typing, not by scrolling.
const MOST_NAMES = 200;

interface Names {
  metrics: [string, string][];
  parameters: [string, string][];
}

/** Metric and parameter names that the project's tasks have in use. */
async function namesOf(project: string, signal: AbortSignal): Promise<Names> {
  const ask = { project: project === "*" ? undefined : project, include_subprojects: true, page_size: PAGE };
  const [metrics, { parameters }] = await Promise.all([
    metricsOf(ask, signal),
    call("projects.get_hyper_parameters", ask, signal),
  ]);
  return { metrics, parameters: parameters.map(({ section, name }) => [section, name]) };
}

async function metricsOf(ask: InProject, signal: AbortSignal): Promise<[string, string][]> {
  const metrics: [string, string][] = [];
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const reply = await call("projects.get_unique_metric_variants", { ...ask, page }, signal);
    metrics.push(...reply.metrics.map(({ metric, variant }): [string, string] => [metric, variant]));
    if (reply.metrics.length < PAGE) break;
  }
  return metrics;
}

/** A new metric or parameter goes beside its like, where it is seen; anything else to the end. */
function added(columns: readonly string[], id: string): string[] {
  const like = columns.findLastIndex((one) => /^[mh]:/.test(one) && /^[mh]:/.test(id));
  return like < 0 ? [...columns, id] : [...columns.slice(0, like + 1), id, ...columns.slice(like + 1)];
}

interface Props {
  project: string;
  columns: readonly string[];
  set: (columns: string[]) => void;
  close: () => void;
}

export function ColumnPicker({ project, columns, set, close }: Props) {
  const [text, setText] = useState("");
  const names = useQuery({
    queryKey: ["column-names", project],
    queryFn: ({ signal }) => namesOf(project, signal),
    staleTime: 30_000,
  });
  const wanted = text.trim().toLowerCase();
  const fits = (...parts: string[]) => parts.join(" / ").toLowerCase().includes(wanted);
  const toggle = (id: string) => set(columns.includes(id) ? columns.filter((one) => one !== id) : added(columns, id));
  const box = (id: string, label: string) => (
    <label key={id}>
      <input type="checkbox" checked={columns.includes(id)} onChange={() => toggle(id)} />
      <span className="cut">{label}</span>
    </label>
  );
  const move = (id: string, by: number) => {
    const from = columns.indexOf(id);
    const next = columns.filter((one) => one !== id);
    next.splice(Math.max(0, from + by), 0, id);
    set(next);
  };
  const metrics = (names.data?.metrics ?? []).filter(([metric, variant]) => fits(metric, variant));
  const parameters = (names.data?.parameters ?? []).filter(([section, name]) => fits(section, name));
  return (
    <Dialog title="Columns" close={close} size="xl">
      <div className="row" style={{ alignItems: "flex-start", gap: 24 }}>
        <div className="picker grow">
          <label className="search">
            <Icon name="search" size={14} />
            <input
              className="input"
              data-autofocus
              aria-label="Find a column"
              placeholder="Find a metric or parameter"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
          <div className="picker-list">
            <h3>General</h3>
            {BUILT_IN_IDS.filter((id) => fits(BUILT_IN_LABELS.get(id) ?? id)).map((id) =>
              box(id, BUILT_IN_LABELS.get(id) ?? id),
            )}
            {metrics.length > 0 && <h3>Metrics</h3>}
            {metrics.slice(0, MOST_NAMES).map(([metric, variant]) => (
              <div key={`${metric}\0${variant}`} className="row">
                <span className="cut grow" style={{ paddingLeft: 4 }}>
                  {metric} / {variant}
                </span>
                {STATS.map((stat) => {
                  const id = metricColumn(stat, metric, variant);
                  return (
                    <button
                      type="button"
                      key={stat}
                      className="chip"
                      aria-pressed={columns.includes(id)}
                      onClick={() => toggle(id)}
                    >
                      {stat}
                    </button>
                  );
                })}
              </div>
            ))}
            {metrics.length > MOST_NAMES && <More left={metrics.length - MOST_NAMES} />}
            {parameters.length > 0 && <h3>Parameters</h3>}
            {parameters
              .slice(0, MOST_NAMES)
              .map(([section, name]) => box(parameterColumn(section, name), `${section} / ${name}`))}
            {parameters.length > MOST_NAMES && <More left={parameters.length - MOST_NAMES} />}
            {names.isPending && <span className="muted">Looking for names…</span>}
            {names.isError && <ErrorPanel error={names.error} retry={() => void names.refetch()} />}
          </div>
        </div>
        <div className="picker" style={{ width: 250 }}>
          <div className="row">
            <h3 className="grow">Shown</h3>
            <button type="button" className="link-button" title="Let the table choose again" onClick={() => set([])}>
              Automatic
            </button>
          </div>
          <div className="picker-list">
            {columns.map((id, i) => (
              <div key={id} className="row" style={{ gap: 0 }}>
                <span className="cut grow" title={columnOf(id)?.title}>
                  {columnOf(id)?.label ?? id}
                </span>
                <button
                  type="button"
                  className="icon-button"
                  aria-label="Up"
                  disabled={i === 0}
                  onClick={() => move(id, -1)}
                >
                  ↑
                </button>
                <button
                  type="button"
                  className="icon-button"
                  aria-label="Down"
                  disabled={i === columns.length - 1}
                  onClick={() => move(id, 1)}
                >
                  ↓
                </button>
                <button type="button" className="icon-button" aria-label="Remove" onClick={() => toggle(id)}>
                  <Icon name="close" size={12} />
                </button>
              </div>
            ))}
          </div>
        </div>
      </div>
    </Dialog>
  );
}

function More({ left }: { left: number }) {
  return <p className="caption num">{left.toLocaleString()} more; type a part of the name.</p>;
}
