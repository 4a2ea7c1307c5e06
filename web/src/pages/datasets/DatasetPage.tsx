import "~/pages/datasets/datasets.css";

import { useQuery } from "@tanstack/react-query";
import { useParams, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { call, RpcError } from "~/api/rpc";
import type { DatasetVersion } from "~/api/types.gen";
import { Content } from "~/pages/datasets/Content";
import { datasetOf, titleOf, useVersion, useVersions } from "~/pages/datasets/data";
import { Info } from "~/pages/datasets/Info";
import { Lineage } from "~/pages/datasets/Lineage";
import { Previews } from "~/pages/datasets/Previews";
import { VersionHead } from "~/pages/datasets/VersionHead";
import { VersionList } from "~/pages/datasets/VersionList";
import { useCrumbTrail } from "~/state/crumbs";
import { useProject } from "~/state/directory";
import { useKeys } from "~/state/keys";
import { datasetPath, taskPath, VERSION_TABS, versionTabOf } from "~/state/links";
import { Boundary } from "~/widgets/Boundary";
import { Go } from "~/widgets/Go";
import { MissingThing } from "~/widgets/MissingThing";
import { Empty, ErrorPanel, ProgressLine, Skeleton } from "~/widgets/states";

/** `/datasets/<dataset>/<version>/<tab>`; without a version the newest one opens. */
export function DatasetPage() {
  const { pid = "*", vid, _splat = "" } = useParams({ strict: false });
  return vid ? <OneVersion key={vid} pid={pid} vid={vid} rest={_splat} /> : <Newest key={pid} pid={pid} />;
}

function Waiting({
  query,
}: {
  query: { isFetching: boolean; isError: boolean; error: unknown; refetch: () => unknown };
}) {
  return (
    <div className="page stack">
      <ProgressLine active={query.isFetching} />
      {query.isError ? <ErrorPanel error={query.error} retry={() => void query.refetch()} /> : <Skeleton height={80} />}
    </div>
  );
}

function Newest({ pid }: { pid: string }) {
  const router = useRouter();
  const project = useProject(pid);
  const dataset = datasetOf(project.data?.name);
  const versions = useVersions(dataset);
  const open = (versions.data ?? []).filter((version) => !version.archived);
  const newest =
    open.find((version) => version.status !== "in_progress" && version.status !== "created") ??
    open[0] ??
    versions.data?.[0];
  useCrumbTrail([{ label: "Datasets", to: "/datasets" }, { label: dataset?.name ?? "…" }]);
  useEffect(() => {
    if (newest) router.history.replace(datasetPath(pid, newest.id) + router.history.location.search);
  }, [newest, pid, router]);
  if (project.error instanceof RpcError && project.error.missing) return <MissingThing kind="dataset" id={pid} />;
  if (project.data && !dataset) return <MissingThing kind="dataset" id={pid} />;
  if (versions.data?.length === 0) {
    return (
      <Empty title="This dataset has no version left">
        <p>
          <Go to="/datasets">All datasets</Go>
        </p>
      </Empty>
    );
  }
  return <Waiting query={project.isError ? project : versions} />;
}

function OneVersion({ pid, vid, rest }: { pid: string; vid: string; rest: string }) {
  const router = useRouter();
  const found = useVersion(vid);
  // Deleted meanwhile: the page stays readable until the user leaves it.
  const last = useRef<DatasetVersion | null>(null);
  if (found.data) last.current = found.data;
  const version = found.data ?? last.current ?? found.data;
  const versions = useVersions(version ? { project: version.project, name: version.name } : null);
  const tab = versionTabOf(rest);
  useEffect(() => {
    // A link may not know the dataset ("*"): the address is put right in place.
    if (version && pid !== version.project_id) {
      router.history.replace(datasetPath(version.project_id, vid, tab) + router.history.location.search);
    }
  }, [version, pid, vid, tab, router]);
  useKeys(
    Object.fromEntries(
      VERSION_TABS.map((one, i) => [String(i + 1), () => router.history.push(datasetPath(pid, vid, one.path))]),
    ),
  );
  useCrumbTrail([
    { label: "Datasets", to: "/datasets" },
    ...(version ? [{ label: `${version.project} / ${version.name}`, to: datasetPath(version.project_id) }] : []),
    { label: version ? version.version || titleOf(version) : "…" },
  ]);
  if (version === null) return <NoVersion id={vid} />;
  if (!version) return <Waiting query={found} />;
  return (
    <div className="dataset">
      {found.data === null && (
        <div className="banner">This version was deleted. The page stays until you leave it.</div>
      )}
      <VersionHead version={version} versions={versions.data ?? [version]} tab={tab} />
      <div className="dataset-body">
        <VersionList current={vid} versions={versions.data ?? [version]} tab={tab} />
        <div className="tab">
          <Boundary key={tab}>
            <Tab tab={tab} version={version} versions={versions.data ?? [version]} />
          </Boundary>
        </div>
      </div>
    </div>
  );
}

/** The id may be that of a plain task: a link that calls one a dataset opens its page all the same. */
function NoVersion({ id }: { id: string }) {
  const router = useRouter();
  const task = useQuery({
    queryKey: ["task", id],
    queryFn: ({ signal }) => call("tasks.get_by_id", { task: id }, signal),
  });
  const found = task.data?.task;
  useEffect(() => {
    if (found) router.history.replace(taskPath(found.project, id));
  }, [found, id, router]);
  if (task.isPending || found) return <ProgressLine active />;
  return (
    <Empty title="No version of a dataset has this id">
      <p className="mono">{id}</p>
      <p>It may have been deleted, or you may lack the right to see it.</p>
      <p>
        <Go to="/datasets">All datasets</Go>
      </p>
    </Empty>
  );
}

function Tab({
  tab,
  version,
  versions,
}: {
  tab: string;
  version: DatasetVersion;
  versions: readonly DatasetVersion[];
}) {
  if (tab === "lineage") return <Lineage version={version} />;
  if (tab === "previews") return <Previews version={version} />;
  if (tab === "info") return <Info version={version} />;
  return <Content version={version} versions={versions} />;
}
