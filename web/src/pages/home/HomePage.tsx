import "~/pages/home/home.css";

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import { useLive } from "~/api/live";
import { call } from "~/api/rpc";
import type { Project, Task } from "~/api/types.gen";
import { formatAgo, formatCount, formatDuration, formatNumber, MISSING, parseTime } from "~/charts/format";
import { useCrumbTrail } from "~/shell/crumbs";
import { useProjectNames } from "~/state/directory";
import { projectPath, taskPath } from "~/state/links";
import { FIRST_RUN } from "~/widgets/snippets";
import { Go } from "~/widgets/Go";
import { Status } from "~/widgets/Status";
import { Empty, ErrorPanel, ProgressLine, Skeleton, Snippet } from "~/widgets/states";

const FIELDS = [
  "id", "name", "status", "status_reason", "status_message", "project", "started", "last_update", "last_iteration",
  "active_duration", "last_metrics", "runtime.progress",
];

type Row = Partial<Task> & { id: string };

function useTasks(label: string, status: string[] | null, size: number) {
  return useQuery({
    queryKey: ["tasks", "home", label],
    queryFn: ({ signal }) =>
      call(
        "tasks.get_all_ex",
        {
          status: status ?? undefined, system_tags: ["-archived"], order_by: ["-last_update"], page: 0, page_size: size,
          only_fields: FIELDS,
        },
        signal,
      ),
    placeholderData: keepPreviousData,
  });
}

/** What runs, what broke, where was I. */
export function HomePage() {
  const client = useQueryClient();
  const running = useTasks("running", ["in_progress", "queued"], 12);
  const recent = useTasks("recent", null, 12);
  const projects = useQuery({
    queryKey: ["projects", "home"],
    queryFn: ({ signal }) =>
      call("projects.get_all_ex", { order_by: ["-last_update"], page: 0, page_size: 8, include_stats: true }, signal),
  });
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useLive("tasks", () => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      void client.invalidateQueries({ queryKey: ["tasks", "home"] });
    }, 1000);
  });
  useCrumbTrail([{ label: "Home" }]);
  const active = (running.data?.tasks ?? []) as Row[];
  const last = (recent.data?.tasks ?? []) as Row[];
  const names = useProjectNames([...active, ...last].flatMap((task) => (task.project ? [task.project] : [])));
  const error = running.error ?? recent.error;
  if (recent.data && last.length === 0) return <Welcome />;
  return (
    <div className="scroll">
      <ProgressLine active={recent.isFetching && !recent.isPending} />
      <div className="page home">
        {error && <ErrorPanel error={error} retry={() => void client.invalidateQueries({ queryKey: ["tasks", "home"] })} />}
        <section className="stack">
          <h2>Running{running.data ? <span className="muted num"> {formatCount(running.data.total ?? active.length)}</span> : null}</h2>
          {running.isPending ? (
            <Skeleton height={90} />
          ) : active.length === 0 ? (
            <p className="muted">Nothing is running or queued.</p>
          ) : (
            <div className="running">
              {active.map((task) => (
                <RunningCard key={task.id} task={task} project={names.get(task.project ?? "")} />
              ))}
            </div>
          )}
          <h2>Recent</h2>
          {recent.isPending ? <Skeleton height={240} /> : <RecentTable tasks={last} names={names} />}
        </section>
        <aside className="stack">
          <h2>Projects</h2>
          {projects.isError && <ErrorPanel error={projects.error} retry={() => void projects.refetch()} />}
          <div className="panel">
            {((projects.data?.projects ?? []) as Project[]).map((project) => (
              <Go key={project.id} className="home-project" to={projectPath(project.id)} title={project.name}>
                <span className="cut grow">{project.name}</span>
                <span className="caption num">{formatCount(project.stats?.["active"]?.total_tasks ?? 0)}</span>
                <span className="caption num">{formatAgo(project.last_update)}</span>
              </Go>
            ))}
          </div>
        </aside>
      </div>
    </div>
  );
}

/** The series that say most in little room: losses and accuracies before the rest, never the machine's own. */
function headline(task: Row): { label: string; value: number | null }[] {
  const all = Object.values(task.last_metrics ?? {}).flatMap((variants) => Object.values(variants));
  const own = all.filter((one) => !one.metric.startsWith(":monitor:"));
  const weight = (name: string) => (/loss|acc|error|score|reward|f1|auc/i.test(name) ? 0 : 1);
  return own
    .sort((a, b) => weight(a.metric) - weight(b.metric))
    .slice(0, 4)
    .map((one) => ({ label: one.metric === one.variant ? one.metric : `${one.metric} / ${one.variant}`, value: one.value }));
}

function RunningCard({ task, project }: { task: Row; project: string | undefined }) {
  const started = parseTime(task.started);
  const progress = Number(task.runtime?.["progress"] ?? Number.NaN);
  return (
    <Go className="panel running-card" to={taskPath(task.project, task.id)}>
      <div className="row">
        <Status status={task.status ?? ""} />
        <strong className="cut grow">{task.name}</strong>
        <span className="caption num">{started ? formatDuration(Date.now() / 1000 - started) : ""}</span>
      </div>
      <div className="caption cut">{project ?? ""}</div>
      <div className="row wrap num" style={{ gap: "2px 16px" }}>
        <span>
          <span className="caption">iteration </span>
          {formatNumber(task.last_iteration)}
        </span>
        {headline(task).map((one) => (
          <span key={one.label} className="cut">
            <span className="caption">{one.label} </span>
            {formatNumber(one.value)}
          </span>
        ))}
      </div>
      {Number.isFinite(progress) && (
        <div className="meter" title={`${Math.round(progress)} %`}>
          <i style={{ width: `${Math.min(100, Math.max(0, progress))}%` }} />
        </div>
      )}
    </Go>
  );
}

function RecentTable({ tasks, names }: { tasks: Row[]; names: ReadonlyMap<string, string> }) {
  return (
    <div className="panel">
      <table className="plain">
        <tbody>
          {tasks.map((task) => (
            <tr key={task.id}>
              <td style={{ width: 110 }}>
                <Status status={task.status ?? ""} title={task.status_message || task.status_reason} />
              </td>
              <td className="cut" style={{ maxWidth: 280 }}>
                <Go to={taskPath(task.project, task.id)}>{task.name}</Go>
              </td>
              <td className="cut muted" style={{ maxWidth: 220 }}>{names.get(task.project ?? "")}</td>
              <td className="right">{task.started ? formatNumber(task.last_iteration) : MISSING}</td>
              <td className="right muted" title={task.last_update}>{formatAgo(task.last_update)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Welcome() {
  return (
    <Empty title="Waiting for the first run">
      <p>Start this, or one of your own scripts, on this machine. The run appears here by itself.</p>
      <Snippet code={FIRST_RUN} />
      <p>
        Another machine needs a key: <Go to="/settings/workspace-configuration">make one</Go>. No script at hand?{" "}
        <code>trialbook demo</code> trains a small classifier.
      </p>
    </Empty>
  );
}
