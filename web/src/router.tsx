import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";

import { queryClient } from "~/api/client";
import { currentUser, openSession } from "~/api/session";
import { MissingPage, RouteError } from "~/pages/missing/MissingPage";
import { prefetchCode, prefetchData } from "~/prefetch";
import { Shell } from "~/shell/Shell";
import { parseSearch, stringifySearch } from "~/state/codec";
import { canonicalPath } from "~/state/links";
import { ProgressLine } from "~/widgets/states";

const root = createRootRoute({ component: Outlet, notFoundComponent: MissingPage });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: lazyRouteComponent(() => import("~/pages/login/LoginPage"), "LoginPage"),
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
  component: Outlet,
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
  component: lazyRouteComponent(() => import("~/pages/home/HomePage"), "HomePage"),
});

const projects = createRoute({
  getParentRoute: () => shell,
  path: "/projects",
  component: lazyRouteComponent(() => import("~/pages/projects/ProjectsPage"), "ProjectsPage"),
});

const subProjects = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/projects",
  component: lazyRouteComponent(() => import("~/pages/projects/ProjectsPage"), "ProjectsPage"),
});

const tasks = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/tasks",
  component: lazyRouteComponent(() => import("~/pages/tasks/TasksPage"), "TasksPage"),
});

const task = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/tasks/$tid",
  component: lazyRouteComponent(() => import("~/pages/task/TaskPage"), "TaskPage"),
});

const taskTab = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/tasks/$tid/$",
  component: lazyRouteComponent(() => import("~/pages/task/TaskPage"), "TaskPage"),
});

const models = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/models",
  component: lazyRouteComponent(() => import("~/pages/models/ModelsPage"), "ModelsPage"),
});

const modelPage = () => lazyRouteComponent(() => import("~/pages/models/ModelPage"), "ModelPage");
const model = createRoute({ getParentRoute: () => shell, path: "/projects/$pid/models/$mid", component: modelPage() });
const modelTab = createRoute({ getParentRoute: () => shell, path: "/projects/$pid/models/$mid/$", component: modelPage() });

const compare = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$pid/compare-tasks",
  component: lazyRouteComponent(() => import("~/pages/compare/ComparePage"), "ComparePage"),
});

const datasets = createRoute({
  getParentRoute: () => shell,
  path: "/datasets",
  component: lazyRouteComponent(() => import("~/pages/datasets/DatasetsPage"), "DatasetsPage"),
});

const datasetPage = () => lazyRouteComponent(() => import("~/pages/datasets/DatasetPage"), "DatasetPage");
const dataset = createRoute({ getParentRoute: () => shell, path: "/datasets/$pid", component: datasetPage() });
const version = createRoute({ getParentRoute: () => shell, path: "/datasets/$pid/$vid", component: datasetPage() });
const versionTab = createRoute({ getParentRoute: () => shell, path: "/datasets/$pid/$vid/$", component: datasetPage() });

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings/{-$section}",
  component: lazyRouteComponent(() => import("~/pages/settings/SettingsPage"), "SettingsPage"),
});

const widgets = createRoute({
  getParentRoute: () => bare,
  path: "/widgets",
  component: lazyRouteComponent(() => import("~/pages/widgets/WidgetPage"), "WidgetPage"),
});

// Without a shell around it a wrong address could not offer a search.
const missing = createRoute({ getParentRoute: () => shell, path: "/$", component: MissingPage });

export const router = createRouter({
  routeTree: root.addChildren([
    login,
    bare.addChildren([widgets]),
    shell.addChildren([
      home, dashboard, projects, subProjects, tasks, task, taskTab, models, model, modelTab, compare, datasets, dataset, version, versionTab, settings, missing,
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
