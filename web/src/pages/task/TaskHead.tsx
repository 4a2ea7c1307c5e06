import { useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { call } from "~/api/rpc";
import { formatAgo, formatCount, formatDuration, parseTime } from "~/state/format";
import { Completeness } from "~/pages/task/Completeness";
import { useTask } from "~/pages/task/context";
import { type ActionName, ACTIONS, refreshTasks, setTags } from "~/state/actions";
import { copyText } from "~/state/clipboard";
import { useUserNames } from "~/state/directory";
import { datasetPath, projectPath, TABS, type TabPath, taskPath } from "~/state/links";
import { allowed, control } from "~/state/rights";
import { masked } from "~/state/secrets";
import { toast } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { ActionDialog } from "~/widgets/ActionDialog";
import { Go } from "~/widgets/Go";
import { ActionsMenu, NameField, ShortId, TabLine, Tags } from "~/widgets/head";
import { Status } from "~/widgets/Status";

const MENU: ActionName[] = ["abort", "enqueue", "dequeue", "clone", "publish", "reset", "archive", "restore", "delete"];

/** Seconds that the run has taken so far. */
function useElapsed(): number | null {
  const task = useTask();
  const running = task.status === "in_progress";
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, [running]);
  const [start, end] = [parseTime(task.started), parseTime(task.completed)];
  if (start === null) return null;
  if (running) return Math.max(0, now - start);
  return task.active_duration ?? (end === null ? null : end - start);
}

export function TaskHead({ tab, project }: { tab: TabPath; project: string | undefined }) {
  const task = useTask();
  const router = useRouter();
  const users = useUserNames();
  const elapsed = useElapsed();
  const [open, setOpen] = useState<ActionName | null>(null);
  const progress = Number(task.runtime["progress"] ?? Number.NaN);
  const archived = task.system_tags.includes("archived");
  const told = task.status_message || task.status_reason;
  const why = told === task.status ? "" : masked(told);
  const asAction = {
    id: task.id,
    name: task.name,
    status: task.status,
    system_tags: task.system_tags,
    tags: task.tags,
  };
  const share = () => {
    const link = `${location.origin}${taskPath(task.project, task.id, tab)}${location.search}`;
    void copyText(link).then((copied) => copied && toast("The link to this view is copied."));
  };
  const able = MENU.filter((name) => ACTIONS[name].refuse(asAction) === null);
  return (
    <header className="task-head">
      <div className="title">
        <Status status={task.status} title={why} />
        <NameField
          name={task.name}
          method="tasks.edit"
          save={(name) => call("tasks.edit", { task: task.id, name, force: true }).then(refreshTasks)}
        />
        {archived && <span className="chip">archived</span>}
        <span className="grow" />
        <Completeness />
        {able.includes("abort") && (
          <button type="button" className="button" {...control(ACTIONS.abort.method)} onClick={() => setOpen("abort")}>
            <Icon name="stop" size={13} />
            Abort
          </button>
        )}
        <button type="button" className="button" onClick={share}>
          <Icon name="link" size={13} />
          Share
        </button>
        <ActionsMenu
          entries={able.map((name) => ({
            label: ACTIONS[name].verb,
            icon: ACTIONS[name].icon,
            danger: ACTIONS[name].danger,
            run: () => setOpen(name),
            ...allowed(ACTIONS[name].method),
          }))}
        />
      </div>
      <div className="facts-line num">
        {task.project && (
          <Go to={projectPath(task.project)} className="cut" title={project}>
            {project ?? "…"}
          </Go>
        )}
        <ShortId id={task.id} />
        {task.system_tags.includes("dataset") ? (
          <Go to={datasetPath(task.project, task.id)}>dataset version</Go>
        ) : (
          <span>{task.type.replaceAll("_", " ")}</span>
        )}
        <span>by {users.get(task.user ?? "") ?? "–"}</span>
        <span title={task.started ?? undefined}>started {formatAgo(task.started)}</span>
        <span>{formatDuration(elapsed)}</span>
        <span>iteration {formatCount(task.last_iteration)}</span>
        {Number.isFinite(progress) && <span>{Math.round(progress)} %</span>}
        {why && task.status !== "in_progress" && (
          <span className="cut" style={{ maxWidth: 420 }} title={why}>
            {why}
          </span>
        )}
        <Tags tags={task.tags} method="tasks.edit" save={(tags) => setTags(task.id, tags)} />
      </div>
      <TabLine
        label="Parts of the task"
        tabs={TABS}
        current={tab}
        to={(path) => taskPath(task.project, task.id, path as TabPath)}
      />
      {open && (
        <ActionDialog
          name={open}
          tasks={[asAction]}
          close={() => setOpen(null)}
          done={open === "delete" ? () => router.history.push(projectPath(task.project ?? "*")) : undefined}
        />
      )}
    </header>
  );
}
