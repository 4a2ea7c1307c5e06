import "~/pages/tasks/tasks.css";

import { useParams, useRouter } from "@tanstack/react-router";
import { useCallback, useDeferredValue, useMemo, useRef, useState } from "react";

import { useAutomaticColumns } from "~/pages/tasks/automatic";
import { BulkBar } from "~/pages/tasks/BulkBar";
import { ColumnPicker } from "~/pages/tasks/ColumnPicker";
import { type Column, columnOf, type Row } from "~/pages/tasks/columns";
import { requestOf, sourceOf, VIEW } from "~/pages/tasks/query";
import { Toolbar } from "~/pages/tasks/Toolbar";
import { RpcError } from "~/api/rpc";
import { useCrumbTrail } from "~/state/crumbs";
import { useColumnChoice } from "~/state/columnChoice";
import { useProject } from "~/state/directory";
import { csv, saveFile } from "~/state/download";
import { useKeys } from "~/state/keys";
import { projectPath, taskPath } from "~/state/links";
import { usePreferences } from "~/state/preferences";
import { useView } from "~/state/view";
import { useColumnWidths } from "~/widgets/columnWidths";
import { Grid } from "~/widgets/Grid";
import { useGridRows } from "~/widgets/gridRows";
import { nextSort, useGridSelection } from "~/widgets/gridSelection";
import { MissingThing } from "~/widgets/MissingThing";
import { NothingHere } from "~/widgets/NothingHere";
import { useViewport } from "~/widgets/scroll";
import { statusWord } from "~/widgets/Status";
import { ErrorPanel, ProgressLine, Snippet } from "~/widgets/states";

const ROW_HEIGHT = { compact: 28, normal: 32, roomy: 40 };

export function TasksPage() {
  const { pid = "*" } = useParams({ strict: false });
  return <TaskTable key={pid} pid={pid} />;
}

function TaskTable({ pid }: { pid: string }) {
  const router = useRouter();
  const project = useProject(pid);
  const [view, setView] = useView(VIEW);
  const rowHeight = ROW_HEIGHT[usePreferences().density];
  const text = useDeferredValue(view.q);
  const plain = useMemo(() => requestOf(pid, { ...view, q: text }, []), [pid, view, text]);
  const [kept, keep] = useColumnChoice(pid);
  // The address is for those who get the link; where it says nothing, the user's own choice for the project holds.
  const own = view.c.length > 0 ? view.c : kept;
  const automatic = useAutomaticColumns(plain, own.length === 0);
  const ids = useMemo(() => {
    const base = own.length > 0 ? own : automatic;
    return pid === "*" && !base.includes("project") ? [...base.slice(0, 2), "project", ...base.slice(2)] : base;
  }, [pid, own, automatic]);
  const columns = useMemo(() => ids.map(columnOf).filter((column): column is Column => column !== null), [ids]);
  const request = useMemo(() => requestOf(pid, { ...view, q: text }, columns), [pid, view, text, columns]);

  const box = useRef<HTMLDivElement>(null);
  const viewport = useViewport(box);
  const first = Math.floor(viewport.top / rowHeight);
  const hover = useRef(false);
  const frozen = useCallback(() => hover.current || box.current?.contains(document.activeElement) === true, []);
  const source = useMemo(() => sourceOf(pid, request), [pid, request]);
  const rows = useGridRows(source, [first, first + Math.ceil(viewport.height / rowHeight) + 1], frozen);

  const [widths, setWidth] = useColumnWidths("tasks", pid);
  const [picking, setPicking] = useState(false);
  const search = useRef<HTMLInputElement>(null);

  const { selected, clear, toggle, at, setAt } = useGridSelection(box, rows, rowHeight, (row) =>
    router.history.push(taskPath(row.project, row.id)),
  );
  useKeys({ "/": () => search.current?.focus() });
  const setSort = (id: string, add: boolean) => setView({ s: nextSort(view.s, id, add, VIEW.s.initial) }, "push");
  const name = pid === "*" ? "All tasks" : (project.data?.name ?? "…");
  useCrumbTrail(
    pid === "*"
      ? [{ label: name }]
      : [
          { label: "Projects", to: "/projects" },
          { label: name, to: projectPath(pid) },
        ],
  );
  const setColumns = (c: string[]) => {
    keep(c);
    setView({ c });
  };
  const exportRows = () => {
    const context = { user: new Map<string, string>(), project: new Map<string, string>(), now: Date.now() / 1000 };
    const table = rows
      .loaded()
      .map((row) => [row.id, ...columns.map((column) => PLAIN[column.id]?.(row) ?? column.plain(row, context))]);
    saveFile(`${name}.csv`, csv([["id", ...columns.map((column) => column.title)], ...table]), "text/csv");
  };
  if (project.error instanceof RpcError && project.error.missing) return <MissingThing kind="project" id={pid} />;
  const filtered = view.q !== "" || view.st.length > 0 || view.t.length > 0 || view.archived;
  return (
    <div className="tasks">
      <ProgressLine active={rows.fetching} />
      <Toolbar
        project={pid}
        view={view}
        setView={setView}
        total={rows.pending ? null : rows.total}
        search={search}
        openColumns={() => setPicking(true)}
        exportRows={exportRows}
      />
      {rows.error !== null && <ErrorPanel error={rows.error} retry={rows.retry} />}
      {rows.waiting > 0 && (
        <button type="button" className="button primary new-pill" onClick={rows.applyWaiting}>
          {rows.waiting} new
        </button>
      )}
      {!rows.pending && rows.total === 0 && rows.error === null ? (
        <NoTask
          filtered={filtered}
          project={project.data?.name ?? "examples"}
          clear={() => setView({ q: "", st: [], t: [], ty: [], archived: false }, "push")}
        />
      ) : (
        <Grid
          label="Tasks"
          box={box}
          view={viewport}
          rowHeight={rowHeight}
          rows={rows}
          columns={columns}
          widths={widths}
          setWidth={setWidth}
          sort={view.s}
          setSort={setSort}
          selected={new Set(selected.keys())}
          toggle={toggle}
          at={at}
          setAt={setAt}
          onHover={(inside) => {
            hover.current = inside;
          }}
        />
      )}
      {selected.size > 0 && <BulkBar project={pid} selected={[...selected.values()]} clear={clear} />}
      {picking && <ColumnPicker project={pid} columns={ids} set={setColumns} close={() => setPicking(false)} />}
    </div>
  );
}

const PLAIN: Record<string, (row: Row) => unknown> = {
  status: (row) => statusWord(row.status ?? ""),
  user: (row) => row.user,
  project: (row) => row.project,
};

function NoTask({ filtered, project, clear }: { filtered: boolean; project: string; clear: () => void }) {
  return (
    <NothingHere noun="task" filtered={filtered} clear={clear}>
      <p>A row appears here as soon as a script calls Task.init:</p>
      <Snippet
        code={`from trialbook import Task\n\ntask = Task.init(project_name="${project}", task_name="first run")`}
      />
    </NothingHere>
  );
}
