import { useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { call } from "~/api/rpc";
import { formatAgo, formatCount, formatDuration, parseTime } from "~/charts/format";
import { Completeness } from "~/pages/task/Completeness";
import { useTask } from "~/pages/task/context";
import { type ActionName, ACTIONS, refreshTasks, setTags } from "~/state/actions";
import { useUserNames } from "~/state/directory";
import { datasetPath, projectPath, TABS, type TabPath, taskPath } from "~/state/links";
import { toast, toastError } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { ActionDialog } from "~/widgets/ActionDialog";
import { DropMenu } from "~/widgets/DropMenu";
import { Go } from "~/widgets/Go";
import { Status } from "~/widgets/Status";
import { CopyButton } from "~/widgets/states";
import { TagEditor } from "~/widgets/TagEditor";

const MENU: ActionName[] = ["abort", "enqueue", "clone", "publish", "reset", "archive", "restore", "delete"];

function NameField() {
  const task = useTask();
  const [text, setText] = useState(task.name);
  useEffect(() => setText(task.name), [task.name]);
  const save = () => {
    const name = text.trim();
    if (!name || name === task.name) {
      setText(task.name);
      return;
    }
    call("tasks.edit", { task: task.id, name, force: true }).then(refreshTasks, (error: unknown) => {
      setText(task.name);
      toastError(error);
    });
  };
  return (
    <input className="name-edit cut" value={text} aria-label="Name" size={Math.max(8, Math.min(60, text.length))}
      title={task.name} onChange={(event) => setText(event.target.value)} onBlur={save}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          setText(task.name);
          event.currentTarget.blur();
        }
      }} />
  );
}

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
  const [open, setOpen] = useState<ActionName | "tags" | null>(null);
  const progress = Number(task.runtime["progress"] ?? Number.NaN);
  const archived = task.system_tags.includes("archived");
  const told = task.status_message || task.status_reason;
  const why = told === task.status ? "" : told;
  const asAction = { id: task.id, name: task.name, status: task.status, system_tags: task.system_tags, tags: task.tags };
  const share = () => {
    const link = `${location.origin}${taskPath(task.project, task.id, tab)}${location.search}`;
    void navigator.clipboard.writeText(link).then(() => toast("The link to this view is copied."));
  };
  const able = MENU.filter((name) => ACTIONS[name].refuse(asAction) === null);
  return (
    <header className="task-head">
      <div className="title">
        <Status status={task.status} title={why} />
        <NameField />
        {archived && <span className="chip">archived</span>}
        <span className="grow" />
        <Completeness />
        {able.includes("abort") && (
          <button type="button" className="button" onClick={() => setOpen("abort")}>
            <Icon name="stop" size={13} />
            Abort
          </button>
        )}
        <button type="button" className="button" onClick={share}>
          <Icon name="link" size={13} />
          Share
        </button>
        <DropMenu
          target={
            <button type="button" className="button" aria-label="Actions">
              Actions
              <Icon name="down" size={12} />
            </button>
          }
          entries={able.map((name) => ({
            label: ACTIONS[name].verb, icon: ACTIONS[name].icon, danger: ACTIONS[name].danger, run: () => setOpen(name),
          }))}
        />
      </div>
      <div className="facts-line num">
        {task.project && (
          <Go to={projectPath(task.project)} className="cut" title={project}>
            {project ?? "…"}
          </Go>
        )}
        <span className="row" style={{ gap: 2 }}>
          <span className="mono" title={task.id}>{task.id.slice(0, 8)}</span>
          <CopyButton text={task.id} label="Copy the id" />
        </span>
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
        {why && task.status !== "in_progress" && <span className="cut" style={{ maxWidth: 420 }} title={why}>{why}</span>}
        <span className="row" style={{ gap: 4 }}>
          {task.tags.map((tag) => (
            <span key={tag} className="chip">{tag}</span>
          ))}
          <button type="button" className="chip" onClick={() => setOpen("tags")}>
            + tag
          </button>
        </span>
      </div>
      <nav className="tabs" aria-label="Parts of the task">
        {TABS.map((one) => (
          <Go key={one.path} to={taskPath(task.project, task.id, one.path)} aria-current={one.path === tab ? "page" : undefined}>
            {one.label}
          </Go>
        ))}
      </nav>
      {open === "tags" && (
        <TagEditor title="Tags" initial={task.tags} close={() => setOpen(null)} save={(tags) => setTags(task.id, tags)} />
      )}
      {open && open !== "tags" && (
        <ActionDialog name={open} tasks={[asAction]} close={() => setOpen(null)}
          done={open === "delete" ? () => router.history.push(projectPath(task.project ?? "*")) : undefined} />
      )}
    </header>
  );
}
