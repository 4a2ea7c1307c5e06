import { queryClient } from "~/api/client";
import { call, type MethodName, SESSION_HEADERS } from "~/api/rpc";
import type { Model } from "~/api/types.gen";
import { filePlace } from "~/state/files";
import { toast } from "~/state/toasts";

export type ModelRow = Partial<Model> & { id: string };
export type ModelActionName = "publish" | "archive" | "restore" | "delete";

interface ModelAction {
  verb: string;
  past: string;
  icon: string;
  danger?: boolean;
  /** What it calls, so that a role that may not can be told before. */
  method: MethodName;
  warning?: string;
  refuse: (model: ModelRow) => string | null;
}

export const archivedModel = (model: ModelRow) => model.system_tags?.includes("archived") ?? false;

export const MODEL_ACTIONS: Record<ModelActionName, ModelAction> = {
  publish: {
    verb: "Publish",
    past: "Published",
    method: "models.set_ready",
    icon: "lock",
    warning: "A published model keeps its weights, design, labels and framework for ever.",
    refuse: (model) => (model.ready ? "it is published already" : null),
  },
  archive: {
    verb: "Archive",
    past: "Archived",
    method: "models.archive_many",
    icon: "archive",
    refuse: (model) => (archivedModel(model) ? "it is in the archive already" : null),
  },
  restore: {
    verb: "Restore",
    past: "Restored",
    method: "models.unarchive_many",
    icon: "archive",
    refuse: (model) => (archivedModel(model) ? null : "it is not in the archive"),
  },
  delete: {
    verb: "Delete",
    past: "Deleted",
    method: "models.delete",
    icon: "trash",
    danger: true,
    warning: "The models are deleted for good.",
    refuse: () => null,
  },
};

/** Everything on the screen that shows models asks again. */
export async function refreshModels(): Promise<void> {
  await Promise.all([["models"], ["model"], ["task"]].map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}

async function one(name: ModelActionName, model: ModelRow, files: boolean): Promise<void> {
  if (name === "publish") await call("models.set_ready", { model: model.id, publish_task: false });
  else if (name === "archive") await call("models.archive_many", { ids: [model.id] });
  else if (name === "restore") await call("models.unarchive_many", { ids: [model.id] });
  else {
    const { url } = await call("models.delete", { model: model.id, force: true });
    if (files) await freeWeights(url);
  }
}

/** Deletes the weights when they lie on this server and no other model has the same. */
async function freeWeights(url: string): Promise<void> {
  const { href } = filePlace(url);
  if (!href || href.startsWith("data:")) return;
  const others = await call("models.get_all_ex", {
    uri: [url],
    only_fields: ["id"],
    search_hidden: true,
    page: 0,
    page_size: 1,
  });
  if ((others.total ?? others.models.length) > 0) return;
  const answer = await fetch(href, { method: "DELETE", headers: SESSION_HEADERS, credentials: "same-origin" });
  if (!answer.ok && answer.status !== 404)
    throw new Error(`its weights stay in the storage: the server answered ${answer.status}`);
}

/** Runs an action on each model, says what happened, and offers to undo what can be undone. */
export async function actOnModels(name: ModelActionName, models: readonly ModelRow[], files = true): Promise<void> {
  const failed: string[] = [];
  for (const model of models) {
    try {
      await one(name, model, files);
    } catch (error) {
      failed.push(error instanceof Error ? error.message : String(error));
    }
  }
  await refreshModels();
  const n = models.length - failed.length;
  const back = name === "archive" ? "restore" : name === "restore" ? "archive" : null;
  const undo = back ? { label: "Undo", run: () => void actOnModels(back, models) } : undefined;
  if (n) toast(`${MODEL_ACTIONS[name].past} ${n} ${n === 1 ? "model" : "models"}.`, undo);
  if (failed.length) toast(`${failed.length} not changed: ${failed[0]}`, undefined, "error");
}

export async function setModelTags(model: string, tags: string[]): Promise<void> {
  await call("models.edit", { model, tags });
  await refreshModels();
}
