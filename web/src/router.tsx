import { createRootRoute, createRoute, createRouter, Outlet, redirect } from "@tanstack/react-router";

import { queryClient } from "~/api/client";
import { currentUser, openSession } from "~/state/session";
import { MissingPage, RouteError } from "~/pages/missing/MissingPage";
import { prefetchCode, prefetchData } from "~/prefetch";
import { Bare } from "~/shell/Bare";
import { Shell } from "~/shell/Shell";
import { parseSearch, stringifySearch } from "~/state/codec";
import { canonicalPath } from "~/state/links";
import { lazyPart } from "~/widgets/lazyPart";
import { ProgressLine } from "~/widgets/states";

const root = createRootRoute({ component: Outlet, notFoundComponent: MissingPage });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: lazyPart(() => import("~/pages/login/LoginPage").then((page) => page.LoginPage)),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  errorComponent: RouteError,
  beforeLoad: async ({ location }) => {
    const moved = canonicalPath(location.pathname);
    if (moved) {
      const query = moved.includes("?") ? location.searchStr.replace(/^\?/, "&") : location.searchStr;
      throw redirect({ href: moved + query + hashOf(location.hash), replace: true });
    }
    const first = currentUser() === null;
    if (first) prefetchCode(location.pathname);
    if (!(await openSession())) {
      const back = location.pathname + location.searchStr + hashOf(location.hash);
      throw redirect({ href: `/login${stringifySearch({ redirect: back })}`, replace: true });
    }
    if (first) prefetchData(location.pathname);
  },
});

function hashOf(hash: string): string {
  return hash ? `#${hash}` : "";
}

const bare = createRoute({
  getParentRoute: () => root,
  id: "bare",
  component: Bare,
  errorComponent: RouteError,
  beforeLoad: async ({ location }) => {
    if (!(await openSession())) {
      const back = location.pathname + location.searchStr;
      throw redirect({ href: `/login${stringifySearch({ redirect: back })}`, replace: true });
    }
  },
});

const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  beforeLoad: () => {
    throw redirect({ href: "/dashboard", replace: true });
  },
});

const dashboard = createRoute({
  getParentRoute: () => shell,
  path: "/dashboard",
  component: lazyPart(() => import("~/pages/home/HomePage").then((page) => page.HomePage)),
});

const projects = createRoute({
  getParentRoute: () => shell,
  path: "/projects",
  component: lazyPart(() => import("~/pages/projects/ProjectsPage").then((page) => page.ProjectsPage)),
});

const subProjects = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/projects",
  component: lazyPart(() => import("~/pages/projects/ProjectsPage").then((page) => page.ProjectsPage)),
});

const tasks = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/tasks",
  component: lazyPart(() => import("~/pages/tasks/TasksPage").then((page) => page.TasksPage)),
});

const task = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/tasks/$tid",
  component: lazyPart(() => import("~/pages/task/TaskPage").then((page) => page.TaskPage)),
});

const taskTab = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/tasks/$tid/$",
  component: lazyPart(() => import("~/pages/task/TaskPage").then((page) => page.TaskPage)),
});

const models = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/models",
  component: lazyPart(() => import("~/pages/models/ModelsPage").then((page) => page.ModelsPage)),
});

const modelPage = () => lazyPart(() => import("~/pages/models/ModelPage").then((page) => page.ModelPage));
const model = createRoute({ getParentRoute: () => shell, path: "/projects/$pid/models/$mid", component: modelPage() });
const modelTab = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/models/$mid/$",
  component: modelPage(),
});

const compare = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/compare-tasks",
  component: lazyPart(() => import("~/pages/compare/ComparePage").then((page) => page.ComparePage)),
});

const datasets = createRoute({
  getParentRoute: () => shell,
  path: "/datasets",
  component: lazyPart(() => import("~/pages/datasets/DatasetsPage").then((page) => page.DatasetsPage)),
});

const datasetPage = () => lazyPart(() => import("~/pages/datasets/DatasetPage").then((page) => page.DatasetPage));
const dataset = createRoute({ getParentRoute: () => shell, path: "/datasets/$pid", component: datasetPage() });
const version = createRoute({ getParentRoute: () => shell, path: "/datasets/$pid/$vid", component: datasetPage() });
const versionTab = createRoute({
  getParentRoute: () => shell,
  path: "/datasets/$pid/$vid/$",
  component: datasetPage(),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings/{-$section}",
  component: lazyPart(() => import("~/pages/settings/SettingsPage").then((page) => page.SettingsPage)),
});

const widgets = createRoute({
  getParentRoute: () => bare,
  path: "/widgets",
  component: lazyPart(() => import("~/pages/widgets/WidgetPage").then((page) => page.WidgetPage)),
});

// Without a shell around it a wrong address could not offer a search.
const missing = createRoute({ getParentRoute: () => shell, path: "/$", component: MissingPage });

export const router = createRouter({
  routeTree: root.addChildren([
    login,
    bare.addChildren([widgets]),
    shell.addChildren([
      home,
      dashboard,
      projects,
      subProjects,
      tasks,
      task,
      taskTab,
      models,
      model,
      modelTab,
      compare,
      datasets,
      dataset,
      version,
      versionTab,
      settings,
      missing,
    ]),
  ]),
  parseSearch,
  stringifySearch,
  context: { queryClient },
  // A page that has come is shown at once, even when the line was shown only just before.
  defaultPendingMinMs: 0,
  defaultPendingComponent: () => <ProgressLine active />,
  defaultErrorComponent: RouteError,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
