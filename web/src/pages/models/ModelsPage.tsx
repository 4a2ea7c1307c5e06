import { useParams, useRouter } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useDeferredValue, useMemo, useRef } from "react";

import { call, RpcError } from "~/api/rpc";
import type { GetAllModels } from "~/api/types.gen";
import { formatCount } from "~/state/format";
import { BASE_FIELDS, columnsOf, SHOWN } from "~/pages/models/columns";
import { ModelDialog } from "~/pages/models/ModelDialog";
import { useCrumbTrail } from "~/state/crumbs";
import * as codec from "~/state/codec";
import { useColumnChoice } from "~/state/columnChoice";
import { useProject } from "~/state/directory";
import { csv, saveFile } from "~/state/download";
import { useKeys } from "~/state/keys";
import { modelPath, projectPath } from "~/state/links";
import { MODEL_ACTIONS, type ModelActionName, type ModelRow, setModelTags } from "~/state/modelActions";
import { escapePattern } from "~/state/pattern";
import { usePreferences } from "~/state/preferences";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { DropMenu } from "~/widgets/DropMenu";
import { Go } from "~/widgets/Go";
import { useColumnWidths } from "~/widgets/columnWidths";
import { Grid, type GridColumn } from "~/widgets/Grid";
import { BLOCK, type GridSource, isMoving, useGridRows } from "~/widgets/gridRows";
import { nextSort, useGridSelection } from "~/widgets/gridSelection";
import { MissingThing } from "~/widgets/MissingThing";
import { NothingHere } from "~/widgets/NothingHere";
import { useViewport } from "~/widgets/scroll";
import { SelectionBar } from "~/widgets/SelectionBar";
import { ErrorPanel, ProgressLine, Snippet } from "~/widgets/states";

const VIEW = {
  q: codec.text(),
  st: codec.choice("all", ["all", "published", "draft"] as const),
  t: codec.list(),
  fw: codec.list(),
  s: codec.list(["-created"]),
  /** None: the usual ones. */
  c: codec.list(),
  archived: codec.flag(),
};
type View = codec.ViewOf<typeof VIEW>;
const ROW_HEIGHT = { compact: 28, normal: 32, roomy: 40 };
const ACTIONS: ModelActionName[] = ["publish", "archive", "restore", "delete"];

function requestOf(project: string, view: View): GetAllModels {
  const order = view.s.map((key) => {
    const down = key.startsWith("-") ? "-" : "";
    return down + (columnsOf(NOBODY, []).find((one) => one.id === key.replace(/^-/, ""))?.order ?? "created");
  });
  const text = view.q.trim();
  return {
    project: project === "*" ? undefined : [project],
    include_subprojects: true,
    _any_: text ? { fields: ["name", "id", "comment"], pattern: escapePattern(text) } : undefined,
    ready: view.st === "all" ? undefined : view.st === "published",
    tags: view.t.length ? ["__$all", ...view.t] : undefined,
    framework: view.fw.length ? [...view.fw] : undefined,
    system_tags: [view.archived ? "archived" : "-archived"],
    order_by: order,
    only_fields: BASE_FIELDS,
  };
}

const NOBODY: ReadonlyMap<string, string> = new Map();

function sourceOf(request: GetAllModels): GridSource<ModelRow> {
  return {
    key: ["models", "table", request],
    page: async (block, signal) => {
      const reply = await call("models.get_all_ex", { ...request, page: block, page_size: BLOCK }, signal);
      return { rows: reply.models as ModelRow[], total: reply.total ?? reply.models.length };
    },
    some: async (id) =>
      (await call("models.get_all_ex", { id, only_fields: BASE_FIELDS, page_size: 500 })).models as ModelRow[],
    belonging: async (id) =>
      (await call("models.get_all_ex", { ...request, id, only_fields: ["id"], page: 0, page_size: 500 })).models.map(
        (model) => model.id ?? "",
      ),
    count: async () =>
      (await call("models.get_all_ex", { ...request, only_fields: ["id"], page: 0, page_size: 1 })).total ?? 0,
    moving: isMoving(request.order_by ?? []),
    topic: "models",
  };
}

/** Names of the tasks that made these models. */
function useMakers(rows: readonly ModelRow[]): ReadonlyMap<string, string> {
  const ids = [...new Set(rows.flatMap((row) => (row.task ? [row.task] : [])))].sort();
  const found = useQuery({
    queryKey: ["tasks", "names", ids],
    queryFn: ({ signal }) =>
      call(
        "tasks.get_all_ex",
        { id: ids, only_fields: ["id", "name"], search_hidden: true, page_size: 500, page: 0 },
        signal,
      ),
    enabled: ids.length > 0,
    staleTime: 60_000,
  });
  return useMemo(
    () => new Map((found.data?.tasks ?? []).map((task) => [task.id ?? "", task.name ?? ""])),
    [found.data],
  );
}

