import type { Project } from "~/api/types.gen";
import { formatAgo, formatCount } from "~/state/format";
import { projectPath } from "~/state/links";
import { legible, shownName } from "~/state/names";
import { masked } from "~/state/secrets";
import { Go } from "~/widgets/Go";
import { Status, STATUSES } from "~/widgets/Status";

const TONES: Record<string, string> = {
  created: "--draft",
  queued: "--queued",
  in_progress: "--running",
  completed: "--completed",
  failed: "--failed",
  stopped: "--aborted",
  published: "--published",
};

/** How many tasks stand in each status; statuses without a task take no room. */
export function StatusCounts({ counts }: { counts: Record<string, number> }) {
  const some = STATUSES.filter((status) => counts[status]);
  if (some.length === 0) return <span className="caption">no task</span>;
  return (
    <span className="counts num">
      {some.map((status) => (
        <span key={status} className="row" style={{ gap: 4 }}>
          <Status status={status} />
          {formatCount(counts[status] ?? 0)}
        </span>
      ))}
    </span>
  );
}

function Bar({ counts }: { counts: Record<string, number> }) {
  const some = STATUSES.filter((status) => counts[status]);
  return (
    <div className="bar" aria-hidden="true">
      {some.map((status) => (
        <i key={status} style={{ flex: counts[status], background: `var(${TONES[status] ?? "--muted"})` }} />
      ))}
    </div>
  );
}

export function ProjectCard({ project }: { project: Project }) {
  const stats = project.stats?.["active"];
  const counts = stats?.status_count ?? {};
  const parent = project.name.slice(0, -project.basename.length).replace(/\/$/, "");
  return (
    <Go to={projectPath(project.id)} className="panel project-card" title={legible(project.name)}>
      <div>
        <div className="row path">
          <span className="cut grow">{parent ? legible(`${parent} /`) : ""}</span>
          <span className="num">{formatAgo(stats?.last_task_run ?? project.last_update)}</span>
        </div>
        <h2 className="cut">{shownName(project.basename)}</h2>
      </div>
      {project.description && <p className="caption cut">{masked(project.description)}</p>}
      <div className="foot stack" style={{ gap: 6 }}>
        <StatusCounts counts={counts} />
        <Bar counts={counts} />
      </div>
    </Go>
  );
}
