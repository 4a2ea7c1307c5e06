import { useRouter } from "@tanstack/react-router";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useState } from "react";

import { call } from "~/api/rpc";
import { datasetPath, modelPath, taskPath } from "~/state/links";
import { legible } from "~/state/names";
import { escapePattern } from "~/state/pattern";
import { setPreferences } from "~/state/preferences";
import { Icon } from "~/theme/icons";
import { Dialog } from "~/widgets/Dialog";
import { Status } from "~/widgets/Status";

interface Hit {
  key: string;
  icon: string;
  label: string;
  note: string;
  status?: string;
  to?: string;
  run?: () => void;
}

const ACTIONS: Hit[] = [
  { key: "a1", icon: "home", label: "Home", note: "go", to: "/dashboard" },
  { key: "a2", icon: "folder", label: "Projects", note: "go", to: "/projects" },
  { key: "a3", icon: "list", label: "All tasks", note: "go", to: "/projects/*/tasks" },
  { key: "a8", icon: "model", label: "Models", note: "go", to: "/projects/*/models" },
  { key: "a7", icon: "dataset", label: "Datasets", note: "go", to: "/datasets" },
  { key: "a4", icon: "settings", label: "Settings and keys", note: "go", to: "/settings/workspace-configuration" },
  { key: "a5", icon: "moon", label: "Dark theme", note: "theme", run: () => setPreferences({ theme: "dark" }) },
  { key: "a6", icon: "sun", label: "Light theme", note: "theme", run: () => setPreferences({ theme: "light" }) },
];

async function search(text: string, signal: AbortSignal): Promise<Hit[]> {
  const pattern = escapePattern(text);
  const fields = { fields: ["id", "name"], pattern };
  const [projects, tasks, models, datasets] = await Promise.all([
    call("projects.get_all_ex", { _any_: fields, page: 0, page_size: 6, only_fields: ["id", "name"] }, signal),
    call(
      "tasks.get_all_ex",
      {
        _any_: fields,
        page: 0,
        page_size: 10,
        order_by: ["-last_update"],
        only_fields: ["id", "name", "project", "status"],
        search_hidden: text.length === 32,
      },
      signal,
    ),
    call(
      "models.get_all_ex",
      { _any_: fields, page: 0, page_size: 5, order_by: ["-last_update"], only_fields: ["id", "name", "project"] },
      signal,
    ),
    // An id is that of a version; a name is that of a dataset.
    text.length === 32
      ? call("datasets.get_all", { ids: [text], archived: true }, signal).then((reply) =>
          reply.versions.map((one) => ({
            name: `${one.name} ${one.version}`,
            to: datasetPath(one.project_id, one.id),
            key: one.id,
            project: one.project,
          })),
        )
      : call("datasets.get_summaries", { search_text: text, page: 0, page_size: 6 }, signal).then((reply) =>
          reply.datasets.map((one) => ({ name: one.name, to: datasetPath(one.id), key: one.id, project: one.project })),
        ),
  ]);
  // A version is a task too; it is named once.
  const versions = new Set(datasets.map((one) => one.key));
  return [
    ...projects.projects.map((project) => ({
      key: project.id ?? "",
      icon: "folder",
      label: project.name ?? "",
      note: "project",
      to: `/projects/${project.id}/tasks`,
    })),
    ...datasets.map((one) => ({
      key: one.key,
      icon: "dataset",
      label: one.name,
      note: `dataset in ${one.project}`,
      to: one.to,
    })),
    ...tasks.tasks
      .filter((task) => !versions.has(task.id ?? ""))
      .map((task) => ({
        key: task.id ?? "",
        icon: "list",
        label: task.name ?? "",
        note: "task",
        status: task.status,
        to: taskPath(task.project, task.id ?? ""),
      })),
    ...models.models.map((model) => ({
      key: model.id ?? "",
      icon: "model",
      label: model.name ?? "",
      note: "model",
      to: modelPath(model.project, model.id),
    })),
  ];
}

/** Ctrl K: type a name or paste an id. */
export function Palette({ close }: { close: () => void }) {
  const router = useRouter();
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 150);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery({
    queryKey: ["palette", asked],
    queryFn: ({ signal }) => search(asked, signal),
    enabled: asked.length > 1,
    placeholderData: keepPreviousData,
  });
  const actions = ACTIONS.filter((action) => action.label.toLowerCase().includes(text.trim().toLowerCase()));
  const hits = [...(asked.length > 1 ? (found.data ?? []) : []), ...actions];
  // The list may have become shorter since somebody went down in it.
  const here = Math.min(at, hits.length - 1);
  const choose = (hit: Hit | undefined) => {
    if (!hit) return;
    close();
    hit.run?.();
    if (hit.to) router.history.push(hit.to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      setAt((here + step + hits.length) % Math.max(1, hits.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(hits[here]);
    }
  };
  return (
    <Dialog title="Go to" close={close} size="lg">
      <div className="search">
        <Icon name="search" size={14} />
        <input
          className="input"
          data-autofocus
          placeholder="Name or id of a project, task, dataset or model"
          aria-label="Name or id"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div className="palette-list" role="listbox" aria-label="Results">
        {hits.map((hit, i) => (
          <button
            type="button"
            role="option"
            key={hit.key}
            aria-selected={i === here}
            onMouseMove={() => setAt(i)}
            onClick={() => choose(hit)}
          >
            <Icon name={hit.icon} size={14} />
            <span className="cut">{legible(hit.label)}</span>
            {hit.status && <Status status={hit.status} />}
            <span className="caption">{hit.note}</span>
          </button>
        ))}
        {hits.length === 0 && <p className="muted">Nothing has that name or id.</p>}
      </div>
    </Dialog>
  );
}
