import { queryClient } from "~/api/client";
import { call } from "~/api/rpc";
import { loadTab } from "~/pages/task/tabs/modules";
import { tabOf } from "~/state/links";

const TASK = /^\/projects\/[^/]+\/(?:tasks|experiments)\/([^/]+)\/?(.*)$/;

/**
 * What a first visit of a task page needs, all asked at once: waiting for each part before asking for the next would
 * cost a round trip per part. The keys are those that the page itself uses.
 */
export function prefetchCode(path: string): void {
  const found = TASK.exec(path);
  if (!found) return;
  void import("~/pages/task/TaskPage").catch(() => undefined);
  void loadTab(tabOf(found[2] ?? "")).catch(() => undefined);
}

export function prefetchData(path: string): void {
  const found = TASK.exec(path);
  if (!found) return;
  const id = found[1] as string;
  void queryClient.prefetchQuery({
    queryKey: ["task", id],
    queryFn: ({ signal }) => call("tasks.get_by_id", { task: id }, signal),
  });
  if (tabOf(found[2] ?? "") === "output/metrics/scalar") {
    void queryClient.prefetchQuery({
      queryKey: ["catalog", id],
      queryFn: ({ signal }) => call("series.catalog", { tasks: [id] }, signal),
    });
  }
}
