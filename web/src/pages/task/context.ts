import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useRef } from "react";

import { useLinkState, useLive } from "~/api/live";
import { call } from "~/api/rpc";
import type { Task } from "~/api/types.gen";

const Context = createContext<Task | null>(null);
export const TaskProvider = Context.Provider;

/** The task whose page this is. */
export function useTask(): Task {
  const task = useContext(Context);
  if (!task) throw new Error("useTask outside of a task page");
  return task;
}

const CATCH_UP = 1200;

const KEYS_OF: Record<string, string[][]> = {
  task: [["task"], ["activity"], ["journals"]],
  series: [["catalog"], ["single"]],
  log: [["log"], ["journals"]],
  events: [["plots"], ["images"]],
};

/** Whether the run reported scalars of its own, and not only what its machine did. */
export function hasCurves(task: Task): boolean {
  return Object.values(task.last_metrics ?? {}).some((variants) =>
    Object.values(variants).some((one) => !String(one.metric ?? "").startsWith(":monitor:")),
  );
}

/** The document, refetched as it changes; each kind of change touches only what shows it. */
export function useTaskDocument(id: string) {
  const client = useQueryClient();
  const pending = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useLive(`task:${id}`, (change) => {
    for (const kind of change.kind === "resync" ? Object.keys(KEYS_OF) : [change.kind]) pending.current.add(kind);
    timer.current ??= setTimeout(() => {
      timer.current = null;
      const kinds = [...pending.current];
      pending.current.clear();
      for (const kind of kinds) {
        for (const key of KEYS_OF[kind] ?? []) void client.invalidateQueries({ queryKey: [...key, id] });
      }
    }, 150);
  });
  const found = useQuery({
    queryKey: ["task", id],
    queryFn: ({ signal }) => call("tasks.get_by_id", { task: id }, signal),
    select: (reply) => reply.task as Task,
  });
  // What changed between the first answer and the start of the live link was announced to nobody.
  const linked = useLinkState().kind === "live";
  const moving = found.data ? ["queued", "in_progress"].includes(found.data.status) : false;
  useEffect(() => {
    if (!linked || !moving) return;
    // After the first paint, which needs the machine more.
    const later = setTimeout(() => {
      for (const key of ["task", "catalog"]) void client.invalidateQueries({ queryKey: [key, id] });
    }, CATCH_UP);
    return () => clearTimeout(later);
  }, [client, id, linked, moving]);
  return found;
}
