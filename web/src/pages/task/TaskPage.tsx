import "~/pages/task/task.css";

import { useParams, useRouter } from "@tanstack/react-router";
import { Suspense, useEffect, useMemo } from "react";

import { RpcError } from "~/api/rpc";
import { hasCurves, TaskProvider, useTaskDocument } from "~/pages/task/context";
import { tabComponent } from "~/pages/task/tabs/modules";
import { TaskHead } from "~/pages/task/TaskHead";
import { useCrumbTrail } from "~/state/crumbs";
import { useProject } from "~/state/directory";
import { useKeys } from "~/state/keys";
import { projectPath, TABS, type TabPath, tabOf, taskPath } from "~/state/links";
import { Boundary } from "~/widgets/Boundary";
import { MissingThing } from "~/widgets/MissingThing";
import { ErrorPanel, ProgressLine, Skeleton } from "~/widgets/states";

export function TaskPage() {
  const { pid = "*", tid = "", _splat = "" } = useParams({ strict: false });
  return <OneTask key={tid} pid={pid} tid={tid} rest={_splat} />;
}

function OneTask({ pid, tid, rest }: { pid: string; tid: string; rest: string }) {
  const router = useRouter();
  const found = useTaskDocument(tid);
  const task = found.data;
  const project = useProject(task?.project);
  const home = task?.project ?? pid;
  // An address that names no tab, such as the one that a script prints, opens what there is.
  const bare = rest.replace(/\/+$/, "") === "";
  const tab: TabPath = bare && task && !hasCurves(task) ? "output/log" : tabOf(rest);

  // A link may not know the project ("*"), or name the tab in an older way: the address is put right in place.
  useEffect(() => {
    if (!task) return;
    const right = taskPath(task.project, tid, tab);
    if (pid !== (task.project ?? "*") || rest.replace(/\/+$/, "") !== tab) {
      router.history.replace(right + router.history.location.search + router.history.location.hash);
    }
  }, [task, pid, tid, tab, rest, router]);

  useCrumbTrail([
    { label: "Projects", to: "/projects" },
    ...(home !== "*" ? [{ label: project.data?.name ?? "…", to: projectPath(home) }] : []),
    { label: task?.name ?? "…" },
  ]);
  useKeys(
    Object.fromEntries(TABS.map((one, i) => [String(i + 1), () => router.history.push(taskPath(home, tid, one.path))])),
  );
  const Tab = useMemo(() => tabComponent(tab), [tab]);
  if (found.error instanceof RpcError && found.error.missing && !task) return <MissingThing kind="task" id={tid} />;
  if (!task) {
    return (
      <div className="page stack">
        <ProgressLine active={found.isFetching} />
        {found.isError ? (
          <ErrorPanel error={found.error} retry={() => void found.refetch()} />
        ) : (
          <Skeleton height={80} />
        )}
      </div>
    );
  }
  const gone = found.error instanceof RpcError && found.error.missing;
  return (
    <TaskProvider value={task}>
      <div className="task">
        {gone && <div className="banner">This task was deleted. The page stays until you leave it.</div>}
        <TaskHead tab={tab} project={project.data?.name} />
        <div className="tab">
          <Boundary key={tab}>
            <Suspense fallback={<ProgressLine active />}>
              <Tab />
            </Suspense>
          </Boundary>
        </div>
      </div>
    </TaskProvider>
  );
}
