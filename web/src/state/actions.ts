import { queryClient } from "~/api/client";
import { call, type MethodName } from "~/api/rpc";
import type { ManyReply } from "~/api/types.gen";
import { toast, toastError } from "~/state/toasts";

export interface ActionTask {
  id: string;
  name: string;
  status: string;
  system_tags?: string[];
  tags?: string[];
}

export type ActionName =
  | "abort"
  | "reset"
  | "publish"
  | "archive"
  | "restore"
  | "delete"
  | "clone"
  | "enqueue"
  | "dequeue";

interface Action {
  verb: string;
  icon: string;
  danger?: boolean;
  /** What it calls, so that a role that may not can be told before. */
  method: MethodName;
  /** What the confirmation says is lost; without it the action runs at once. */
  warning?: string;
  /** Why this task cannot take it, or null. */
  refuse: (task: ActionTask) => string | null;
  /** `queue`: the id of the queue that was chosen, for the one action that needs it. */
  run: (tasks: readonly ActionTask[], queue?: string) => Promise<ManyReply>;
}

const archived = (task: ActionTask) => task.system_tags?.includes("archived") ?? false;
const ids = (tasks: readonly ActionTask[]) => tasks.map((task) => task.id);
const onlyIn = (statuses: string[], why: string) => (task: ActionTask) => (statuses.includes(task.status) ? null : why);

async function each(tasks: readonly ActionTask[], one: (task: ActionTask) => Promise<unknown>): Promise<ManyReply> {
  const reply: ManyReply = { succeeded: [], failed: [] };
  for (const task of tasks) {
    try {
      await one(task);
      reply.succeeded.push({ id: task.id });
    } catch (error) {
      reply.failed.push({ id: task.id, error: { msg: error instanceof Error ? error.message : String(error) } });
    }
  }
  return reply;
}

export const ACTIONS: Record<ActionName, Action> = {
  abort: {
    verb: "Abort",
    method: "tasks.stop_many",
    icon: "stop",
    warning: "The runs are asked to end. What they have reported stays.",
    refuse: onlyIn(["in_progress", "queued"], "only a queued or running task can be aborted"),
    run: (tasks) => call("tasks.stop_many", { ids: ids(tasks), status_reason: "abort request" }),
  },
  enqueue: {
    verb: "Enqueue",
    method: "tasks.enqueue_many",
    icon: "clock",
    refuse: onlyIn(["created", "stopped", "failed"], "only a draft, aborted or failed task can be queued"),
    run: (tasks, queue) => call("tasks.enqueue_many", { ids: ids(tasks), queue }),
  },
  dequeue: {
    verb: "Dequeue",
    method: "tasks.dequeue_many",
    icon: "close",
    refuse: onlyIn(["queued"], "only a queued task can be taken out of its queue"),
    run: (tasks) => call("tasks.dequeue_many", { ids: ids(tasks) }),
  },
  clone: {
    verb: "Clone",
    method: "tasks.clone",
    icon: "clone",
    refuse: () => null,
    run: (tasks) =>
      each(tasks, (task) => call("tasks.clone", { task: task.id, new_task_name: `Clone of ${task.name}` })),
  },
  publish: {
    verb: "Publish",
    method: "tasks.publish_many",
    icon: "lock",
    warning: "A published task can never be changed again.",
    refuse: onlyIn(["stopped", "completed", "closed", "failed"], "only an ended task can be published"),
    run: (tasks) => call("tasks.publish_many", { ids: ids(tasks) }),
  },
  reset: {
    verb: "Reset",
    method: "tasks.reset_many",
    icon: "reset",
    danger: true,
    warning: "Metrics, console, plots, images and output artifacts of these runs are deleted for good.",
    refuse: (task) =>
      task.status === "published"
        ? "a published task cannot be reset"
        : task.status === "in_progress"
          ? "a running task must be aborted first"
          : null,
    run: (tasks) => call("tasks.reset_many", { ids: ids(tasks), force: true }),
  },
  archive: {
    verb: "Archive",
    method: "tasks.archive_many",
    icon: "archive",
    refuse: (task) => (archived(task) ? "it is in the archive already" : null),
    run: (tasks) => call("tasks.archive_many", { ids: ids(tasks) }),
  },
  restore: {
    verb: "Restore",
    method: "tasks.unarchive_many",
    icon: "archive",
    refuse: (task) => (archived(task) ? null : "it is not in the archive"),
    run: (tasks) => call("tasks.unarchive_many", { ids: ids(tasks) }),
  },
  delete: {
    verb: "Delete",
    method: "tasks.delete_many",
    icon: "trash",
    danger: true,
    warning: "The runs and everything they reported are deleted for good.",
    refuse: (task) => (task.status === "in_progress" ? "a running task must be aborted first" : null),
    run: (tasks) => call("tasks.delete_many", { ids: ids(tasks), force: true }),
  },
};

/** Everything on the screen that shows tasks asks again. */
export async function refreshTasks(): Promise<void> {
  await Promise.all(
    [["tasks"], ["task"], ["projects"], ["catalog"], ["tiles"], ["activity"], ["datasets"]].map((queryKey) =>
      queryClient.invalidateQueries({ queryKey }),
    ),
  );
}

/** Runs an action, says what happened, and offers to undo what can be undone. */
export async function act(
  name: ActionName,
  tasks: readonly ActionTask[],
  called = "task",
  queue?: string,
): Promise<ManyReply> {
  const reply = await ACTIONS[name].run(tasks, queue);
  await refreshTasks();
  const n = reply.succeeded.length;
  const noun = n === 1 ? called : `${called}s`;
  const back = name === "archive" ? "restore" : name === "restore" ? "archive" : null;
  const undo = back ? { label: "Undo", run: () => void act(back, tasks, called).catch(toastError) } : undefined;
  if (n) toast(`${PAST[name]} ${n} ${noun}.`, undo);
  if (reply.failed.length) {
    const [first] = reply.failed;
    const why = String(first?.error["msg"] ?? "refused");
    toast(`${reply.failed.length} not changed: ${why}`, undefined, "error");
  }
  return reply;
}

const PAST: Record<ActionName, string> = {
  abort: "Asked to end:",
  reset: "Reset",
  publish: "Published",
  archive: "Archived",
  restore: "Restored",
  delete: "Deleted",
  clone: "Cloned",
  enqueue: "Queued",
  dequeue: "Taken out of the queue:",
};

/** Replaces the tags of one task. */
export async function setTags(task: string, tags: string[]): Promise<void> {
  await call("tasks.edit", { task, tags, force: true });
  await refreshTasks();
}
