import { useQuery } from "@tanstack/react-query";
import type { RefObject } from "react";

import { call } from "~/api/rpc";
import { formatCount } from "~/state/format";
import type { TasksView, VIEW } from "~/pages/tasks/query";
import type { SetView } from "~/state/view";
import { modelPath, projectPath } from "~/state/links";
import { Icon } from "~/theme/icons";
import { DropMenu } from "~/widgets/DropMenu";
import { Go } from "~/widgets/Go";
import { STATUSES, statusWord } from "~/widgets/Status";

interface Props {
  project: string;
  view: TasksView;
  setView: SetView<typeof VIEW>;
  total: number | null;
  search: RefObject<HTMLInputElement | null>;
  openColumns: () => void;
  exportRows: () => void;
}

function toggled(list: readonly string[], item: string): string[] {
  return list.includes(item) ? list.filter((one) => one !== item) : [...list, item];
}

export function Toolbar({ project, view, setView, total, search, openColumns, exportRows }: Props) {
  const tags = useQuery({
    queryKey: ["tags", project],
    queryFn: ({ signal }) =>
      call("projects.get_task_tags", { projects: project === "*" ? undefined : [project] }, signal),
    select: (reply) => reply.tags,
    staleTime: 30_000,
  });
  const filtered = view.q !== "" || view.st.length > 0 || view.t.length > 0 || view.ty.length > 0;
  return (
    <div className="tasks-bar">
      {project !== "*" && (
        <nav className="segments" aria-label="In this project">
          <Go to={projectPath(project)} aria-current="page">
            Tasks
          </Go>
          <Go to={modelPath(project)}>Models</Go>
        </nav>
      )}
      <label className="search" style={{ width: 240 }}>
        <Icon name="search" size={14} />
        <input
          ref={search}
          className="input"
          placeholder="Name, id, comment  ( / )"
          aria-label="Filter tasks"
          value={view.q}
          onChange={(event) => setView({ q: event.target.value })}
        />
      </label>
      <span className="row" style={{ gap: 4 }} role="group" aria-label="Status">
        {STATUSES.map((status) => (
          <button
            type="button"
            key={status}
            className="chip"
            aria-pressed={view.st.includes(status)}
            onClick={() => setView({ st: toggled(view.st, status) }, "push")}
          >
            {statusWord(status)}
          </button>
        ))}
      </span>
      <DropMenu
        target={
          <button
            type="button"
            className="button"
            aria-pressed={view.t.length > 0}
            title={view.t.join(", ") || undefined}
          >
            <Icon name="tag" size={13} />
            <span className="cut">{view.t.length ? view.t.join(", ") : "Tags"}</span>
          </button>
        }
        entries={
          tags.data?.length
            ? tags.data.map((tag) => ({
                label: tag,
                icon: view.t.includes(tag) ? "check" : undefined,
                run: () => setView({ t: toggled(view.t, tag) }, "push"),
              }))
            : [{ label: "No tag is in use", disabled: true, run: () => undefined }]
        }
      />
      {filtered && (
        <button type="button" className="link-button" onClick={() => setView({ q: "", st: [], t: [], ty: [] }, "push")}>
          Clear filters
        </button>
      )}
      <span className="grow" />
      <span className="muted num">
        {total === null ? "" : `${formatCount(total)} ${total === 1 ? "task" : "tasks"}`}
      </span>
      {project !== "*" && (
        <button
          type="button"
          className="button"
          aria-pressed={view.flat}
          title="Include the tasks of sub-projects"
          onClick={() => setView({ flat: !view.flat }, "push")}
        >
          sub-projects
        </button>
      )}
      <button
        type="button"
        className="button"
        aria-pressed={view.archived}
        onClick={() => setView({ archived: !view.archived }, "push")}
      >
        <Icon name="archive" size={13} />
        archive
      </button>
      <button type="button" className="button" onClick={openColumns}>
        <Icon name="columns" size={13} />
        Columns
      </button>
      <button
        type="button"
        className="icon-button"
        title="Download the loaded rows as CSV"
        aria-label="Download CSV"
        onClick={exportRows}
      >
        <Icon name="download" />
      </button>
    </div>
  );
}