export function ModelsPage() {
  const { pid = "*" } = useParams({ strict: false });
  return <ModelTable key={pid} pid={pid} />;
}

function ModelTable({ pid }: { pid: string }) {
  const router = useRouter();
  const project = useProject(pid);
  const [view, setView] = useView(VIEW);
  const rowHeight = ROW_HEIGHT[usePreferences().density];
  const text = useDeferredValue(view.q);
  const source = useMemo(() => sourceOf(requestOf(pid, { ...view, q: text })), [pid, view, text]);
  const place = `models:${pid}`;
  const [kept, keep] = useColumnChoice(place);
  const box = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const viewport = useViewport(box);
  const hover = useRef(false);
  const frozen = useCallback(() => hover.current || box.current?.contains(document.activeElement) === true, []);
  const first = Math.floor(viewport.top / rowHeight);
  const rows = useGridRows(source, [first, first + Math.ceil(viewport.height / rowHeight) + 1], frozen);
  const loaded = rows.loaded();
  const makers = useMakers(loaded);
  // The address is for those who get the link; where it says nothing, the user's own choice holds.
  const own = view.c.length > 0 ? view.c : kept;
  const metadata = [
    ...new Set([
      ...own.flatMap((id) => (id.startsWith("meta:") ? [id.slice(5)] : [])),
      ...loaded.flatMap((row) => Object.keys(row.metadata ?? {})),
    ]),
  ].sort();
  const known = columnsOf(makers, metadata);
  const ids = own.length ? own : pid === "*" ? [...SHOWN.slice(0, 5), "project", ...SHOWN.slice(5)] : SHOWN;
  const columns = ids
    .map((id) => known.find((one) => one.id === id))
    .filter((one): one is GridColumn<ModelRow> => one !== undefined);
  const [widths, setWidth] = useColumnWidths("models", place);
  const selection = useGridSelection(box, rows, rowHeight, (row) =>
    router.history.push(modelPath(row.project, row.id)),
  );
  useKeys({ "/": () => search.current?.focus() });
  const name = pid === "*" ? "All models" : (project.data?.name ?? "…");
  useCrumbTrail(
    pid === "*"
      ? [{ label: name }]
      : [{ label: "Projects", to: "/projects" }, { label: name, to: projectPath(pid) }, { label: "Models" }],
  );
  const setColumns = (next: readonly string[]) => {
    keep(next);
    setView({ c: [...next] });
  };
  const exportRows = () => {
    const context = { user: NOBODY, project: NOBODY, now: Date.now() / 1000 };
    const table = loaded.map((row) => [
      row.id,
      ...columns.map((column) =>
        column.id === "user" ? row.user : column.id === "project" ? row.project : column.plain(row, context),
      ),
    ]);
    saveFile(`${name}.csv`, csv([["id", ...columns.map((column) => column.title)], ...table]), "text/csv");
  };
  if (project.error instanceof RpcError && project.error.missing) return <MissingThing kind="project" id={pid} />;
  const filtered = view.q !== "" || view.st !== "all" || view.t.length > 0 || view.fw.length > 0 || view.archived;
  const clear = () => setView({ q: "", st: "all", t: [], fw: [], archived: false }, "push");
  const toggled = (list: readonly string[], item: string) =>
    list.includes(item) ? list.filter((one) => one !== item) : [...list, item];
  const frameworks = [
    ...new Set([...view.fw, ...loaded.flatMap((row) => (row.framework ? [row.framework] : []))]),
  ].sort();
  const tags = [...new Set([...view.t, ...loaded.flatMap((row) => row.tags ?? [])])].sort();
  return (
    <div className="tasks">
      <ProgressLine active={rows.fetching} />
      <div className="tasks-bar">
        {pid !== "*" && (
          <nav className="segments" aria-label="In this project">
            <Go to={projectPath(pid)}>Tasks</Go>
            <Go to={modelPath(pid)} aria-current="page">
              Models
            </Go>
          </nav>
        )}
        <label className="search" style={{ width: 240 }}>
          <Icon name="search" size={14} />
          <input
            ref={search}
            className="input"
            placeholder="Name, id, comment  ( / )"
            aria-label="Filter models"
            value={view.q}
            onChange={(event) => setView({ q: event.target.value })}
          />
        </label>
        <span className="row" style={{ gap: 4 }} role="group" aria-label="State">
          {(["published", "draft"] as const).map((state) => (
            <button
              type="button"
              key={state}
              className="chip"
              aria-pressed={view.st === state}
              onClick={() => setView({ st: view.st === state ? "all" : state }, "push")}
            >
              {state}
            </button>
          ))}
        </span>
        <Picker
          icon="model"
          label="Framework"
          options={frameworks}
          chosen={view.fw}
          toggle={(one) => setView({ fw: toggled(view.fw, one) }, "push")}
        />
        <Picker
          icon="tag"
          label="Tags"
          options={tags}
          chosen={view.t}
          toggle={(one) => setView({ t: toggled(view.t, one) }, "push")}
        />
        {filtered && (
          <button type="button" className="link-button" onClick={clear}>
            Clear filters
          </button>
        )}
        <span className="grow" />
        <span className="muted num">
          {rows.pending ? "" : `${formatCount(rows.total)} ${rows.total === 1 ? "model" : "models"}`}
        </span>
        <button
          type="button"
          className="button"
          aria-pressed={view.archived}
          onClick={() => setView({ archived: !view.archived }, "push")}
        >
          <Icon name="archive" size={13} />
          archive
        </button>
        <Picker
          icon="columns"
          label="Columns"
          fixed
          options={known.map((one) => one.id)}
          names={new Map(known.map((one) => [one.id, one.title]))}
          chosen={ids}
          toggle={(one) => setColumns(one === "name" ? ids : toggled(ids, one))}
        />
        <button
          type="button"
          className="icon-button"
          title="Download the loaded rows as CSV"
          aria-label="Download CSV"
          onClick={exportRows}
        >
          <Icon name="download" />
        </button>
      </div>
      {rows.error !== null && <ErrorPanel error={rows.error} retry={rows.retry} />}
      {rows.waiting > 0 && (
        <button type="button" className="button primary new-pill" onClick={rows.applyWaiting}>
          {rows.waiting} new
        </button>
      )}
      {!rows.pending && rows.total === 0 && rows.error === null ? (
        <NoModel filtered={filtered} clear={clear} />
      ) : (
        <Grid
          label="Models"
          box={box}
          view={viewport}
          rowHeight={rowHeight}
          rows={rows}
          columns={columns}
          widths={widths}
          setWidth={setWidth}
          sort={view.s}
          setSort={(id, add) => setView({ s: nextSort(view.s, id, add, VIEW.s.initial) }, "push")}
          selected={new Set(selection.selected.keys())}
          toggle={selection.toggle}
          at={selection.at}
          setAt={selection.setAt}
          onHover={(inside) => {
            hover.current = inside;
          }}
        />
      )}
      {selection.selected.size > 0 && <Bulk selected={[...selection.selected.values()]} clear={selection.clear} />}
    </div>
  );
}

