import "~/pages/home/home.css";

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { useLive } from "~/api/live";
import { call, callForBytes } from "~/api/rpc";
import { decodeTiles } from "~/api/tiles";
import type { Project } from "~/api/types.gen";
import { formatAgo, formatCount, formatNumber, MISSING, parseTime } from "~/state/format";
import { type Headline, headline, type Row } from "~/pages/home/headline";
import { RunningCard } from "~/pages/home/RunningCard";
import { Welcome } from "~/pages/home/Welcome";
import { useCrumbTrail } from "~/state/crumbs";
import { useProjectNames } from "~/state/directory";
import { projectPath, taskPath } from "~/state/links";
import { shownName } from "~/state/names";
import { masked } from "~/state/secrets";
import { Go } from "~/widgets/Go";
import { Status } from "~/widgets/Status";
import { ErrorPanel, ProgressLine, Skeleton } from "~/widgets/states";

const FIELDS = [
  "id",
  "name",
  "status",
  "status_reason",
  "status_message",
  "project",
  "started",
  "last_update",
  "last_iteration",
  "active_duration",
  "last_metrics",
  "runtime.progress",
];
const DAY = 86_400;
const BUCKETS = 64;

function useTasks(label: string, status: string[] | null, size: number) {
  return useQuery({
    queryKey: ["tasks", "home", label],
    queryFn: ({ signal }) =>
      call(
        "tasks.get_all_ex",
        {
          status: status ?? undefined,
          system_tags: ["-archived", "-dataset"],
          order_by: ["-last_update"],
          page: 0,
          page_size: size,
          only_fields: FIELDS,
        },
        signal,
      ),
    placeholderData: keepPreviousData,
  });
}

/** One small curve per running task, all in one request. */
function useCurves(tasks: readonly Row[]) {
  const series = tasks.flatMap((task) => {
    const [first] = headline(task, 1);
    return first ? [{ task: task.id, metric: first.metric, variant: first.variant }] : [];
  });
  const found = useQuery({
    queryKey: ["tasks", "home", "curves", series],
    queryFn: async ({ signal }) =>
      decodeTiles(
        await callForBytes(
          "series.tiles",
          { series, x: "iter", range: null, buckets: BUCKETS },
          "application/x-trialbook-tiles",
          signal,
        ),
      ),
    enabled: series.length > 0,
    placeholderData: keepPreviousData,
  });
  return new Map((found.data?.tiles ?? []).map((tile) => [tile.task, tile]));
}

/** What runs, what broke, where was I. */
export function HomePage() {
  const client = useQueryClient();
  const running = useTasks("running", ["in_progress", "queued"], 12);
  const failed = useTasks("failed", ["failed"], 6);
  const recent = useTasks("recent", null, 12);
  const projects = useQuery({
    queryKey: ["projects", "home"],
    queryFn: ({ signal }) =>
      call("projects.get_all_ex", { order_by: ["-last_update"], page: 0, page_size: 10, include_stats: true }, signal),
  });
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useLive("tasks", () => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      void client.invalidateQueries({ queryKey: ["tasks", "home"] });
      void client.invalidateQueries({ queryKey: ["projects", "home"] });
    }, 800);
  });
  useCrumbTrail([{ label: "Home" }]);
  const active = (running.data?.tasks ?? []) as Row[];
  const last = (recent.data?.tasks ?? []) as Row[];
  const since = Date.now() / 1000 - DAY;
  const broken = ((failed.data?.tasks ?? []) as Row[]).filter((task) => (parseTime(task.last_update) ?? 0) > since);
  const curves = useCurves(active);
  const names = useProjectNames(
    [...active, ...broken, ...last].flatMap((task) => (task.project ? [task.project] : [])),
  );
  // Once shown the steps stay until the user leaves them, or the last one would never be seen ticked.
  const [welcome, setWelcome] = useState(false);
  const empty = recent.data !== undefined && last.length === 0;
  useEffect(() => {
    if (empty) setWelcome(true);
  }, [empty]);
  const error = running.error ?? failed.error ?? recent.error;
  if (empty || welcome) return <Welcome task={last[last.length - 1]} close={() => setWelcome(false)} />;
  return (
    <div className="scroll">
      <ProgressLine active={recent.isFetching && recent.isPending} />
      <div className="page home">
        {error && (
          <ErrorPanel error={error} retry={() => void client.invalidateQueries({ queryKey: ["tasks", "home"] })} />
        )}
        <section className="stack">
          <h2>
            Running
            {running.data ? (
              <span className="muted num"> {formatCount(running.data.total ?? active.length)}</span>
            ) : null}
          </h2>
          {running.isPending ? (
            <Skeleton height={90} />
          ) : active.length === 0 ? (
            <p className="muted">Nothing is running or queued.</p>
          ) : (
            <div className="running">
              {active.map((task) => (
                <RunningCard
                  key={task.id}
                  task={task}
                  project={names.get(task.project ?? "")}
                  tile={curves.get(task.id)}
                />
              ))}
            </div>
          )}
          {broken.length > 0 && (
            <>
              <h2>Failed in the last 24 hours</h2>
              <FailedTable tasks={broken} names={names} />
            </>
          )}
          <h2>Recent</h2>
          {recent.isPending ? <Skeleton height={240} /> : <RecentTable tasks={last} names={names} />}
        </section>
        <aside className="stack">
          <h2>Projects</h2>
          {projects.isError && <ErrorPanel error={projects.error} retry={() => void projects.refetch()} />}
          <div className="panel">
            {((projects.data?.projects ?? []) as Project[]).map((project) => (
              <ProjectLine key={project.id} project={project} />
            ))}
          </div>
        </aside>
      </div>
    </div>
  );
}

