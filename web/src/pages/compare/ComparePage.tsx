import "~/pages/compare/compare.css";

import { useParams } from "@tanstack/react-router";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { call } from "~/api/rpc";
import { live } from "~/api/stream";
import type { SeriesEntry, Task } from "~/api/types.gen";
import { allPoints, cardsOf, isMachine, numberOf, sectionOf, useCatalog } from "~/charts/catalog";
import { Highlight, HighlightContext } from "~/charts/highlight";
import { ChartGrid, matcher, type Section } from "~/charts/react/ChartGrid";
import { SCALAR_VIEW, ScalarBar, scalarKeys } from "~/charts/react/ScalarBar";
import { useCrumbTrail } from "~/state/crumbs";
import * as codec from "~/state/codec";
import { useProject } from "~/state/directory";
import { useKeys } from "~/state/keys";
import { projectPath } from "~/state/links";
import { useTheme } from "~/state/preferences";
import { useView } from "~/state/view";
import { assignInOrder, lineStyle } from "~/theme/palette";
import { Chip } from "~/pages/compare/Chip";
import { Details } from "~/pages/compare/Details";
import { differencesOf, labelsOf } from "~/pages/compare/differences";
import { DataTable, type TableValue } from "~/widgets/DataTable";
import { Go } from "~/widgets/Go";
import { Empty, ErrorPanel, ProgressLine } from "~/widgets/states";

const VIEW = {
  ...SCALAR_VIEW,
  ids: codec.text(),
  tab: codec.choice("scalars", ["scalars", "details"] as const),
  diff: codec.flag(true),
};
// A colour for each of more lines than this would be no help, and the server answers by so many series.
const MOST = 100;

export type ComparedTask = Task;

/** Our links join ids with `~`, those of other programs with a comma. */
export function idsOf(text: string): string[] {
  return [...new Set(text.split(/[~,\s]+/).filter(Boolean))];
}

