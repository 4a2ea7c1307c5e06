import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import { BUILT_IN_IDS, BUILT_IN_LABELS, columnOf, metricColumn, parameterColumn, STATS } from "~/pages/tasks/columns";
import { Icon } from "~/theme/icons";
import { Dialog } from "~/widgets/Dialog";
import { ErrorPanel } from "~/widgets/states";

const SAMPLE = 100;

interface Names {
  metrics: [string, string][];
  parameters: [string, string][];
  sampled: boolean;
}

/** Metric and parameter names of the project's newest tasks. */
async function namesOf(project: string, signal: AbortSignal): Promise<Names> {
  const reply = await call(
    "tasks.get_all_ex",
    {
      project: project === "*" ? undefined : [project],
      include_subprojects: true,
      order_by: ["-last_update"],
      page: 0,
      page_size: SAMPLE,
      only_fields: ["last_metrics", "hyperparams"],
    },
    signal,
  );
  const metrics = new Map<string, [string, string]>();
  const parameters = new Map<string, [string, string]>();
  for (const task of reply.tasks) {
    for (const variants of Object.values(task.last_metrics ?? {})) {
      for (const { metric, variant } of Object.values(variants)) metrics.set(`${metric}\0${variant}`, [metric, variant]);
    }
    for (const [section, items] of Object.entries(task.hyperparams ?? {})) {
      for (const name of Object.keys(items)) parameters.set(`${section}\0${name}`, [section, name]);
    }
  }
  const sorted = (map: Map<string, [string, string]>) => [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
  return { metrics: sorted(metrics), parameters: sorted(parameters), sampled: (reply.total ?? 0) > SAMPLE };
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
  const toggle = (id: string) => set(columns.includes(id) ? columns.filter((one) => one !== id) : [...columns, id]);
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
            <input className="input" data-autofocus aria-label="Find a column" placeholder="Find a metric or parameter"
              value={text} onChange={(event) => setText(event.target.value)} />
          </label>
          <div className="picker-list">
            <h3>General</h3>
            {BUILT_IN_IDS.filter((id) => fits(BUILT_IN_LABELS.get(id) ?? id)).map((id) => box(id, BUILT_IN_LABELS.get(id) ?? id))}
            {metrics.length > 0 && <h3>Metrics</h3>}
            {metrics.map(([metric, variant]) => (
              <div key={`${metric}\0${variant}`} className="row">
                <span className="cut grow" style={{ paddingLeft: 4 }}>{metric} / {variant}</span>
                {STATS.map((stat) => {
                  const id = metricColumn(stat, metric, variant);
                  return (
                    <button type="button" key={stat} className="chip" aria-pressed={columns.includes(id)} onClick={() => toggle(id)}>
                      {stat}
                    </button>
                  );
                })}
              </div>
            ))}
            {parameters.length > 0 && <h3>Parameters</h3>}
            {parameters.map(([section, name]) => box(parameterColumn(section, name), `${section} / ${name}`))}
            {names.isPending && <span className="muted">Looking for names…</span>}
            {names.isError && <ErrorPanel error={names.error} retry={() => void names.refetch()} />}
            {names.data?.sampled && <p className="caption">Names are taken from the {SAMPLE} tasks that changed last.</p>}
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
                <span className="cut grow" title={columnOf(id)?.title}>{columnOf(id)?.label ?? id}</span>
                <button type="button" className="icon-button" aria-label="Up" disabled={i === 0} onClick={() => move(id, -1)}>↑</button>
                <button type="button" className="icon-button" aria-label="Down" disabled={i === columns.length - 1} onClick={() => move(id, 1)}>↓</button>
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
