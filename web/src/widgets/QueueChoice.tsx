import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import { ErrorPanel } from "~/widgets/states";

const NEW = "";

interface Choice {
  queues: readonly { id: string; name: string; waiting: number }[] | undefined;
  error: unknown;
  retry: () => void;
  picked: string;
  pick: (id: string) => void;
  name: string;
  rename: (name: string) => void;
  ready: boolean;
  /** The id of the chosen queue; makes the new one first. Undefined where no queue is asked for. */
  settle: () => Promise<string | undefined>;
}

/** Which queue tasks go to: one of the server's, the default first, or a new one. */
export function useQueueChoice(wanted: boolean): Choice {
  const found = useQuery({
    queryKey: ["queues", "choice"],
    queryFn: ({ signal }) => call("queues.get_all_ex", { order_by: ["name"], page: 0, page_size: 500 }, signal),
    enabled: wanted,
    staleTime: 0,
  });
  const [chosen, pick] = useState<string | null>(null);
  const [name, rename] = useState("");
  const queues = found.data?.queues.map((queue) => ({
    id: String(queue.id),
    name: queue.name || String(queue.id),
    waiting: queue.entries?.length ?? 0,
  }));
  const usual = queues?.find((queue) => queue.name === "default") ?? queues?.[0];
  const picked = chosen ?? usual?.id ?? NEW;
  return {
    queues,
    error: found.error,
    retry: () => void found.refetch(),
    picked,
    pick,
    name,
    rename,
    ready: !wanted || (queues !== undefined && (picked !== NEW || name.trim() !== "")),
    settle: async () => {
      if (!wanted) return undefined;
      return picked === NEW ? (await call("queues.create", { name: name.trim() })).id : picked;
    },
  };
}

export function QueueChoice({ choice }: { choice: Choice }) {
  const { queues, picked } = choice;
  if (choice.error) return <ErrorPanel error={choice.error} retry={choice.retry} />;
  if (!queues) return <p className="muted">Looking for queues…</p>;
  return (
    <>
      <label className="stack" style={{ gap: 4 }}>
        Queue
        <select className="input" value={picked} onChange={(event) => choice.pick(event.target.value)}>
          {queues.map((queue) => (
            <option key={queue.id} value={queue.id}>
              {queue.name}
              {queue.waiting ? ` (${queue.waiting} waiting)` : ""}
            </option>
          ))}
          <option value={NEW}>A new queue…</option>
        </select>
      </label>
      {picked === NEW && (
        <label className="stack" style={{ gap: 4 }}>
          Name of the new queue
          <input className="input" value={choice.name} onChange={(event) => choice.rename(event.target.value)} />
        </label>
      )}
    </>
  );
}
