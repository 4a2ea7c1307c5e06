import { useQuery } from "@tanstack/react-query";

import { call } from "~/api/rpc";
import { formatAgo, formatBytes, formatCount } from "~/charts/format";
import { useTask } from "~/pages/task/context";
import { Icon } from "~/theme/icons";

/** Has everything arrived that the training machines reported? */
export function Completeness() {
  const { id, last_iteration } = useTask();
  const status = useQuery({
    queryKey: ["journals", id],
    queryFn: ({ signal }) => call("journals.status", { tasks: [id] }, signal),
    refetchInterval: 15_000,
    select: (reply) => reply.tasks[0],
  });
  const state = status.data;
  // Tasks of other clients have no journal, so nothing can be promised about them.
  if (!state || state.journals.length === 0) return null;
  const details = state.journals
    .map((one) => {
      const lost = one.losses.map((loss) => `${loss.count} ${loss.kind} dropped: ${loss.why}`).join("; ");
      const seen = formatAgo(new Date(one.last_seen * 1000).toISOString());
      return `${one.host} (${one.pid}): ${formatBytes(one.acked)} arrived, ${formatBytes(one.backlog)} waiting, seen ${seen} ${lost}`;
    })
    .join("\n");
  if (state.complete) {
    return (
      <span className="badge caption num" title={details}>
        <Icon name="check" size={12} />
        complete to {formatCount(last_iteration)}
      </span>
    );
  }
  const behind = state.journals.filter((one) => one.backlog > 0);
  return (
    <span className="badge caption num" data-tone="warn" title={details}>
      <Icon name="clock" size={12} />
      {state.lost > 0 ? `${formatCount(state.lost)} reports were dropped` : `${formatBytes(state.backlog)} still on ${behind.map((one) => one.host).join(", ")}`}
    </span>
  );
}
