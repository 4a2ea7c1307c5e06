import type { ComponentType } from "react";

import type { TabPath } from "~/state/links";
import { type LazyPart, lazyPart } from "~/widgets/lazyPart";

/** Where each tab's code is; a tab is loaded when it is opened, or guessed from the address before. */
export const TAB_MODULES: Record<TabPath, () => Promise<{ default: ComponentType }>> = {
  execution: () => import("~/pages/task/tabs/Execution"),
  configuration: () => import("~/pages/task/tabs/Configuration"),
  artifacts: () => import("~/pages/task/tabs/Artifacts"),
  info: () => import("~/pages/task/tabs/Info"),
  "output/log": () => import("~/pages/task/tabs/Console"),
  "output/metrics/scalar": () => import("~/pages/task/tabs/Scalars"),
  "output/metrics/plots": () => import("~/pages/task/tabs/Plots"),
  "output/debugImages": () => import("~/pages/task/tabs/Images"),
};

const PARTS = Object.fromEntries(
  Object.entries(TAB_MODULES).map(([tab, load]) => [tab, lazyPart(() => load().then((module) => module.default))]),
) as unknown as Record<TabPath, LazyPart>;

export const loadTab = (tab: TabPath): Promise<void> => PARTS[tab].preload();

export const tabComponent = (tab: TabPath): LazyPart => PARTS[tab];
