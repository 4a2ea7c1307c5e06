import { type ComponentType, lazy } from "react";

import type { TabPath } from "~/state/links";

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

const LAZY = Object.fromEntries(
  Object.entries(TAB_MODULES).map(([tab, load]) => [tab, lazy(load)]),
) as unknown as Record<TabPath, ComponentType>;
const loaded = new Map<TabPath, ComponentType>();

export async function loadTab(tab: TabPath): Promise<void> {
  loaded.set(tab, (await TAB_MODULES[tab]()).default);
}

/** The component of a tab. React holds a suspended part back for 300 ms, so one that is here must not suspend. */
export function tabComponent(tab: TabPath): ComponentType {
  return loaded.get(tab) ?? LAZY[tab];
}
