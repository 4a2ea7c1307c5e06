import type { Tile } from "~/api/tiles";
import { formatDuration, formatNumber, parseTime } from "~/state/format";
import { headline, type Row } from "~/pages/home/headline";
import { taskPath } from "~/state/links";
import { shownName } from "~/state/names";
import { Go } from "~/widgets/Go";
import { Sparkline } from "~/widgets/Sparkline";
import { Status } from "~/widgets/Status";

/** What one run does right now. */
export function RunningCard({
  task,
  project,
  tile,
}: {
  task: Row;
  project: string | undefined;
  tile: Tile | undefined;
}) {
  const started = parseTime(task.started);
  const progress = Number(task.runtime?.["progress"] ?? Number.NaN);
  const [first, ...others] = headline(task, 4);
  return (
    <Go className="panel running-card" to={taskPath(task.project, task.id)}>
      <div className="row">
        <Status status={task.status ?? ""} />
        <strong className="cut grow" title={task.name}>
          {shownName(task.name)}
        </strong>
        <span className="caption num">
          {started && task.status === "in_progress" ? formatDuration(Date.now() / 1000 - started) : ""}
        </span>
      </div>
      <div className="caption cut num">
        {project ?? ""}
        {task.last_iteration ? ` · iteration ${formatNumber(task.last_iteration)}` : ""}
        {Number.isFinite(progress) ? ` · ${Math.round(progress)} %` : ""}
      </div>
      {first ? (
        <div className="row" style={{ gap: 12 }}>
          <div style={{ minWidth: 88 }}>
            <div className="big num">{formatNumber(first.value)}</div>
            <div className="caption cut" title={first.label}>
              {first.label}
            </div>
          </div>
          <span className="grow" />
          {tile && <Sparkline x={tile.xLast} y={tile.value} width={190} height={44} />}
        </div>
      ) : (
        <p className="caption">{task.status === "queued" ? "Waits in its queue." : "No value yet."}</p>
      )}
      {others.length > 0 && (
        <div className="row wrap num" style={{ gap: "2px 16px" }}>
          {others.map((one) => (
            <span key={one.label} className="cut">
              <span className="caption">{one.label} </span>
              {formatNumber(one.value)}
            </span>
          ))}
        </div>
      )}
      {Number.isFinite(progress) && (
        <div className="meter" title={`${Math.round(progress)} %`}>
          <i style={{ width: `${Math.min(100, Math.max(0, progress))}%` }} />
        </div>
      )}
    </Go>
  );
}
