import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";

import { useLive } from "~/api/live";
import { call } from "~/api/rpc";
import type { DatasetVersion, GetDatasetsReply } from "~/api/types.gen";

/** The name of the hidden project that holds a dataset ends with this and the dataset's own name. */
const PART = "/.datasets/";

const onlyOne = (reply: GetDatasetsReply) => reply.versions[0] ?? null;

/** One version, also an archived one; null when no version has this id. */
export function useVersion(id: string) {
  const client = useQueryClient();
  useLive(`task:${id}`, (change) => {
    if (change.kind === "task" || change.kind === "resync") void client.invalidateQueries({ queryKey: ["datasets"] });
  });
  return useQuery({
    queryKey: ["datasets", "version", id],
    queryFn: ({ signal }) => call("datasets.get_all", { ids: [id], archived: true }, signal),
    select: onlyOne,
  });
}

/** All versions of a dataset, the newest first. */
export function useVersions(dataset: { project: string; name: string } | null) {
  return useQuery({
    queryKey: ["datasets", "versions", dataset?.project, dataset?.name],
    queryFn: ({ signal }) =>
      call("datasets.get_all", { project: dataset?.project, name: dataset?.name, archived: true }, signal),
    enabled: dataset !== null,
    placeholderData: keepPreviousData,
    select: (reply) => [...reply.versions].sort(newestFirst),
  });
}

/** Project and name of a dataset from the full name of its hidden project. */
export function datasetOf(path: string | undefined): { project: string; name: string } | null {
  const at = path?.lastIndexOf(PART) ?? -1;
  return path && at > 0 ? { project: path.slice(0, at), name: path.slice(at + PART.length) } : null;
}

export function newestFirst(a: DatasetVersion, b: DatasetVersion): number {
  return Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? -1 : 1);
}

const WRITING = new Set(["created", "queued", "in_progress"]);

/** True while files may still be added. */
export function isOpen(version: DatasetVersion): boolean {
  return WRITING.has(version.status);
}

export function titleOf(version: DatasetVersion): string {
  return version.version ? `${version.name} ${version.version}` : version.name;
}
