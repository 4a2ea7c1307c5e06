import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRef } from "react";

import { call } from "~/api/rpc";
import type { PlotsReply } from "~/api/types.gen";
import { matcher } from "~/charts/react/ChartGrid";
import { formatCount } from "~/state/format";
import { useTask } from "~/pages/task/context";
import * as codec from "~/state/codec";
import { useKeys } from "~/state/keys";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { groupPlots, PlotCard, type PlotEvent } from "~/charts/react/PlotCard";
import { Empty, ErrorPanel, ProgressLine, Snippet } from "~/widgets/states";

const VIEW = { q: codec.text(), history: codec.flag() };
const HISTORY = 50;

const grouped = (reply: PlotsReply) => groupPlots(reply.plots as unknown as PlotEvent[]);

export default function Plots() {
  const task = useTask();
  const [view, setView] = useView(VIEW);
  const search = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => search.current?.focus() });
  const plots = useQuery({
    queryKey: ["plots", task.id, view.history],
    queryFn: ({ signal }) =>
      call("events.get_task_plots", { task: task.id, iters: view.history ? HISTORY : 1 }, signal),
    placeholderData: keepPreviousData,
    select: grouped,
  });
  const all = plots.data ?? [];
  const fits = matcher(view.q);
  const shown = all.filter((one) => fits(`${one.metric}/${one.variant}`));
  if (plots.isError && !plots.data) return <ErrorPanel error={plots.error} retry={() => void plots.refetch()} />;
  if (plots.data && all.length === 0) {
    return (
      <Empty title="No plot was reported">
        <p>Figures of Plotly and Matplotlib, confusion matrices, histograms and tables appear here:</p>
        <Snippet
          code={
            'logger = task.get_logger()\nlogger.report_confusion_matrix("confusion", "test", matrix=matrix, iteration=step)\nlogger.report_table("errors", "worst", table_plot=dataframe, iteration=step)'
          }
        />
      </Empty>
    );
  }
  return (
    <>
      <ProgressLine active={plots.isFetching} />
      <div className="tab-bar">
        <label className="search" style={{ width: 240 }}>
          <Icon name="search" size={14} />
          <input
            ref={search}
            className="input"
            placeholder="Plot, regex  ( / )"
            aria-label="Filter plots"
            value={view.q}
            onChange={(event) => setView({ q: event.target.value })}
          />
        </label>
        <button
          type="button"
          className="button"
          aria-pressed={view.history}
          title={`Load the last ${HISTORY} iterations of each plot`}
          onClick={() => setView({ history: !view.history }, "push")}
        >
          earlier iterations
        </button>
        <span className="grow" />
        <span className="muted num">
          {formatCount(shown.length)} {shown.length === 1 ? "plot" : "plots"}
        </span>
      </div>
      <div className="scroll">
        <div className="page plot-grid">
          {shown.map((one) => (
            <PlotCard key={`${one.metric}\0${one.variant}`} series={one} />
          ))}
        </div>
      </div>
    </>
  );
}
