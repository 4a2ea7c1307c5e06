import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import type { JournalStatus, Loss, TaskJournals } from "~/api/types.gen";
import { formatAgo, formatBytes, formatClock, formatCount, formatDate, MISSING } from "~/state/format";
import { useTask } from "~/pages/task/context";
import { Icon } from "~/theme/icons";
import { Dialog } from "~/widgets/Dialog";

// Whoever waits for something has sent lately, or is gone; after this it is said.
const SILENT = 120;

function useJournals(id: string) {
  return useQuery({
    queryKey: ["journals", id],
    queryFn: ({ signal }) => call("journals.status", { tasks: [id] }, signal),
    refetchInterval: 15_000,
    select: (reply) => reply.tasks[0],
  });
}

/** Has everything arrived that the training machines reported? A click says what is missing, and where it is. */
export function Completeness() {
  const { id, last_iteration } = useTask();
  const [open, setOpen] = useState(false);
  const state = useJournals(id).data;
  // Tasks of other clients have no journal, so nothing can be promised about them.
  if (!state || state.journals.length === 0) return null;
  return (
    <>
      <button
        type="button"
        className="badge caption num"
        data-tone={state.complete ? undefined : "warn"}
        onClick={() => setOpen(true)}
        title="What has arrived, and from where"
      >
        <Icon name={state.complete ? "check" : "clock"} size={12} />
        {summary(state, last_iteration)}
      </button>
      {open && (
        <Dialog
          title={state.complete ? "Everything has arrived" : "Not everything is here"}
          close={() => setOpen(false)}
          size="xl"
        >
          <Details state={state} last={last_iteration} />
        </Dialog>
      )}
    </>
  );
}

function summary(state: TaskJournals, last: number): string {
  if (state.complete) return `complete to ${formatCount(last)}`;
  if (state.lost > 0) return `${formatCount(state.lost)} reports are missing`;
  const behind = state.journals.filter((one) => one.backlog > 0).map((one) => one.host);
  return `${formatBytes(state.backlog)} still on ${[...new Set(behind)].join(", ")}`;
}

/** The same as a part of the page. */
export function CompletenessPanel() {
  const { id, last_iteration } = useTask();
  const state = useJournals(id).data;
  if (!state) return null;
  return (
    <section className="panel" aria-label="Completeness">
      <header>
        <h2>Completeness</h2>
      </header>
      <div className="body stack">
        {state.journals.length === 0 ? (
          <p className="muted">
            Its client keeps no journal, so nothing can be promised: what the server got is here, what never reached it
            is not known.
          </p>
        ) : (
          <Details state={state} last={last_iteration} />
        )}
      </div>
    </section>
  );
}

function Details({ state, last }: { state: TaskJournals; last: number }) {
  const losses = state.journals.flatMap((journal) => journal.losses.map((loss) => ({ journal, loss })));
  const now = Date.now() / 1000;
  return (
    <div className="stack">
      <p>
        {state.complete
          ? `All that was reported up to iteration ${formatCount(last)} is here.`
          : [
              state.lost > 0 && `${formatCount(state.lost)} reports were left out by the machine that made them.`,
              state.backlog > 0 &&
                `${formatBytes(state.backlog)} wait on the machine that reported them and come as soon as it reaches the server.`,
            ]
              .filter(Boolean)
              .join(" ")}
      </p>
      <div className="data-table-box">
        <table className="plain" aria-label="Where reports come from">
          <thead>
            <tr>
              <th>Machine</th>
              <th className="right">Process</th>
              <th className="right">Arrived</th>
              <th className="right">Waiting</th>
              <th>Last heard of</th>
              <th>Since</th>
            </tr>
          </thead>
          <tbody>
            {state.journals.map((one) => (
              <tr key={one.journal} title={`journal ${one.journal}`}>
                <td>{one.host}</td>
                <td className="right">{one.pid}</td>
                <td className="right">{formatBytes(one.acked)}</td>
                <td className="right" style={one.backlog > 0 ? { color: "var(--aborted)" } : undefined}>
                  {one.backlog > 0 ? formatBytes(one.backlog) : MISSING}
                </td>
                <td className="num">
                  {formatAgo(new Date(one.last_seen * 1000).toISOString(), now)}
                  {one.backlog > 0 && now - one.last_seen > SILENT && <span className="muted"> · silent</span>}
                </td>
                <td className="num muted">{formatDate(one.first_seen)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {losses.length > 0 && (
        <div className="data-table-box">
          <table className="plain" aria-label="What is missing">
            <thead>
              <tr>
                <th className="right">Missing</th>
                <th>Where</th>
                <th>When</th>
                <th>Why</th>
                <th>Machine</th>
              </tr>
            </thead>
            <tbody>
              {losses.map(({ journal, loss }, i) => (
                <Missing key={`${journal.journal}${i.toString()}`} journal={journal} loss={loss} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {state.backlog > 0 && state.journals.some((one) => one.backlog > 0 && now - one.last_seen > SILENT) && (
        <p className="muted">
          Is that process gone? <code>trialbook sync</code> on its machine sends what it left; the next run there does
          so by itself.
        </p>
      )}
    </div>
  );
}

function Missing({ journal, loss }: { journal: JournalStatus; loss: Loss }) {
  return (
    <tr>
      <td className="right">
        {formatCount(loss.count)} × {loss.kind}
      </td>
      <td className="num">{span(loss.first, loss.last)}</td>
      <td className="num" title={loss.began == null ? undefined : formatDate(loss.began)}>
        {times(loss.began, loss.ended)}
      </td>
      <td style={{ maxWidth: 280 }}>{loss.why}</td>
      <td>
        {journal.host} ({journal.pid})
      </td>
    </tr>
  );
}

function span(first?: number | null, last?: number | null): string {
  if (first == null || last == null) return MISSING;
  return first === last
    ? `near iteration ${formatCount(first)}`
    : `iterations ${formatCount(first)} to ${formatCount(last)}`;
}

function times(began?: number | null, ended?: number | null): string {
  if (began == null) return MISSING;
  return ended == null || ended - began < 1 ? formatDate(began) : `${formatDate(began)} to ${formatClock(ended)}`;
}