/** 2 to 100 tasks on the same charts, and what differs between them. */
export function ComparePage() {
  const { pid = "*" } = useParams({ strict: false });
  const client = useQueryClient();
  const theme = useTheme();
  const project = useProject(pid);
  const [view, setView] = useView(VIEW);
  const search = useRef<HTMLInputElement>(null);
  const named = useMemo(() => idsOf(view.ids), [view.ids]);
  const ids = useMemo(() => named.slice(0, MOST), [named]);
  const found = useQuery({
    queryKey: ["tasks", "compare", ids],
    queryFn: ({ signal }) => call("tasks.get_all_ex", { id: ids, search_hidden: true, page_size: MOST }, signal),
    enabled: ids.length > 0,
    placeholderData: keepPreviousData,
  });
  const tasks = useMemo(() => {
    const byId = new Map((found.data?.tasks ?? []).map((task) => [task.id, task as Task]));
    return ids.map((id) => byId.get(id)).filter((task): task is Task => task !== undefined);
  }, [found.data, ids]);
  const catalog = useCatalog(ids);
  useEffect(() => {
    const keys = new Set<string>();
    let waits = false;
    const refresh = ({ kind }: { kind: string }) => {
      if (kind === "task" || kind === "resync") keys.add("tasks");
      keys.add("catalog");
      if (waits) return;
      waits = true;
      setTimeout(() => {
        waits = false;
        // A task that was renamed or deleted is one here too.
        if (keys.delete("tasks")) void client.invalidateQueries({ queryKey: ["tasks", "compare"] });
        if (keys.delete("catalog")) void client.invalidateQueries({ queryKey: ["catalog"] });
      }, 500);
    };
    const ends = ids.map((id) => live.subscribe(`task:${id}`, refresh));
    return () => ends.forEach((end) => end());
  }, [ids, client]);
  useKeys(scalarKeys(view, setView, search));
  useCrumbTrail([
    { label: "Projects", to: "/projects" },
    ...(pid !== "*" ? [{ label: project.data?.name ?? "…", to: projectPath(pid) }] : []),
    { label: `Compare ${ids.length} tasks` },
  ]);
  const slots = useMemo(() => assignInOrder(ids), [ids]);
  const differences = useMemo(() => differencesOf(tasks), [tasks]);
  const labels = useMemo(() => labelsOf(tasks, differences), [tasks, differences]);
  const nameless = tasks.length > 1 && tasks.every((task) => task.name === tasks[0]?.name);
  const [highlight] = useState(() => new Highlight());
  const entries = useMemo(
    () => [...(catalog.data ?? [])].sort((a, b) => ids.indexOf(a.task) - ids.indexOf(b.task)),
    [catalog.data, ids],
  );
  const sections = useMemo(() => {
    const fits = matcher(view.q);
    const key = (entry: SeriesEntry) =>
      entry.metric === entry.variant ? entry.metric : `${entry.metric} / ${entry.variant}`;
    const cards = cardsOf(
      entries.filter((entry) => fits(key(entry))),
      view.x,
      key,
      (entry) => ({
        label: labels.get(entry.task) ?? entry.task.slice(0, 8),
        slot: slots.get(entry.task) ?? 0,
      }),
    );
    const byName = new Map<string, Section>();
    for (const card of cards) {
      const name = sectionOf(card.lines[0]?.metric ?? "");
      const section = byName.get(name) ?? { name, cards: [] };
      section.cards.push(card);
      byName.set(name, section);
    }
    return [...byName.values()].sort((a, b) => Number(a.name === "System") - Number(b.name === "System"));
  }, [entries, view.q, view.x, labels, slots]);
  const { x, z, log, sm } = view;
  const look = useMemo(() => ({ x, zoom: z, log, smoothing: sm, theme }), [x, z, log, sm, theme]);
  if (ids.length === 0) {
    return (
      <Empty title="Nothing to compare">
        <p>
          Select two or more rows in the <Go to={projectPath(pid)}>task table</Go> with <kbd className="kbd">x</kbd>,
          then choose Compare.
        </p>
      </Empty>
    );
  }
  const folded = (section: Section) =>
    section.name === "System" ? !view.open.includes(section.name) : view.fold.includes(section.name);
  const setFolded = (section: Section, fold: boolean) => {
    const key = section.name === "System" ? "open" : "fold";
    const rest = view[key].filter((name) => name !== section.name);
    setView({ [key]: (key === "open") === !fold ? [...rest, section.name] : rest }, "push");
  };
  const remove = (id: string) => setView({ ids: named.filter((one) => one !== id).join("~") }, "push");
  return (
    <HighlightContext value={highlight}>
      <div className="compare">
        <ProgressLine active={found.isFetching || catalog.isFetching} />
        <div className="compare-set">
          {tasks.map((task) => (
            <Chip
              key={task.id}
              task={task}
              colour={lineStyle(slots.get(task.id) ?? 0, theme).colour}
              differences={differences.get(task.id) ?? []}
              nameless={nameless}
              remove={() => remove(task.id)}
            />
          ))}
          <span className="grow" />
          <span className="segments">
            {(["scalars", "details"] as const).map((tab) => (
              <button type="button" key={tab} aria-pressed={view.tab === tab} onClick={() => setView({ tab }, "push")}>
                {tab}
              </button>
            ))}
          </span>
        </div>
        {found.isError && <ErrorPanel error={found.error} retry={() => void found.refetch()} />}
        {catalog.isError && <ErrorPanel error={catalog.error} retry={() => void catalog.refetch()} />}
        {named.length > ids.length && (
          <div className="banner" role="status">
            The first {MOST} of the {named.length} tasks in this link are shown: more lines cannot be told apart. Remove
            some to see the others.
          </div>
        )}
        {tasks.length < ids.length && found.data && (
          <div className="banner" role="status">
            {ids.length - tasks.length} of the tasks in this link no longer{" "}
            {ids.length - tasks.length === 1 ? "exists" : "exist"}.
          </div>
        )}
        {view.tab === "details" ? (
          <Details
            tasks={tasks}
            labels={labels}
            onlyDifferent={view.diff}
            setOnlyDifferent={(diff) => setView({ diff }, "push")}
          />
        ) : (
          <>
            <ScalarBar view={view} setView={setView} search={search} />
            {catalog.data && entries.length === 0 ? (
              <Empty title="None of these tasks has reported a scalar">
                <p>Their parameters, code and packages are compared under “details”.</p>
              </Empty>
            ) : view.view === "values" ? (
              <Values entries={entries} ids={ids} labels={labels} filter={view.q} />
            ) : (
              <ChartGrid
                sections={sections}
                look={look}
                perRow={view.n}
                folded={folded}
                setFolded={setFolded}
                onZoom={(range) => setView({ z: range }, "push")}
                exportPoints={allPoints}
              />
            )}
          </>
        )}
      </div>
    </HighlightContext>
  );
}

interface ValuesProps {
  entries: readonly SeriesEntry[];
  ids: readonly string[];
  labels: ReadonlyMap<string, string>;
  filter: string;
}

/** Last value of each metric, one column per task. */
function Values({ entries, ids, labels, filter }: ValuesProps) {
  const fits = matcher(filter);
  const rows = new Map<string, TableValue[]>();
  for (const entry of entries) {
    if (isMachine(entry.metric) || !fits(`${entry.metric}/${entry.variant}`)) continue;
    const key = `${entry.metric}\0${entry.variant}`;
    const row = rows.get(key) ?? [entry.metric, entry.variant, ...ids.map(() => null)];
    row[2 + ids.indexOf(entry.task)] = numberOf(entry.count > 0 ? entry.last : entry.single);
    rows.set(key, row);
  }
  const columns = ["metric", "variant", ...ids.map((id) => labels.get(id) ?? id.slice(0, 8))];
  return (
    <div className="scroll">
      <div className="page">
        <div className="panel">
          <DataTable
            name="compare"
            columns={columns}
            rows={[...rows.values()]}
            height={Math.max(300, window.innerHeight - 240)}
          />
        </div>
      </div>
    </div>
  );
}
