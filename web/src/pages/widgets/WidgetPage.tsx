import "~/pages/widgets/widgets.css";

import { useQuery } from "@tanstack/react-query";
import { useRouterState } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useLive } from "~/api/live";
import { call } from "~/api/rpc";
import type { SeriesEntry } from "~/api/types.gen";
import { allPoints, cardsOf, numberOf, useCatalog } from "~/charts/catalog";
import { formatShort } from "~/state/format";
import { ChartGrid } from "~/charts/react/ChartGrid";
import { parseSearch } from "~/state/codec";
import { filePlace } from "~/state/files";
import { md5 } from "~/state/md5";
import { useTheme } from "~/state/preferences";
import { assignSlots } from "~/theme/palette";
import { groupPlots, PlotCard, type PlotEvent } from "~/charts/react/PlotCard";
import { Empty, ErrorPanel, ProgressLine } from "~/widgets/states";

interface Wanted {
  type: string;
  tasks: string[];
  /** True for a metric or variant that the link names, plainly or by its hash. */
  has: (metric: string, variant: string) => boolean;
  x: "iter" | "time";
}

/** Reads the link of an embedded chart; `objects`, `metrics` and `variants` may repeat or hold commas. */
export function wantedOf(search: string): Wanted {
  const found = parseSearch(search);
  const list = (key: string) =>
    [found[key] ?? found[`${key}[]`] ?? []]
      .flat()
      .flatMap((text) => text.split(","))
      .filter(Boolean);
  const one = (key: string) => [found[key] ?? ""].flat()[0] ?? "";
  const metrics = new Set(list("metrics"));
  const variants = new Set(list("variants"));
  const named = (names: Set<string>, name: string) => names.size === 0 || names.has(name) || names.has(md5(name));
  return {
    type: one("type") || "scalar",
    tasks: list("objects"),
    has: (metric, variant) => named(metrics, metric) && named(variants, variant),
    x: /^(timestamp|iso_time)$/.test(one("xaxis")) ? "time" : "iter",
  };
}

/** One chart without a frame, for reports and other pages. */
export function WidgetPage() {
  const search = useRouterState({ select: (state) => state.location.searchStr });
  const wanted = useMemo(() => wantedOf(search), [search]);
  if (wanted.tasks.length === 0) {
    return <Empty title="This link names no task">The address needs objects=&lt;task id&gt;.</Empty>;
  }
  if (wanted.type === "plot") return <PlotWidget wanted={wanted} />;
  if (wanted.type === "sample") return <SampleWidget wanted={wanted} />;
  if (wanted.type === "single") return <SingleWidget wanted={wanted} />;
  if (wanted.type === "scalar") return <ScalarWidget wanted={wanted} />;
  return <Empty title={`Embeds of the type “${wanted.type}” are not drawn in this version`} />;
}

function useWantedCatalog(wanted: Wanted) {
  const catalog = useCatalog(wanted.tasks);
  useLive(`task:${wanted.tasks[0] ?? ""}`, (change) => {
    if (change.kind === "series" || change.kind === "resync") void catalog.refetch();
  });
  return catalog;
}

function useNames(tasks: readonly string[]) {
  const found = useQuery({
    queryKey: ["tasks", "names", tasks],
    queryFn: ({ signal }) =>
      call("tasks.get_all_ex", { id: [...tasks], only_fields: ["id", "name"], search_hidden: true }, signal),
    enabled: tasks.length > 1,
  });
  return (id: string) => found.data?.tasks.find((task) => task.id === id)?.name ?? id.slice(0, 8);
}

function ScalarWidget({ wanted }: { wanted: Wanted }) {
  const catalog = useWantedCatalog(wanted);
  const theme = useTheme();
  const nameOf = useNames(wanted.tasks);
  const [zoom, setZoom] = useState<[number, number] | null>(null);
  const entries = (catalog.data ?? []).filter((entry) => wanted.has(entry.metric, entry.variant));
  const many = wanted.tasks.length > 1;
  const label = (entry: SeriesEntry) => (many ? `${nameOf(entry.task)} / ${entry.variant}` : entry.variant);
  const slots = assignSlots(entries.map(label));
  const cards = cardsOf(
    entries,
    wanted.x,
    (entry) => entry.metric,
    (entry) => ({
      label: label(entry),
      slot: slots.get(label(entry)) ?? 0,
    }),
  );
  const look = useMemo(() => ({ x: wanted.x, zoom, log: false, smoothing: 0, theme }), [wanted.x, zoom, theme]);
  if (catalog.isError) return <ErrorPanel error={catalog.error} retry={() => void catalog.refetch()} />;
  if (catalog.isPending) return <ProgressLine active />;
  if (cards.length === 0) return <Empty title="Nothing of this name was reported" small />;
  return (
    <div className="widget">
      <ChartGrid
        sections={[{ name: "", cards }]}
        look={look}
        perRow={1}
        folded={() => false}
        setFolded={() => undefined}
        onZoom={setZoom}
        exportPoints={allPoints}
        bare
      />
    </div>
  );
}

function SingleWidget({ wanted }: { wanted: Wanted }) {
  const catalog = useWantedCatalog(wanted);
  if (catalog.isError) return <ErrorPanel error={catalog.error} retry={() => void catalog.refetch()} />;
  const entries = (catalog.data ?? []).filter((entry) => wanted.has(entry.metric, entry.variant));
  return (
    <div className="widget-singles num">
      {entries.map((entry) => (
        <div key={`${entry.task}${entry.metric}${entry.variant}`}>
          <div className="big">{formatShort(numberOf(entry.single ?? entry.last))}</div>
          <div className="muted">{entry.variant}</div>
        </div>
      ))}
    </div>
  );
}

function PlotWidget({ wanted }: { wanted: Wanted }) {
  const task = wanted.tasks[0] as string;
  const plots = useQuery({
    queryKey: ["plots", task, "widget"],
    queryFn: ({ signal }) => call("events.get_task_plots", { task, iters: 1 }, signal),
  });
  if (plots.isError) return <ErrorPanel error={plots.error} retry={() => void plots.refetch()} />;
  const shown = groupPlots((plots.data?.plots ?? []) as unknown as PlotEvent[]).filter((one) =>
    wanted.has(one.metric, one.variant),
  );
  return (
    <div className="scroll plot-grid">
      {shown.map((one) => (
        <PlotCard key={`${one.metric}/${one.variant}`} series={one} />
      ))}
    </div>
  );
}

function SampleWidget({ wanted }: { wanted: Wanted }) {
  const images = useQuery({
    queryKey: ["images", "widget", wanted.tasks],
    queryFn: ({ signal }) =>
      call("events.debug_images", { metrics: wanted.tasks.map((task) => ({ task })), iters: 1 }, signal),
  });
  if (images.isError) return <ErrorPanel error={images.error} retry={() => void images.refetch()} />;
  const events = (images.data?.metrics ?? []).flatMap((one) => one.iterations.flatMap((iteration) => iteration.events));
  return (
    <div className="widget-samples">
      {events
        .filter((event) => wanted.has(String(event["metric"]), String(event["variant"])))
        .map((event) => {
          const { href, why } = filePlace(String(event["url"] ?? ""));
          const name = `${String(event["metric"])} / ${String(event["variant"])}`;
          return href ? (
            <img key={href} src={href} alt={name} />
          ) : (
            <p key={name}>
              {name}: {why}
            </p>
          );
        })}
    </div>
  );
}
