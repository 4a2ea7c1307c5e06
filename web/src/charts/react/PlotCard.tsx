import "~/charts/react/plots.css";

import { useMemo, useRef, useState } from "react";

import { readFigure } from "~/charts/figure";
import { formatBytes, formatCount } from "~/state/format";
import { PlotlyHost } from "~/charts/react/PlotlyHost";
import { saveFile } from "~/state/download";
import { useKeys } from "~/state/keys";
import { Icon } from "~/theme/icons";
import { DataTable } from "~/widgets/DataTable";
import { DropMenu } from "~/widgets/DropMenu";
import { useLayer } from "~/widgets/layer";
import { Empty, ErrorPanel } from "~/widgets/states";

const BIG = 5 * 1024 * 1024;

export interface PlotEvent {
  metric: string;
  variant: string;
  iter: number;
  plot_str: string;
}

export interface PlotSeries {
  metric: string;
  variant: string;
  events: PlotEvent[];
}

/** Plots by metric and variant, each with its iterations in order. */
export function groupPlots(events: readonly PlotEvent[]): PlotSeries[] {
  const found = new Map<string, PlotSeries>();
  for (const event of events) {
    const key = `${event.metric}\0${event.variant}`;
    const series = found.get(key) ?? { metric: event.metric, variant: event.variant, events: [] };
    series.events.push(event);
    found.set(key, series);
  }
  for (const series of found.values()) series.events.sort((a, b) => a.iter - b.iter);
  return [...found.values()].sort((a, b) => a.metric.localeCompare(b.metric) || a.variant.localeCompare(b.variant));
}

/** One figure with its controls: iteration, save, full screen. */
export function PlotCard({ series }: { series: PlotSeries }) {
  const [at, setAt] = useState<number | null>(null);
  const [full, setFull] = useState(false);
  const [allowed, setAllowed] = useState(false);
  const saver = useRef<((format: "png" | "svg", name: string) => void) | null>(null);
  const onReady = useRef((save: (format: "png" | "svg", name: string) => void) => {
    saver.current = save;
  });
  const box = useRef<HTMLElement>(null);
  useLayer(box, full);
  useKeys({ escape: () => setFull(false) }, full);
  const place = Math.min(at ?? series.events.length - 1, series.events.length - 1);
  const event = series.events[place] as PlotEvent;
  const text = event.plot_str;
  const big = text.length > BIG && !allowed;
  const figure = useMemo(() => {
    if (big) return null;
    try {
      return readFigure(text, series.metric);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }, [text, big, series.metric]);
  const name = `${series.metric} ${series.variant} ${event.iter}`;
  const onlyTable = figure && !(figure instanceof Error) && figure.tables.length > 0 && figure.traces.length === 0;
  const wide = onlyTable && figure.tables.some((table) => table.columns.length > 5);
  return (
    <section
      ref={box}
      {...(full && ({ role: "dialog", "aria-modal": true, tabIndex: -1 } as const))}
      className={`panel plot-card ${full ? "full-plot" : ""}${wide ? " wide" : ""}`}
      aria-label={name}
      data-plot={series.metric}
    >
      <header>
        <h2 className="h3 cut grow" title={`${series.metric} / ${series.variant}`}>
          {series.metric}
          {series.variant && series.variant !== series.metric && <span className="muted"> / {series.variant}</span>}
        </h2>
        {series.events.length > 1 && (
          <input
            type="range"
            min={0}
            max={series.events.length - 1}
            value={place}
            aria-label="Iteration"
            onChange={(change) => setAt(Number(change.target.value))}
          />
        )}
        <span className="caption num">iteration {formatCount(event.iter)}</span>
        <DropMenu
          target={
            <button type="button" className="icon-button" aria-label="Save">
              <Icon name="download" size={14} />
            </button>
          }
          entries={[
            { label: "PNG", disabled: Boolean(onlyTable), run: () => saver.current?.("png", name) },
            { label: "SVG", disabled: Boolean(onlyTable), run: () => saver.current?.("svg", name) },
            { label: "JSON", run: () => saveFile(`${name}.json`, text, "application/json") },
          ]}
        />
        <button
          type="button"
          className="icon-button"
          aria-label={full ? "Close the full screen" : "Full screen"}
          onClick={() => setFull(!full)}
        >
          <Icon name={full ? "close" : "expand"} size={14} />
        </button>
      </header>
      {big && (
        <Empty title={`This plot has ${formatBytes(text.length)}`} small>
          <button type="button" className="button" onClick={() => setAllowed(true)}>
            Draw it
          </button>
        </Empty>
      )}
      {figure instanceof Error && <ErrorPanel error={figure} />}
      {figure && !(figure instanceof Error) && (
        <>
          {figure.unknown.length > 0 && (
            <p className="body caption">
              Not drawn here: {[...new Set(figure.unknown)].join(", ")}. Save the JSON to see it elsewhere.
            </p>
          )}
          {figure.traces.length > 0 && <PlotlyHost figure={figure} onReady={onReady.current} />}
          {figure.tables.map((table, i) => (
            <DataTable key={`${i.toString()}`} {...table} height={full ? window.innerHeight - 120 : 360} />
          ))}
        </>
      )}
    </section>
  );
}
