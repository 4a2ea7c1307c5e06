import type { Task } from "~/api/types.gen";
import { exact, formatAgo, formatDuration, formatNumber, formatParameter, MISSING, parseTime } from "~/state/format";
import { taskPath } from "~/state/links";
import { md5 } from "~/state/md5";
import { legible, shownName } from "~/state/names";
import { masked, shownValue } from "~/state/secrets";
import { Go } from "~/widgets/Go";
import type { CellContext, GridColumn } from "~/widgets/Grid";
import { Status } from "~/widgets/Status";

export type Row = Partial<Task> & { id: string };

export type Column = GridColumn<Row>;

export const STATS = ["last", "min", "max"] as const;
export type Stat = (typeof STATS)[number];
const STAT_FIELD = { last: "value", min: "min_value", max: "max_value" } as const;

/** Always fetched: what rows, actions and live updates need. */
export const BASE_FIELDS = [
  "id",
  "name",
  "type",
  "status",
  "status_reason",
  "status_message",
  "tags",
  "system_tags",
  "project",
  "user",
  "started",
  "completed",
  "created",
  "last_update",
  "last_iteration",
  "active_duration",
  "runtime.progress",
];

function runSeconds(row: Row, now: number): number | null {
  if (row.status === "in_progress" && row.started) return now - (parseTime(row.started) ?? now);
  if (row.active_duration !== null && row.active_duration !== undefined) return row.active_duration;
  const [start, end] = [parseTime(row.started), parseTime(row.completed)];
  return start !== null && end !== null ? end - start : null;
}

function simple(
  id: string,
  label: string,
  width: number,
  order: string | undefined,
  text: (row: Row, context: CellContext) => string,
  more: Partial<Column> = {},
): Column {
  return { id, label, title: label, width, order, fields: [], cell: text, plain: text, ...more };
}

const PROGRESS = (row: Row) => Number(row.runtime?.["progress"] ?? Number.NaN);

const BUILT_IN: Column[] = [
  simple("type", "Type", 96, "type", (row) => (row.type ?? "").replaceAll("_", " ")),
  simple("name", "Name", 230, "name", (row) => row.name ?? "", {
    cell: (row) => (
      <Go to={taskPath(row.project, row.id)} className="cut">
        {shownName(row.name)}
      </Go>
    ),
  }),
  simple("tags", "Tags", 150, undefined, (row) => (row.tags ?? []).join(", "), {
    cell: (row) =>
      (row.tags ?? []).map((tag) => (
        <span key={tag} className="chip" title={legible(tag)}>
          <span className="cut">{legible(tag)}</span>
        </span>
      )),
  }),
  simple("status", "Status", 124, "status", (row) => masked(row.status_message || row.status_reason || ""), {
    cell: (row) => (
      <>
        <Status status={row.status ?? ""} />
        {row.status === "in_progress" && Number.isFinite(PROGRESS(row)) && (
          <span className="muted num"> {Math.round(PROGRESS(row))} %</span>
        )}
      </>
    ),
  }),
  simple("project", "Project", 180, "project", (row, context) => context.project.get(row.project ?? "") ?? MISSING),
  simple("user", "User", 100, "user", (row, context) => context.user.get(row.user ?? "") ?? MISSING),
  simple("started", "Started", 110, "started", (row) => row.started ?? MISSING, {
    cell: (row, context) => formatAgo(row.started, context.now),
  }),
  simple("updated", "Updated", 110, "last_update", (row) => row.last_update ?? MISSING, {
    cell: (row, context) => formatAgo(row.last_update, context.now),
  }),
  simple("iteration", "Iteration", 92, "last_iteration", (row) => String(row.last_iteration ?? MISSING), {
    right: true,
    cell: (row) => formatNumber(row.last_iteration),
  }),
  simple("runtime", "Run time", 96, "active_duration", (row, context) => formatDuration(runSeconds(row, context.now)), {
    right: true,
  }),
  simple("comment", "Comment", 220, undefined, (row) => masked(row.comment ?? ""), { fields: ["comment"] }),
  simple("parent", "Parent", 120, "parent", (row) => row.parent ?? MISSING, { fields: ["parent"] }),
  simple("worker", "Worker", 140, "last_worker", (row) => row.last_worker ?? MISSING, { fields: ["last_worker"] }),
  simple("commit", "Commit", 100, undefined, (row) => row.script?.version_num ?? "", {
    fields: ["script.version_num"],
    cell: (row) => <code>{(row.script?.version_num ?? "").slice(0, 10) || MISSING}</code>,
  }),
];

export const BUILT_IN_IDS = BUILT_IN.map((column) => column.id);
export const BUILT_IN_LABELS = new Map(BUILT_IN.map((column) => [column.id, column.label]));

function escapePart(text: string): string {
  return text.replace(/[\\:]/g, "\\$&");
}

function splitParts(id: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let i = 0; i < id.length; i += 1) {
    if (id[i] === ":") {
      parts.push(part);
      part = "";
    } else {
      // What stands behind a backslash is meant as it is.
      if (id[i] === "\\") i += 1;
      part += id[i] ?? "";
    }
  }
  return [...parts, part];
}

export function metricColumn(stat: Stat, metric: string, variant: string): string {
  return ["m", stat, metric, variant].map(escapePart).join(":");
}

export function parameterColumn(section: string, name: string): string {
  return ["h", section, name].map(escapePart).join(":");
}

function metric(id: string, stat: Stat, name: string, variant: string): Column {
  const [a, b] = [md5(name), md5(variant)];
  const field = STAT_FIELD[stat];
  const label = name === variant ? name : name === "Summary" ? variant : `${name} / ${variant}`;
  const read = (row: Row) => row.last_metrics?.[a]?.[b]?.[field];
  return {
    id,
    label,
    title: `${stat} of ${name} / ${variant}`,
    width: Math.min(190, 62 + Math.round(6.2 * label.length)),
    right: true,
    fields: [`last_metrics.${a}.${b}.${field}`],
    order: `last_metrics.${a}.${b}.${field}`,
    cell: (row) => formatNumber(read(row)),
    plain: (row) => exact(read(row)),
  };
}

function parameter(id: string, section: string, name: string): Column {
  const read = (row: Row) => {
    const value = row.hyperparams?.[section]?.[name]?.value;
    return value === undefined || value === null ? MISSING : shownValue(name, String(value));
  };
  const dotted = section.includes(".") || name.includes(".");
  return {
    id,
    label: name,
    title: `${section} / ${name}`,
    width: Math.min(150, Math.max(84, 34 + Math.round(6.4 * name.length))),
    right: true,
    // A dot inside a name cannot be told from a path, so such a name fetches its surroundings.
    fields: [dotted ? "hyperparams" : `hyperparams.${section}.${name}`],
    order: dotted ? undefined : `hyperparams.${section}.${name}.value`,
    cell: (row) => formatParameter(read(row)),
    plain: read,
  };
}

/** The column behind an id of the address, or null when the id is none. */
export function columnOf(id: string): Column | null {
  const builtIn = BUILT_IN.find((column) => column.id === id);
  if (builtIn) return builtIn;
  const [kind, first, second, third] = splitParts(id);
  if (kind === "m" && STATS.includes(first as Stat) && second !== undefined && third !== undefined) {
    return metric(id, first as Stat, second, third);
  }
  if (kind === "h" && first !== undefined && second !== undefined) return parameter(id, first, second);
  return null;
}
