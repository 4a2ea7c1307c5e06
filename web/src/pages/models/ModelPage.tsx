import { useParams, useRouter } from "@tanstack/react-router";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { useLive } from "~/api/live";
import { call, RpcError } from "~/api/rpc";
import type { Model } from "~/api/types.gen";
import { formatAgo, formatCount, MISSING } from "~/charts/format";
import { ModelState } from "~/pages/models/columns";
import { ModelDialog } from "~/pages/models/ModelDialog";
import { ModelPanels } from "~/pages/models/ModelPanels";
import { useCrumbTrail } from "~/shell/crumbs";
import { useProject, useUserNames } from "~/state/directory";
import { downloadHref, filePlace } from "~/state/files";
import { modelPath, projectPath } from "~/state/links";
import { MODEL_ACTIONS, type ModelActionName, refreshModels, setModelTags } from "~/state/modelActions";
import { toastError } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { DropMenu } from "~/widgets/DropMenu";
import { Go } from "~/widgets/Go";
import { MissingThing } from "~/widgets/MissingThing";
import { CopyButton, ErrorPanel, ProgressLine, Skeleton } from "~/widgets/states";
import { TagEditor } from "~/widgets/TagEditor";

const MENU: ModelActionName[] = ["publish", "archive", "restore", "delete"];

export function ModelPage() {
  const { pid = "*", mid = "" } = useParams({ strict: false });
  return <OneModel key={mid} pid={pid} mid={mid} />;
}

function OneModel({ pid, mid }: { pid: string; mid: string }) {
  const router = useRouter();
  const client = useQueryClient();
  const found = useQuery({
    queryKey: ["model", mid],
    queryFn: ({ signal }) => call("models.get_by_id", { model: mid }, signal),
    select: (reply) => reply.model as Model,
  });
  const model = found.data;
  const project = useProject(model?.project);
  useLive(`model:${mid}`, () => void client.invalidateQueries({ queryKey: ["model", mid] }));
  useEffect(() => {
    // A link may not know the project ("*"): the address is put right in place.
    if (model?.project && pid !== model.project) router.history.replace(modelPath(model.project, mid) + router.history.location.search);
  }, [model?.project, pid, mid, router]);
  useCrumbTrail([
    ...(model?.project ? [{ label: project.data?.name ?? "…", to: projectPath(model.project) }] : []),
    { label: "Models", to: modelPath(model?.project) },
    { label: model?.name ?? "…" },
  ]);
  const missing = found.error instanceof RpcError && found.error.missing;
  if (missing && !model) return <MissingThing kind="model" id={mid} />;
  if (!model) {
    return (
      <div className="page stack">
        <ProgressLine active={found.isFetching} />
        {found.isError ? <ErrorPanel error={found.error} retry={() => void found.refetch()} /> : <Skeleton height={80} />}
      </div>
    );
  }
  return (
    <div className="task">
      {missing && <div className="banner">This model was deleted. The page stays until you leave it.</div>}
      <Head model={model} project={project.data?.name} />
      <div className="scroll">
        <ModelPanels model={model} />
      </div>
    </div>
  );
}

function Name({ model }: { model: Model }) {
  const [text, setText] = useState(model.name);
  useEffect(() => setText(model.name), [model.name]);
  const save = () => {
    const name = text.trim();
    if (!name || name === model.name) {
      setText(model.name);
      return;
    }
    call("models.edit", { model: model.id, name }).then(refreshModels, (error: unknown) => {
      setText(model.name);
      toastError(error);
    });
  };
  return (
    <input className="name-edit cut" value={text} aria-label="Name" size={Math.max(8, Math.min(60, text.length))} title={model.name}
      onChange={(event) => setText(event.target.value)} onBlur={save}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          setText(model.name);
          event.currentTarget.blur();
        }
      }} />
  );
}

function Head({ model, project }: { model: Model; project: string | undefined }) {
  const router = useRouter();
  const users = useUserNames();
  const [open, setOpen] = useState<ModelActionName | "tags" | null>(null);
  const { href, why } = filePlace(model.uri);
  const able = MENU.filter((name) => MODEL_ACTIONS[name].refuse(model) === null);
  return (
    <header className="task-head">
      <div className="title">
        <Icon name="model" size={18} />
        <Name model={model} />
        <ModelState model={model} />
        <span className="grow" />
        {href ? (
          <a className="button" href={downloadHref(href)} download>
            <Icon name="download" size={13} />
            Download
          </a>
        ) : (
          <button type="button" className="button" disabled title={`It cannot be downloaded here: ${why}`}>
            <Icon name="download" size={13} />
            Download
          </button>
        )}
        <DropMenu
          target={
            <button type="button" className="button" aria-label="Actions">
              Actions
              <Icon name="down" size={12} />
            </button>
          }
          entries={able.map((name) => ({
            label: MODEL_ACTIONS[name].verb, icon: MODEL_ACTIONS[name].icon, danger: MODEL_ACTIONS[name].danger, run: () => setOpen(name),
          }))}
        />
      </div>
      <div className="facts-line num" style={{ paddingBottom: 10 }}>
        {model.project && (
          <Go to={modelPath(model.project)} className="cut" title={project}>
            {project ?? "…"}
          </Go>
        )}
        <span className="row" style={{ gap: 2 }}>
          <span className="mono" title={model.id}>{model.id.slice(0, 8)}</span>
          <CopyButton text={model.id} label="Copy the id" />
        </span>
        {model.framework && <span>{model.framework}</span>}
        <span>by {users.get(model.user ?? "") ?? MISSING}</span>
        <span title={model.created}>made {formatAgo(model.created)}</span>
        {model.last_iteration > 0 && <span>iteration {formatCount(model.last_iteration)}</span>}
        <span className="row" style={{ gap: 4 }}>
          {model.tags.map((tag) => (
            <span key={tag} className="chip">{tag}</span>
          ))}
          <button type="button" className="chip" onClick={() => setOpen("tags")}>
            + tag
          </button>
        </span>
      </div>
      {open === "tags" && (
        <TagEditor title="Tags" initial={model.tags} close={() => setOpen(null)} save={(tags) => setModelTags(model.id, tags)} />
      )}
      {open && open !== "tags" && (
        <ModelDialog name={open} models={[model]} close={() => setOpen(null)}
          done={open === "delete" ? () => router.history.push(modelPath(model.project)) : undefined} />
      )}
    </header>
  );
}
