import { useMemo, useRef } from "react";

import type { SeriesEntry } from "~/api/types.gen";
import { allPoints, cardsOf, isMachine, numberOf, sectionOf, useCatalog } from "~/charts/catalog";
import { formatShort } from "~/state/format";
import { ChartGrid, matcher, type Section } from "~/charts/react/ChartGrid";
import { SCALAR_VIEW, ScalarBar, scalarKeys } from "~/charts/react/ScalarBar";
import { useTask } from "~/pages/task/context";
import { useKeys } from "~/state/keys";
import { useTheme } from "~/state/preferences";
import { useView } from "~/state/view";
import { assignSlots } from "~/theme/palette";
import { DataTable, type TableValue } from "~/widgets/DataTable";
import { Empty, ErrorPanel, ProgressLine, Snippet } from "~/widgets/states";

const MANY = 12;

function sectionsOf(cards: ReturnType<typeof cardsOf>): Section[] {
  const byName = new Map<string, Section>();
  for (const card of cards) {
    const name = sectionOf(card.lines[0]?.metric ?? "");
    const section = byName.get(name) ?? { name, cards: [] };
    section.cards.push(card);
    byName.set(name, section);
  }
  // The machine's own series come last, whatever was reported first.
  return [...byName.values()].sort((a, b) => Number(a.name === "System") - Number(b.name === "System"));
}

/** A metric's variants share a chart; a variant has its colour from the metric's whole set of names. */
function slotsOf(entries: readonly SeriesEntry[]): Map<string, number> {
  const names = new Map<string, string[]>();
  for (const { metric, variant, count } of entries) {
    if (count > 0) names.set(metric, [...(names.get(metric) ?? []), variant]);
  }
  const slots = new Map<string, number>();
  for (const [metric, variants] of names) {
    for (const [variant, slot] of assignSlots(variants)) slots.set(`${metric}\0${variant}`, slot);
  }
  return slots;
}

export default function Scalars() {
  const task = useTask();
  const theme = useTheme();
  const [view, setView] = useView(SCALAR_VIEW);
  const search = useRef<HTMLInputElement>(null);
  const ids = useMemo(() => [task.id], [task.id]);
  const catalog = useCatalog(ids);
  useKeys(scalarKeys(view, setView, search));
  const entries = useMemo(() => catalog.data ?? [], [catalog.data]);
  const sections = useMemo(() => {
    const slots = slotsOf(entries);
    const fits = matcher(view.q);
    const wanted = entries.filter((entry) => fits(`${entry.metric}/${entry.variant}`));
    const cards = cardsOf(
      wanted,
      view.x,
      (entry) => entry.metric,
      (entry) => ({
        label: entry.variant,
        slot: slots.get(`${entry.metric}\0${entry.variant}`) ?? 0,
      }),
    );
    return sectionsOf(cards);
  }, [entries, view.q, view.x]);
  const singles = useMemo(
    () => entries.filter((entry) => entry.single !== null && entry.single !== undefined),
    [entries],
  );
  const { x, z, log, sm } = view;
  const look = useMemo(() => ({ x, zoom: z, log, smoothing: sm, theme }), [x, z, log, sm, theme]);
  const crowded = sections.length > 1;
  const foldedAtFirst = (section: Section) => section.name === "System" || (crowded && section.cards.length > MANY);
  const folded = (section: Section) =>
    foldedAtFirst(section) ? !view.open.includes(section.name) : view.fold.includes(section.name);
  const setFolded = (section: Section, fold: boolean) => {
    const key = foldedAtFirst(section) ? "open" : "fold";
    const add = key === "open" ? !fold : fold;
    const rest = view[key].filter((name) => name !== section.name);
    setView({ [key]: add ? [...rest, section.name] : rest }, "push");
  };
  const bar = <ScalarBar view={view} setView={setView} search={search} />;
  if (catalog.isError && !catalog.data)
    return <ErrorPanel error={catalog.error} retry={() => void catalog.refetch()} />;
  if (catalog.data && entries.length === 0) {
    return (
      <Empty title={task.status === "in_progress" ? "Waiting for the first scalar" : "No scalar was reported"}>
        <p>A curve appears here while the run reports it:</p>
        <Snippet code={'task.get_logger().report_scalar("loss", "train", value=loss, iteration=step)'} />
      </Empty>
    );
  }
  const summary =
    singles.length > 0 && !view.q ? { height: summaryHeight(singles), node: <Summary singles={singles} /> } : undefined;
  return (
    <>
      <ProgressLine active={catalog.isPending} />
      {bar}
      {view.view === "values" ? (
        <Values entries={entries} filter={view.q} />
      ) : (
        <ChartGrid
          sections={sections}
          look={look}
          perRow={view.n}
          folded={folded}
          setFolded={setFolded}
          onZoom={(range) => setView({ z: range }, "push")}
          exportPoints={allPoints}
          head={summary}
        />
      )}
    </>
  );
}

const LINE = 24;
const MOST_SINGLES = 12;

function summaryHeight(singles: readonly SeriesEntry[]): number {
  return Math.min(singles.length, MOST_SINGLES) * LINE + 52;
}

/** Single values: numbers without an iteration. */
function Summary({ singles }: { singles: readonly SeriesEntry[] }) {
  return (
    <div
      className="panel"
      style={{ position: "absolute", top: 12, left: 16, width: 420, maxWidth: "calc(100% - 32px)" }}
    >
      <div className="row" style={{ padding: "6px 12px 2px" }}>
        <h2 className="h3 grow">Summary</h2>
        <span className="caption num">{singles.length}</span>
      </div>
      <div style={{ maxHeight: MOST_SINGLES * LINE, overflow: "auto", paddingBottom: 4 }}>
        {singles.map((one) => (
          <div key={`${one.metric}\0${one.variant}`} className="row" style={{ height: LINE, padding: "0 12px" }}>
            <span className="cut grow">
              {one.metric === "Summary" ? one.variant : `${one.metric} / ${one.variant}`}
            </span>
            <strong className="num" title={String(one.single)}>
              {formatShort(numberOf(one.single))}
            </strong>
          </div>
        ))}
      </div>
    </div>
  );
}

const HEADINGS = ["metric", "variant", "first", "last", "min", "at", "max", "at ", "mean", "points", "NaN or ∞"];

function Values({ entries, filter }: { entries: readonly SeriesEntry[]; filter: string }) {
  const fits = matcher(filter);
  const rows = entries
    .filter((entry) => fits(`${entry.metric}/${entry.variant}`) && entry.count > 0)
    .sort((a, b) => Number(isMachine(a.metric)) - Number(isMachine(b.metric)))
    .map((entry): TableValue[] => [
      entry.metric,
      entry.variant,
      numberOf(entry.first),
      numberOf(entry.last),
      entry.min ?? null,
      entry.min_iter ?? null,
      entry.max ?? null,
      entry.max_iter ?? null,
      entry.mean ?? null,
      entry.count,
      entry.nonfinite,
    ]);
  return (
    <div className="scroll">
      <div className="page">
        <div className="panel">
          <DataTable name="scalars" columns={HEADINGS} rows={rows} height={Math.max(300, window.innerHeight - 260)} />
        </div>
      </div>
    </div>
  );
}
