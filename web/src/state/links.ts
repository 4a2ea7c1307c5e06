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
 * The query is the caller's to keep.
 */
export function canonicalPath(path: string): string | null {
  const single = path.replace(/\/{2,}/g, "/");
  const moved = single
    .replace(/^\/(?:pipelines|datasets\/simple)\/([^/]+)\/(?:experiments|tasks)\/([^/]+)(\/.*)?$/, "/projects/$1/tasks/$2$3")
    .replace(/^\/projects\/([^/]+)\/experiments(\/.*)?$/, "/projects/$1/tasks$2")
    .replace(/^\/projects\/([^/]+)\/compare-experiments(\/.*)?$/, "/projects/$1/compare-tasks$2")
    .replace(/^\/widget\/?$/, "/widgets")
    .replace(/^\/projects\/([^/]+)(?:\/overview)?\/?$/, "/projects/$1/tasks");
  return moved === path ? null : moved;
}

/** Where to go after log-in: only paths of this origin. */
export function safeRedirect(target: string | undefined): string {
  return target && /^\/(?![/\\])/.test(target) ? target : "/dashboard";
}
