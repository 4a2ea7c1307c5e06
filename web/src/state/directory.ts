import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";

import { useLive } from "~/api/live";
import { call } from "~/api/rpc";
import type { GetAllProjectsReply, GetAllUsersReply } from "~/api/types.gen";

const MINUTE = 60_000;

// A selector that makes a new object must be one function for ever, or each render would make the next.
const userNames = (reply: GetAllUsersReply) => new Map(reply.users.map((user) => [user.id, user.name]));
const projectNames = (reply: GetAllProjectsReply) =>
  new Map(reply.projects.map((project) => [project.id ?? "", project.name ?? ""]));

/** Names of all users by id. */
export function useUserNames(): ReadonlyMap<string, string> {
  const found = useQuery({
    queryKey: ["users"],
    queryFn: ({ signal }) => call("users.get_all", {}, signal),
    staleTime: 5 * MINUTE,
    select: userNames,
  });
  return found.data ?? NOBODY;
}

const NOBODY: ReadonlyMap<string, string> = new Map();

/** Asks again what is kept under `key` when somebody renames, moves or deletes one of these projects. */
function useProjectChanges(ids: readonly string[], key: readonly unknown[]): void {
  const client = useQueryClient();
  useLive(ids.length > 0 ? "projects" : null, ({ kind, keys }) => {
    // Very many are told as none.
    if (kind === "resync" || keys.length === 0 || keys.some((one) => ids.includes(one)))
      void client.invalidateQueries({ queryKey: key });
  });
}

/** One project; `*` and absent ids ask nothing. */
export function useProject(id: string | null | undefined) {
  useProjectChanges(id && id !== "*" ? [id] : [], ["project", id]);
  return useQuery({
    queryKey: ["project", id],
    queryFn: ({ signal }) => call("projects.get_by_id", { project: id as string }, signal),
    enabled: Boolean(id) && id !== "*",
    staleTime: MINUTE,
    select: (reply) => reply.project,
  });
}

/** Names of these projects by id. */
export function useProjectNames(ids: readonly string[]): ReadonlyMap<string, string> {
  const wanted = [...new Set(ids)].sort();
  useProjectChanges(wanted, ["project-names"]);
  const found = useQuery({
    queryKey: ["project-names", wanted],
    queryFn: ({ signal }) =>
      call("projects.get_all", { id: wanted, only_fields: ["id", "name"], search_hidden: true }, signal),
    enabled: wanted.length > 0,
    staleTime: MINUTE,
    placeholderData: keepPreviousData,
    select: projectNames,
  });
  return found.data ?? NOBODY;
}
