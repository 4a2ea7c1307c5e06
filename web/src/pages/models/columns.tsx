import { formatAgo, formatNumber, MISSING } from "~/state/format";
import { modelPath, taskPath } from "~/state/links";
import { shownName } from "~/state/names";
import { archivedModel, type ModelRow } from "~/state/modelActions";
import { shownValue } from "~/state/secrets";
import { Go } from "~/widgets/Go";
import type { CellContext, GridColumn } from "~/widgets/Grid";
import { Icon } from "~/theme/icons";

type Column = GridColumn<ModelRow>;

/** Always fetched: what rows, actions and the page's own columns need. */
export const BASE_FIELDS = [
  "id",
  "name",
  "tags",
  "system_tags",
  "project",
  "user",
  "ready",
  "framework",
  "created",
  "last_update",
  "task",
  "uri",
  "last_iteration",
  "metadata",
];

function simple(
  id: string,
  label: string,
  width: number,
  order: string | undefined,
  text: (row: ModelRow, context: CellContext) => string,
  more: Partial<Column> = {},
): Column {
  return { id, label, title: label, width, order, fields: [], cell: text, plain: text, ...more };
}

export function stateOf(model: ModelRow): string {
  return model.ready ? "published" : "draft";
}

export function ModelState({ model }: { model: ModelRow }) {
  return (
    <>
      <span className="status" data-status={model.ready ? "published" : "created"}>
        <Icon name={model.ready ? "lock" : "dashed"} size={13} />
        {stateOf(model)}
      </span>
      {archivedModel(model) && <span className="chip">archived</span>}
    </>
  );
}

function metadataOf(row: ModelRow, key: string): string {
  const value = row.metadata?.[key]?.value;
  return value ? shownValue(key, value) : (value ?? MISSING);
}

export function columnsOf(tasks: ReadonlyMap<string, string>, metadata: readonly string[]): Column[] {
  return [
    simple("name", "Name", 260, "name", (row) => row.name ?? "", {
      cell: (row) => (
        <Go to={modelPath(row.project, row.id)} className="cut">
          {shownName(row.name)}
        </Go>
      ),
    }),
    simple("state", "State", 110, "ready", stateOf, { cell: (row) => <ModelState model={row} /> }),
    simple("framework", "Framework", 110, "framework", (row) => row.framework || MISSING),
    simple("tags", "Tags", 150, undefined, (row) => (row.tags ?? []).join(", "), {
      cell: (row) =>
        (row.tags ?? []).map((tag) => (
          <span key={tag} className="chip" title={tag}>
            <span className="cut">{tag}</span>
          </span>
        )),
    }),
    simple("task", "Made by", 180, "task", (row) => (row.task ? (tasks.get(row.task) ?? row.task) : MISSING), {
      cell: (row) =>
        row.task ? (
          <Go to={taskPath(null, row.task)} className="cut">
            {tasks.get(row.task) ?? row.task.slice(0, 8)}
          </Go>
        ) : (
          MISSING
        ),
    }),
    simple("project", "Project", 180, "project", (row, context) => context.project.get(row.project ?? "") ?? MISSING),
    simple("user", "User", 100, "user", (row, context) => context.user.get(row.user ?? "") ?? MISSING),
    simple("created", "Created", 110, "created", (row) => row.created ?? MISSING, {
      cell: (row, context) => formatAgo(row.created, context.now),
    }),
    simple("updated", "Updated", 110, "last_update", (row) => row.last_update ?? MISSING, {
      cell: (row, context) => formatAgo(row.last_update, context.now),
    }),
    simple("iteration", "Iteration", 92, "last_iteration", (row) => String(row.last_iteration ?? MISSING), {
      right: true,
      cell: (row) => formatNumber(row.last_iteration),
    }),
    simple("uri", "Address", 300, undefined, (row) => row.uri ?? MISSING),
    ...metadata.map((key) =>
      simple(`meta:${key}`, key, 120, undefined, (row) => metadataOf(row, key), { title: `metadata ${key}` }),
    ),
  ];
}

export const SHOWN = ["name", "state", "framework", "tags", "task", "created", "updated", "iteration"];
