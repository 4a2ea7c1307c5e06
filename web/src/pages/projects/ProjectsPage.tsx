import "~/pages/projects/projects.css";

import { useParams } from "@tanstack/react-router";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useRef, useState } from "react";

import { useLive } from "~/api/live";
import { call } from "~/api/rpc";
import type { Project } from "~/api/types.gen";
import { formatAgo, formatCount } from "~/state/format";
import { NewProject } from "~/pages/projects/NewProject";
import { ProjectCard, StatusCounts } from "~/pages/projects/ProjectCard";
import { useCrumbTrail } from "~/state/crumbs";
import * as codec from "~/state/codec";
import { useKeys } from "~/state/keys";
import { projectPath } from "~/state/links";
import { shownName } from "~/state/names";
import { patternOf } from "~/state/pattern";
import { useView } from "~/state/view";
import { control } from "~/state/rights";
import { Icon } from "~/theme/icons";
import { Choice } from "~/widgets/Choice";
import { FIRST_RUN } from "~/widgets/snippets";
import { Go } from "~/widgets/Go";
import { NothingHere } from "~/widgets/NothingHere";
import { ErrorPanel, ProgressLine, Skeleton, Snippet } from "~/widgets/states";

const VIEW = {
  q: codec.text(),
  view: codec.choice("cards", ["cards", "list"] as const),
  s: codec.choice("recent", ["recent", "name"] as const),
  hidden: codec.flag(),
};

export function ProjectsPage() {
  const { pid } = useParams({ strict: false });
  const [view, setView] = useView(VIEW);
  const [creating, setCreating] = useState(false);
  const text = useDeferredValue(view.q.trim());
  const client = useQueryClient();
  const box = useRef<HTMLInputElement>(null);
  const asked = { text, order: view.s, hidden: view.hidden, parent: pid };
  const projects = useQuery({
    queryKey: ["projects", asked],
    queryFn: ({ signal }) =>
      call(
        "projects.get_all_ex",
        {
          include_stats: true,
          page: 0,
          page_size: 500,
          order_by: view.s === "name" ? ["name"] : ["-last_update"],
          search_hidden: view.hidden,
          parent: pid ? [pid] : undefined,
          _any_: text ? { fields: ["name", "description", "id"], pattern: patternOf(text) } : undefined,
        },
        signal,
      ),
    placeholderData: keepPreviousData,
  });
  useLive("projects", () => void client.invalidateQueries({ queryKey: ["projects"] }));
  useLive("tasks", () => void client.invalidateQueries({ queryKey: ["projects"] }));
  useCrumbTrail([{ label: "Projects", to: "/projects" }]);
  useKeys({
    "/": () => box.current?.focus(),
    n: () => setCreating(true),
  });
  const found = (projects.data?.projects ?? []) as Project[];
  return (
    <div className="scroll">
      <ProgressLine active={projects.isFetching && !projects.isPending} />
      <div className="page stack">
        <div className="row wrap">
          <h1>Projects</h1>
          <span className="muted num">{projects.data ? formatCount(projects.data.total ?? found.length) : ""}</span>
          <span className="grow" />
          <label className="search" style={{ width: 260 }}>
            <Icon name="search" size={14} />
            <input
              ref={box}
              className="input"
              placeholder="Filter by name  ( / )"
              value={view.q}
              aria-label="Filter projects"
              onChange={(event) => setView({ q: event.target.value })}
            />
          </label>
          <Choice value={view.s} options={["recent", "name"]} set={(s) => setView({ s })} label="Order" />
          <Choice value={view.view} options={["cards", "list"]} set={(v) => setView({ view: v })} label="Layout" />
          <button
            type="button"
            className="button"
            aria-pressed={view.hidden}
            title="Show the system's own projects"
            onClick={() => setView({ hidden: !view.hidden })}
          >
            hidden
          </button>
          <button
            type="button"
            className="button primary"
            {...control("projects.create")}
            onClick={() => setCreating(true)}
          >
            New project
          </button>
        </div>
        {projects.isError && <ErrorPanel error={projects.error} retry={() => void projects.refetch()} />}
        {projects.isPending && (
          <div className="project-cards">
            {[0, 1, 2, 3].map((i) => (
              <Skeleton key={i} height={116} />
            ))}
          </div>
        )}
        {projects.data && found.length === 0 && <NoProject filtered={text !== ""} clear={() => setView({ q: "" })} />}
        {view.view === "cards" ? (
          <div className="project-cards">
            {found.map((project) => (
              <ProjectCard key={project.id} project={project} />
            ))}
          </div>
        ) : (
          found.length > 0 && <ProjectList projects={found} />
        )}
      </div>
      {creating && <NewProject close={() => setCreating(false)} />}
    </div>
  );
}

function NoProject({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  return (
    <NothingHere noun="project" filtered={filtered} clear={clear}>
      <p>A project appears with its first run. Copy this into a file and start it:</p>
      <Snippet code={FIRST_RUN} />
    </NothingHere>
  );
}

function ProjectList({ projects }: { projects: Project[] }) {
  return (
    <div className="panel">
      <table className="plain">
        <thead>
          <tr>
            <th>Project</th>
            <th>Tasks by status</th>
            <th className="right">Tasks</th>
            <th>Updated</th>
          </tr>
        </thead>
        <tbody>
          {projects.map((project) => {
            const stats = project.stats?.["active"];
            return (
              <tr key={project.id}>
                <td>
                  <Go to={projectPath(project.id)}>{shownName(project.name)}</Go>
                </td>
                <td>
                  <StatusCounts counts={stats?.status_count ?? {}} />
                </td>
                <td className="right">{formatCount(stats?.total_tasks ?? 0)}</td>
                <td className="num" title={project.last_update}>
                  {formatAgo(project.last_update)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