interface PickerProps {
  icon: string;
  label: string;
  options: readonly string[];
  chosen: readonly string[];
  toggle: (option: string) => void;
  names?: ReadonlyMap<string, string>;
  /** The button keeps its label, whatever is chosen. */
  fixed?: boolean;
}

function Picker({ icon, label, options, chosen, toggle, names, fixed }: PickerProps) {
  return (
    <DropMenu
      target={
        <button
          type="button"
          className="button"
          aria-pressed={!fixed && chosen.length > 0}
          title={fixed ? undefined : chosen.join(", ") || undefined}
        >
          <Icon name={icon} size={13} />
          <span className="cut">{!fixed && chosen.length ? chosen.join(", ") : label}</span>
        </button>
      }
      entries={
        options.length
          ? options.map((one) => ({
              label: names?.get(one) ?? one,
              icon: chosen.includes(one) ? "check" : undefined,
              run: () => toggle(one),
            }))
          : [{ label: "None is in use", disabled: true, run: () => undefined }]
      }
    />
  );
}

function Bulk({ selected, clear }: { selected: readonly ModelRow[]; clear: () => void }) {
  return (
    <SelectionBar
      noun="models"
      things={selected}
      able={ACTIONS.filter((name) => selected.some((model) => MODEL_ACTIONS[name].refuse(model) === null))}
      actions={MODEL_ACTIONS}
      tagMethod="models.edit"
      saveTags={setModelTags}
      clear={clear}
      dialog={(name, close) => <ModelDialog name={name} models={selected} close={close} done={clear} />}
    />
  );
}

function NoModel({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  return (
    <NothingHere noun="model" filtered={filtered} clear={clear}>
      <p>A model appears when a task saves weights. Frameworks that are known are followed; this does it by hand:</p>
      <Snippet
        code={
          'from trialbook import OutputModel, Task\n\ntask = Task.init(project_name="examples", task_name="first model")\nmodel = OutputModel(task=task, name="classifier", framework="PyTorch")\nmodel.update_weights("weights.pt")'
        }
      />
    </NothingHere>
  );
}