function ProjectLine({ project }: { project: Project }) {
  const stats = project.stats?.["active"];
  const counts = stats?.status_count ?? {};
  return (
    <Go className="home-project" to={projectPath(project.id)} title={project.name}>
      <span className="row">
        <span className="cut grow">{shownName(project.name)}</span>
        <span className="caption num">{formatAgo(project.last_update)}</span>
      </span>
      <span className="caption num row" style={{ gap: 10 }}>
        <span>
          {formatCount(stats?.total_tasks ?? 0)} {stats?.total_tasks === 1 ? "task" : "tasks"}
        </span>
        {(counts["in_progress"] ?? 0) > 0 && (
          <span style={{ color: "var(--running)" }}>{counts["in_progress"]} running</span>
        )}
        {(counts["failed"] ?? 0) > 0 && <span style={{ color: "var(--failed)" }}>{counts["failed"]} failed</span>}
      </span>
    </Go>
  );
}

interface TableProps {
  tasks: Row[];
  names: ReadonlyMap<string, string>;
}

function FailedTable({ tasks, names }: TableProps) {
  return (
    <div className="panel">
      <table className="plain">
        <tbody>
          {tasks.map((task) => (
            <tr key={task.id}>
              <td style={{ width: 110 }}>
                <Status status={task.status ?? ""} />
              </td>
              <td className="cut" style={{ maxWidth: 240 }}>
                <Go to={taskPath(task.project, task.id, "output/log")}>{shownName(task.name)}</Go>
              </td>
              <td className="cut" style={{ maxWidth: 360 }} title={why(task) || undefined}>
                {why(task) || <span className="muted">No reason was given; its console may say more.</span>}
              </td>
              <td className="cut muted" style={{ maxWidth: 160 }}>
                {names.get(task.project ?? "")}
              </td>
              <td className="right muted" title={task.last_update}>
                {formatAgo(task.last_update)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How a task ended, in its own words. */
const why = (task: Row): string => masked(task.status_message || task.status_reason || "");

function RecentTable({ tasks, names }: TableProps) {
  const values: Headline[][] = tasks.map((task) => headline(task, 2));
  return (
    <div className="panel">
      <table className="plain">
        <tbody>
          {tasks.map((task, i) => (
            <tr key={task.id}>
              <td style={{ width: 110 }}>
                <Status status={task.status ?? ""} title={why(task)} />
              </td>
              <td className="cut" style={{ maxWidth: 240 }}>
                <Go to={taskPath(task.project, task.id)}>{shownName(task.name)}</Go>
              </td>
              <td className="cut muted" style={{ maxWidth: 160 }}>
                {names.get(task.project ?? "")}
              </td>
              {[0, 1].map((place) => {
                const one = values[i]?.[place];
                return (
                  <td key={place} className="num cut" style={{ maxWidth: 190 }} title={one?.label}>
                    {one && (
                      <>
                        <span className="caption">{one.label} </span>
                        {formatNumber(one.value)}
                      </>
                    )}
                  </td>
                );
              })}
              <td className="right">{task.started ? formatNumber(task.last_iteration) : MISSING}</td>
              <td className="right muted" title={task.last_update}>
                {formatAgo(task.last_update)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
