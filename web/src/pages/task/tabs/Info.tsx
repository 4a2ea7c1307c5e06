import { useQuery } from "@tanstack/react-query";

import { call, RpcError } from "~/api/rpc";
import { formatDate, formatDuration, parseTime } from "~/state/format";
import { CompletenessPanel } from "~/pages/task/Completeness";
import { useTask } from "~/pages/task/context";
import { refreshTasks } from "~/state/actions";
import { taskPath } from "~/state/links";
import { shownName } from "~/state/names";
import { masked } from "~/state/secrets";
import { EditableText } from "~/widgets/EditableText";
import { Go } from "~/widgets/Go";
import { Status, statusWord } from "~/widgets/Status";
import { CopyButton, ErrorPanel, Skeleton } from "~/widgets/states";

const INNER = /^_|^progress$/;

function Timeline() {
  const task = useTask();
  const activity = useQuery({
    queryKey: ["activity", task.id],
    queryFn: ({ signal }) => call("tasks.activity", { task: task.id }, signal),
  });
  const gone = activity.error instanceof RpcError && activity.error.missing;
  return (
    <div className="panel">
      <header>
        <h2>Timeline</h2>
      </header>
      <div className="body">
        {activity.isPending && <Skeleton height={80} />}
        {gone && <p className="muted">The task was deleted, and its timeline with it.</p>}
        {activity.isError && !gone && <ErrorPanel error={activity.error} retry={() => void activity.refetch()} />}
        <ol className="timeline">
          {(activity.data?.activity ?? []).map((move) => (
            <li key={`${move.time}${move.to_status}`}>
              <div className="row">
                <Status status={move.to_status} />
                {move.from_status && <span className="caption">from {statusWord(move.from_status)}</span>}
                <span className="caption num">{formatDate(parseTime(move.time))}</span>
              </div>
              <div className="caption">
                {move.user_name && `by ${move.user_name} · `}
                {move.method}
                {move.reason && ` · ${move.reason}`}
                {move.message && move.message !== move.reason && ` · ${move.message}`}
              </div>
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

function Family() {
  const task = useTask();
  const family = useQuery({
    queryKey: ["family", task.id, task.parent],
    queryFn: async ({ signal }) => {
      const fields = ["id", "name", "status", "project"];
      const [children, parents] = await Promise.all([
        call(
          "tasks.get_all_ex",
          { parent: [task.id], only_fields: fields, page: 0, page_size: 50, order_by: ["-created"] },
          signal,
        ),
        task.parent ? call("tasks.get_all_ex", { id: [task.parent], only_fields: fields }, signal) : null,
      ]);
      return { children: children.tasks, total: children.total ?? children.tasks.length, parent: parents?.tasks[0] };
    },
  });
  const { children = [], parent, total = 0 } = family.data ?? {};
  if (!parent && children.length === 0) return null;
  const line = (one: { id?: string; name?: string; status?: string; project?: string | null }) => (
    <div className="row" key={one.id}>
      <Status status={one.status ?? ""} />
      <Go className="cut" to={taskPath(one.project, one.id ?? "", "info")}>
        {shownName(one.name)}
      </Go>
    </div>
  );
  return (
    <div className="panel">
      <header>
        <h2>Family</h2>
      </header>
      <div className="body stack" style={{ gap: 4 }}>
        {parent && <span className="caption">parent</span>}
        {parent && line(parent)}
        {children.length > 0 && <span className="caption num">children ({total})</span>}
        {children.map(line)}
      </div>
    </div>
  );
}

export default function Info() {
  const task = useTask();
  const machine = Object.entries(task.runtime).filter(([key]) => !INNER.test(key));
  const date = (text: string | null) => formatDate(parseTime(text));
  return (
    <div className="scroll">
      <div className="page columns">
        <div className="stack">
          <div className="panel">
            <header>
              <h2>General</h2>
            </header>
            <dl className="facts body num">
              <dt>Id</dt>
              <dd className="row">
                <code>{task.id}</code>
                <CopyButton text={task.id} label="Copy the id" />
              </dd>
              <dt>Status</dt>
              <dd>{statusWord(task.status)}</dd>
              <dt>Reason</dt>
              <dd>{masked(task.status_reason) || "–"}</dd>
              <dt>Message</dt>
              <dd>{masked(task.status_message) || "–"}</dd>
              <dt>Created</dt>
              <dd>{date(task.created)}</dd>
              <dt>Started</dt>
              <dd>{date(task.started)}</dd>
              <dt>Ended</dt>
              <dd>{date(task.completed)}</dd>
              <dt>Active</dt>
              <dd>{formatDuration(task.active_duration)}</dd>
              <dt>Last report</dt>
              <dd>{date(task.last_update)}</dd>
              <dt>Worker</dt>
              <dd>{task.last_worker ?? "–"}</dd>
              {task.system_tags.length > 0 && (
                <>
                  <dt>System tags</dt>
                  <dd>{task.system_tags.join(", ")}</dd>
                </>
              )}
            </dl>
          </div>
          <div className="panel">
            <header>
              <h2>Machine</h2>
            </header>
            {machine.length === 0 ? (
              <p className="body muted">Nothing about the machine was reported.</p>
            ) : (
              <dl className="facts body num">
                {machine.map(([key, value]) => (
                  <div key={key} style={{ display: "contents" }}>
                    <dt>{key.replaceAll("_", " ")}</dt>
                    <dd>{String(value ?? "–")}</dd>
                  </div>
                ))}
              </dl>
            )}
          </div>
        </div>
        <div className="stack">
          <EditableText
            label="Comment"
            text={task.comment}
            method="tasks.edit"
            save={(comment) => call("tasks.edit", { task: task.id, comment, force: true }).then(refreshTasks)}
          />
          <CompletenessPanel />
          <Timeline />
          <Family />
        </div>
      </div>
    </div>
  );
}
