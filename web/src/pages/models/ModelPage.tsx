import { useParams, useRouter } from "@tanstack/react-router";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { useLive } from "~/api/live";
import { call, RpcError } from "~/api/rpc";
import type { Model } from "~/api/types.gen";
import { formatAgo, formatCount, MISSING } from "~/state/format";
import { ModelState } from "~/pages/models/columns";
import { ModelDialog } from "~/pages/models/ModelDialog";
import { ModelPanels } from "~/pages/models/ModelPanels";
import { useCrumbTrail } from "~/state/crumbs";
import { useProject, useUserNames } from "~/state/directory";
import { downloadHref, filePlace } from "~/state/files";
import { modelPath, projectPath } from "~/state/links";
import { MODEL_ACTIONS, type ModelActionName, refreshModels, setModelTags } from "~/state/modelActions";
import { allowed } from "~/state/rights";
import { Icon } from "~/theme/icons";
import { Go } from "~/widgets/Go";
import { ActionsMenu, NameField, ShortId, Tags } from "~/widgets/head";
import { MissingThing } from "~/widgets/MissingThing";
import { ErrorPanel, ProgressLine, Skeleton } from "~/widgets/states";

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
    if (model?.project && pid !== model.project)
      router.history.replace(modelPath(model.project, mid) + router.history.location.search);
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
        {found.isError ? (
          <ErrorPanel error={found.error} retry={() => void found.refetch()} />
        ) : (
          <Skeleton height={80} />
        )}
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

function Head({ model, project }: { model: Model; project: string | undefined }) {
  const router = useRouter();
  const users = useUserNames();
  const [open, setOpen] = useState<ModelActionName | null>(null);
  const { href, why } = filePlace(model.uri);
  const able = MENU.filter((name) => MODEL_ACTIONS[name].refuse(model) === null);
  return (
    <header className="task-head">
      <div className="title">
        <Icon name="model" size={18} />
        <NameField
          name={model.name}
          method="models.edit"
          save={(name) => call("models.edit", { model: model.id, name }).then(refreshModels)}
        />
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
        <ActionsMenu
          entries={able.map((name) => ({
            label: MODEL_ACTIONS[name].verb,
            icon: MODEL_ACTIONS[name].icon,
            danger: MODEL_ACTIONS[name].danger,
            run: () => setOpen(name),
            ...allowed(MODEL_ACTIONS[name].method),
          }))}
        />
      </div>
      <div className="facts-line num" style={{ paddingBottom: 10 }}>
        {model.project && (
          <Go to={modelPath(model.project)} className="cut" title={project}>
            {project ?? "…"}
          </Go>
        )}
        <ShortId id={model.id} />
        {model.framework && <span>{model.framework}</span>}
        <span>by {users.get(model.user ?? "") ?? MISSING}</span>
        <span title={model.created}>made {formatAgo(model.created)}</span>
        {model.last_iteration > 0 && <span>iteration {formatCount(model.last_iteration)}</span>}
        <Tags tags={model.tags} method="models.edit" save={(tags) => setModelTags(model.id, tags)} />
      </div>
      {open && (
        <ModelDialog
          name={open}
          models={[model]}
          close={() => setOpen(null)}
          done={open === "delete" ? () => router.history.push(modelPath(model.project)) : undefined}
        />
      )}
    </header>
  );
}
