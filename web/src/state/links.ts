/** The addresses of the pages, in one place. */

export const TABS = [
  { path: "execution", label: "Execution" },
  { path: "configuration", label: "Configuration" },
  { path: "artifacts", label: "Artifacts" },
  { path: "info", label: "Info" },
  { path: "output/log", label: "Console" },
  { path: "output/metrics/scalar", label: "Scalars" },
  { path: "output/metrics/plots", label: "Plots" },
  { path: "output/debugImages", label: "Images" },
] as const;

export type TabPath = (typeof TABS)[number]["path"];
export const FIRST_TAB: TabPath = "output/metrics/scalar";

export function taskPath(project: string | null | undefined, task: string, tab: TabPath = FIRST_TAB): string {
  return `/projects/${project || "*"}/tasks/${task}/${tab}`;
}

export function projectPath(project: string): string {
  return `/projects/${project}/tasks`;
}

export const VERSION_TABS = [
  { path: "content", label: "Content" },
  { path: "lineage", label: "Lineage" },
  { path: "previews", label: "Previews" },
  { path: "info", label: "Info" },
] as const;

export type VersionTab = (typeof VERSION_TABS)[number]["path"];

/** A version of a dataset; without `version` the newest one. */
export function datasetPath(dataset: string | null | undefined, version?: string, tab: VersionTab = "content"): string {
  const home = `/datasets/${dataset || "*"}`;
  if (!version) return home;
  return tab === "content" ? `${home}/${version}` : `${home}/${version}/${tab}`;
}

export function versionTabOf(rest: string): VersionTab {
  return VERSION_TABS.find((tab) => rest.startsWith(tab.path))?.path ?? "content";
}

export function modelPath(project: string | null | undefined, model?: string): string {
  const home = `/projects/${project || "*"}/models`;
  return model ? `${home}/${model}` : home;
}

/** The tab for the rest of an address; older and shorter spellings open the page that they mean. */
export function tabOf(rest: string): TabPath {
  const clean = rest.replace(/\/+$/, "");
  const found = TABS.find((tab) => tab.path === clean);
  if (found) return found.path;
  if (clean.startsWith("output/metrics/plots")) return "output/metrics/plots";
  if (clean.startsWith("output/log")) return "output/log";
  if (clean.startsWith("output/debug")) return "output/debugImages";
  if (clean.startsWith("hyper-params") || clean.startsWith("configuration")) return "configuration";
  if (clean.startsWith("artifacts") || clean.startsWith("models")) return "artifacts";
  if (clean.startsWith("info") || clean.startsWith("general")) return "info";
  if (clean.startsWith("execution")) return "execution";
  return FIRST_TAB;
}

/**
 * The address that an old, foreign or doubled link means, or null when it is fine as it is.
 * The query is the caller's to keep, behind one that the answer may bring.
 */
export function canonicalPath(path: string): string | null {
  const single = path.replace(/\/{2,}/g, "/");
  const moved = single
    .replace(/^\/pipelines\/([^/]+)\/(?:experiments|tasks)\/([^/]+)(\/.*)?$/, "/projects/$1/tasks/$2$3")
    // Below a version other programs name the tabs of its task.
    .replace(/^\/datasets\/simple\/([^/]+)\/(?:experiments|tasks)\/([^/]+)(?:\/.*)?$/, "/datasets/$1/$2")
    .replace(/^\/datasets\/simple(?:\/([^/]+))?(?:\/.*)?$/, (_all, dataset?: string) =>
      dataset ? `/datasets/${dataset}` : "/datasets",
    )
    .replace(/^\/models(?:\/([^/]+))?\/?$/, (_all, model?: string) =>
      model ? `/projects/*/models/${model}` : "/projects/*/models",
    )
    .replace(/^\/projects\/([^/]+)\/experiments(\/.*)?$/, "/projects/$1/tasks$2")
    .replace(/^\/projects\/([^/]+)\/compare-experiments(.*)$/, "/projects/$1/compare-tasks$2")
    // The ids stand behind a semicolon, and the tab behind them.
    .replace(
      /^(\/projects\/[^/]+\/compare-tasks);ids=([0-9a-f,]+)(\/.*)?$/,
      (_all, page: string, ids: string, tab?: string) =>
        `${page}?ids=${ids.replaceAll(",", "~")}${tab && !/scalar|graph/.test(tab) ? "&tab=details" : ""}`,
    )
    .replace(/^\/widget\/?$/, "/widgets")
    .replace(/^\/projects\/([^/]+)(?:\/overview)?\/?$/, "/projects/$1/tasks");
  return moved === path ? null : moved;
}

/** Where to go after log-in: only paths of this origin. */
export function safeRedirect(target: string | undefined): string {
  return target && /^\/(?![/\\])/.test(target) ? target : "/dashboard";
}
