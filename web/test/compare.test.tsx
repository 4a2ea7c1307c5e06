// @vitest-environment happy-dom
import "./support/layout";

import { cleanup, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";

import { ComparePage } from "~/pages/compare/ComparePage";
import { RpcError } from "~/api/rpc";
import type { Task } from "~/api/types.gen";
import { TaskProvider } from "~/pages/task/context";
import Info from "~/pages/task/tabs/Info";

import { Server, show } from "./support/served";

const [FIRST, SECOND] = ["1".repeat(32), "2".repeat(32)] as [string, string];
const LONG = "a name of very many letters ".repeat(8).trim();

function task(id: string, name: string): Record<string, unknown> {
  return {
    id,
    name,
    type: "training",
    status: "stopped",
    project: null,
    parent: null,
    user: null,
    company: { id: "c", name: "c" },
    comment: "",
    tags: [],
    system_tags: [],
    hyperparams: {},
    configuration: {},
    script: {},
    container: {},
    runtime: {},
    execution: {},
    models: { input: [], output: [] },
    output: {},
    last_metrics: {},
    last_iteration: 0,
    status_reason: "",
    status_message: "",
    created: "2026-01-01T00:00:00+00:00",
    status_changed: null,
    last_update: null,
    last_change: null,
    started: null,
    completed: null,
    published: null,
    active_duration: null,
    last_worker: null,
    last_worker_report: null,
  };
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const chips = () => [...document.querySelectorAll<HTMLElement>(".compare-chip")];

describe("W4: a comparison", () => {
  it("follows the tasks that are renamed or deleted, and cuts their names", async () => {
    let there = [task(FIRST, "one"), task(SECOND, LONG)];
    const server = new Server({
      "tasks.get_all_ex": () => ({ tasks: there, total: there.length, scroll_id: null }),
      "series.catalog": () => ({ series: [] }),
    });
    show(ComparePage, "/projects/$pid/compare-tasks", `/projects/*/compare-tasks?ids=${FIRST}~${SECOND}`);
    await waitFor(() => expect(chips().map((chip) => chip.title)).toEqual(["one", LONG]));
    expect(chips().every((chip) => chip.querySelector("a.cut > .cut") !== null)).toBe(true);
    await waitFor(() => expect(server.connected).toBe(true));
    there = [task(FIRST, "renamed"), task(SECOND, LONG)];
    await server.tell(`task:${FIRST}`, "task", FIRST);
    await waitFor(() => expect(chips()[0]?.title).toBe("renamed"));
    there = [task(FIRST, "renamed")];
    await server.tell(`task:${SECOND}`, "task", SECOND);
    await waitFor(() => expect(chips().length).toBe(1));
    expect(screen.getByRole("status").textContent).toContain("1 of the tasks in this link no longer exists");
  });
});

describe("W4: the Info of a task that was deleted", () => {
  it("says that it was deleted", async () => {
    new Server({
      "tasks.activity": () => {
        throw new RpcError("tasks.activity", 400, 101, "there is no such task", "");
      },
      "tasks.get_all_ex": () => ({ tasks: [], total: 0 }),
      "journals.status": () => ({ tasks: [] }),
    });
    show(
      () => (
        <TaskProvider value={task(FIRST, "one") as unknown as Task}>
          <Info />
        </TaskProvider>
      ),
      "/info",
      "/info",
    );
    expect(await screen.findByText(/The task was deleted/)).toBeTruthy();
    expect(screen.queryByText("Not found")).toBeNull();
  });
});
