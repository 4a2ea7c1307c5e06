import { call } from "~/api/rpc";
import type { GetAllTasks } from "~/api/types.gen";
import { BASE_FIELDS, type Column, columnOf, type Row } from "~/pages/tasks/columns";
import * as codec from "~/state/codec";
import { patternOf } from "~/state/pattern";
import { BLOCK, type GridSource, isMoving } from "~/widgets/gridRows";

export const VIEW = {
  q: codec.text(),
  st: codec.list(),
  t: codec.list(),
  ty: codec.list(),
  s: codec.list(["-created"]),
  /** None: the table chooses. */
  c: codec.list(),
  archived: codec.flag(),
  flat: codec.flag(true),
};
export type TasksView = codec.ViewOf<typeof VIEW>;

export function requestOf(project: string, view: TasksView, columns: readonly Column[]): GetAllTasks {
  const order = view.s.flatMap((key) => {
    const down = key.startsWith("-") ? "-" : "";
    const column = columnOf(key.replace(/^-/, ""));
    const name = column?.order ?? (/^-?(created|last_update)$/.test(key) ? key.replace(/^-/, "") : undefined);
    return name ? [down + name] : [];
  });
  return {
    project: project === "*" ? undefined : [project],
    include_subprojects: view.flat,
    _any_: view.q.trim() ? { fields: ["name", "id", "comment"], pattern: patternOf(view.q.trim()) } : undefined,
    status: view.st.length ? [...view.st] : undefined,
    type: view.ty.length ? [...view.ty] : undefined,
    tags: view.t.length ? ["__$all", ...view.t] : undefined,
    // Versions of datasets are tasks too, but have pages of their own.
    system_tags: [view.archived ? "archived" : "-archived", ...(project === "*" ? ["-dataset"] : [])],
    order_by: order.length ? order : ["-created"],
    only_fields: [...new Set([...BASE_FIELDS, ...columns.flatMap((column) => column.fields)])],
  };
}

/** Where the table's rows come from. */
export function sourceOf(project: string, request: GetAllTasks): GridSource<Row> {
  return {
    key: ["tasks", "table", request],
    page: async (block, signal) => {
      const reply = await call("tasks.get_all_ex", { ...request, page: block, page_size: BLOCK }, signal);
      return { rows: reply.tasks as Row[], total: reply.total ?? reply.tasks.length };
    },
    some: async (id) => {
      const reply = await call("tasks.get_all_ex", { id, only_fields: request.only_fields, page_size: 500 });
      return reply.tasks as Row[];
    },
    belonging: async (id) => {
      const reply = await call("tasks.get_all_ex", { ...request, id, only_fields: ["id"], page: 0, page_size: 500 });
      return reply.tasks.map((task) => task.id ?? "");
    },
    count: async () =>
      (await call("tasks.get_all_ex", { ...request, only_fields: ["id"], page: 0, page_size: 1 })).total ?? 0,
    moving: isMoving(request.order_by ?? []),
    topic: project === "*" ? "tasks" : `project:${project}`,
  };
}
