// @vitest-environment happy-dom
import "./support/layout";

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { RpcError } from "~/api/rpc";
import { TasksPage } from "~/pages/tasks/TasksPage";
import { nextSort } from "~/widgets/gridSelection";

import { type Methods, Server, show } from "./support/served";

type Row = Record<string, unknown> & { id: string; name: string; status: string };

let rows: Row[];
let server: Server;

const ROWS = 450;
const row = (i: number): Row => ({
  id: `id${i}`,
  name: `run ${String(i).padStart(3, "0")}`,
  status: i % 3 ? "completed" : "failed",
  project: "p",
  last_iteration: i,
  tags: [],
});

/** As the real one lists tasks, for what a table asks. */
const LIST: Methods = {
  "tasks.get_all_ex": (ask) => {
    const {
      id,
      status,
      order_by = [],
      page = 0,
      page_size = 500,
      _any_,
    } = ask as {
      id?: string[];
      status?: string[];
      order_by?: string[];
      page?: number;
      page_size?: number;
      _any_?: { pattern: string };
    };
    let found = rows.filter((one) => (!id || id.includes(one.id)) && (!status || status.includes(one.status)));
    if (_any_) found = found.filter((one) => new RegExp(_any_.pattern, "i").test(one.name));
    const key = order_by[0] ?? "";
    const by = key.replace(/^-/, "");
    if (by === "name" || by === "last_iteration")
      found = [...found].sort((a, b) => ((a[by] as string) < (b[by] as string) ? -1 : 1));
    if (key === "-name" || key === "-last_iteration") found.reverse();
    return { tasks: found.slice(page * page_size, (page + 1) * page_size), total: found.length };
  },
  "users.get_all": () => ({ users: [] }),
  "projects.get_all": () => ({ projects: [{ id: "p", name: "vision" }] }),
  "projects.get_by_id": () => ({ project: { id: "p", name: "vision" } }),
  "projects.get_task_tags": () => ({ tags: ["a", "b"] }),
  "projects.get_unique_metric_variants": () => ({
    metrics: [
      { metric: "loss", variant: "train", metric_hash: "", variant_hash: "" },
      { metric: "acc", variant: "val", metric_hash: "", variant_hash: "" },
    ],
  }),
  "projects.get_hyper_parameters": () => ({ parameters: [{ section: "General", name: "lr" }], remaining: 0, total: 1 }),
  "users.set_preferences": () => ({}),
};

beforeEach(() => {
  rows = Array.from({ length: ROWS }, (_, i) => row(i));
  server = new Server(LIST);
  localStorage.clear();
  sessionStorage.clear();
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

// By role, a DOM of this size takes a second for each question.
const grid = () => document.querySelector("[role=grid]") as HTMLElement;
const heads = () => [...grid().querySelectorAll<HTMLElement>("[role=columnheader][aria-colindex]")];
const tick = (name: string, shiftKey = false) =>
  fireEvent.click(grid().querySelector(`input[aria-label="Select ${name}"]`) as HTMLElement, { shiftKey });
const shown = () => [...grid().querySelectorAll<HTMLElement>(".grid-row")];
const names = () => shown().map((one) => one.querySelector("a")?.textContent ?? "…");
const at = () => shown().find((one) => one.dataset.at === "true")?.dataset.task;
const selected = () => document.querySelector("[role=toolbar]")?.textContent?.match(/^(\d+)/)?.[1] ?? "0";
const key = (name: string, more: object = {}) =>
  fireEvent.keyDown(document.body, { key: name, bubbles: true, ...more });
const scroll = (top: number) =>
  act(async () => {
    grid().scrollTop = top;
    grid().dispatchEvent(new Event("scroll"));
    await new Promise(requestAnimationFrame);
  });

async function open(search = "?c=name~status~iteration&s=name") {
  const page = show(
    TasksPage,
    "/projects/$pid/tasks",
    `/projects/p${Math.random().toString(36).slice(2)}/tasks${search}`,
  );
  await waitFor(() => expect(names()[0]).toBe("run 000"));
  return page;
}

describe("a table", () => {
  it("holds the rows near the view only, and fetches a block when it comes near", async () => {
    await open();
    expect(grid().getAttribute("aria-rowcount")).toBe(String(ROWS));
    expect(shown().length).toBeLessThan(40);
    expect(server.asks("tasks.get_all_ex").map(({ page }) => page)).not.toContain(1);
    await scroll(32 * 230);
    await waitFor(() => expect(names()).toContain("run 235"));
    expect(shown().length).toBeLessThan(50);
    expect(names()).not.toContain("run 000");
    expect(shown()[0]?.getAttribute("aria-rowindex")).toBe("223");
    await scroll(32 * ROWS);
    await waitFor(() => expect(names()[names().length - 1]).toBe("run 449"));
    await scroll(0);
    expect(names()[0]).toBe("run 000");
  });

  it("holds the columns near the view only, and always the first", async () => {
    rows = rows.slice(0, 2);
    const metrics = Array.from({ length: 60 }, (_, i) => `m:last:metric ${i}:v`);
    await open(`?c=${["name", ...metrics].map(encodeURIComponent).join("~")}&s=name`);
    const places = () => heads().map((one) => Number(one.getAttribute("aria-colindex")));
    expect(grid().getAttribute("aria-colcount")).toBe("62");
    expect(places()[0]).toBe(2);
    expect(places().length).toBeLessThan(30);
    await act(async () => {
      grid().scrollLeft = 5000;
      grid().dispatchEvent(new Event("scroll"));
      await new Promise(requestAnimationFrame);
    });
    expect(places()[0]).toBe(2);
    expect(places()[1]).toBeGreaterThan(20);
    expect(places()[places().length - 1]).toBeLessThanOrEqual(61);
  });

  it("is walked by keyboard beyond the block that is loaded", async () => {
    const page = await open();
    key("j");
    expect(at()).toBe("id0");
    key("k");
    expect(at()).toBe("id0");
    await scroll(32 * 194);
    fireEvent.mouseDown(shown().find((one) => one.dataset.task === "id198") as HTMLElement);
    for (let i = 0; i < 10; i += 1) {
      key("ArrowDown");
      await scroll(grid().scrollTop);
    }
    await waitFor(() => expect(at()).toBe("id208"));
    key("x");
    await waitFor(() => expect(selected()).toBe("1"));
    key("Enter");
    await waitFor(() => expect(page.address()).toBe("/projects/p/tasks/id208/output/metrics/scalar"));
  });

  it("keeps a selection that reaches across blocks, whatever is shown of it", async () => {
    await open();
    tick("run 002");
    expect(selected()).toBe("1");
    await scroll(32 * 300);
    await waitFor(() => expect(names()).toContain("run 305"));
    tick("run 305");
    expect(selected()).toBe("2");
    await scroll(32 * 420);
    await waitFor(() => expect(names()).toContain("run 430"));
    expect(selected()).toBe("2");
    await scroll(0);
    await waitFor(() => expect(names()).toContain("run 002"));
    expect(
      shown()
        .filter((one) => one.getAttribute("aria-selected") === "true")
        .map((one) => one.dataset.task),
    ).toEqual(["id2"]);
    tick("run 002");
    expect(selected()).toBe("1");
    key("Escape");
    expect(selected()).toBe("0");
  });

  it("takes a whole range, also the part of it that was never looked at", async () => {
    await open();
    tick("run 002");
    await scroll(32 * 420);
    await waitFor(() => expect(names()).toContain("run 430"));
    tick("run 430", true);
    await waitFor(() => expect(selected()).toBe("429"));
  });

  it("leaves the page's keys to who types, to a dialog and to a menu", async () => {
    await open();
    const search = screen.getByLabelText("Filter tasks");
    search.focus();
    fireEvent.keyDown(search, { key: "j", bubbles: true });
    expect(at()).toBeUndefined();
    search.blur();
    key("/");
    expect(document.activeElement).toBe(search);
    search.blur();
    // A box that was ticked wants no letters.
    const box = grid().querySelector('input[aria-label="Select run 002"]') as HTMLElement;
    box.focus();
    fireEvent.keyDown(box, { key: "j", bubbles: true });
    expect(at()).toBe("id0");
  });

  it("sorts by a head, down and up and not, and by several with Shift", async () => {
    const page = await open();
    const head = (name: string) => heads().find((one) => one.title === name) as HTMLElement;
    const press = (name: string, shiftKey = false) =>
      fireEvent.click(head(name).querySelector("button") as HTMLElement, { shiftKey });
    expect(head("Name").getAttribute("aria-sort")).toBe("ascending");
    press("Iteration");
    await waitFor(() => expect(names()[0]).toBe("run 449"));
    expect(head("Iteration").getAttribute("aria-sort")).toBe("descending");
    expect(head("Name").getAttribute("aria-sort")).toBe("none");
    press("Iteration");
    await waitFor(() => expect(names()[0]).toBe("run 000"));
    press("Status", true);
    expect(new URLSearchParams(page.address().split("?")[1]).get("s")).toBe("iteration~-status");
    await waitFor(() =>
      expect(server.asked[server.asked.length - 1]?.ask["order_by"]).toEqual(["last_iteration", "-status"]),
    );
    press("Iteration");
    await waitFor(() => expect(page.address()).not.toContain("iteration~"));
    // Each step is one of the history, so that "back" takes it back.
    act(() => page.router.history.back());
    await waitFor(() => expect(page.address()).toContain("s=iteration~-status"));
  });

  it("W12: gives a column another width by keyboard, whether it can be sorted or not", async () => {
    rows = rows.slice(0, 2);
    await open("?c=name~tags&s=name");
    const head = (name: string) => heads().find((one) => one.title === name) as HTMLElement;
    const press = (name: string, key: string, shiftKey = true) =>
      fireEvent.keyDown(head(name).querySelector("button, [tabindex='0']") as HTMLElement, { key, shiftKey });
    press("Name", "ArrowRight");
    press("Tags", "ArrowLeft");
    press("Tags", "ArrowLeft", false);
    expect([head("Name").style.width, head("Tags").style.width]).toEqual(["246px", "134px"]);
    for (let i = 0; i < 20; i += 1) press("Tags", "ArrowLeft");
    expect(head("Tags").style.width).toBe("60px");
    expect(heads()[0]?.getAttribute("aria-sort")).toBe("ascending");
    cleanup();
    await open("?c=name~tags&s=name");
    expect([head("Name").style.width, head("Tags").style.width]).toEqual(["246px", "60px"]);
  });

  it("shows what changed in place, and counts what is new while somebody is in it", async () => {
    const page = await open();
    await waitFor(() => expect(server.connected).toBe(true));
    const pid = page.address().split("/")[2] as string;
    rows[3] = { ...(rows[3] as Row), last_iteration: 777 };
    await server.tell(`project:${pid}`, "task", "id3");
    await waitFor(() => expect(shown()[3]?.textContent).toContain("777"));
    fireEvent.mouseEnter(grid());
    rows.push({ ...row(900), name: "run 0000 new" });
    await server.tell(`project:${pid}`, "task", "id900");
    const pill = await screen.findByText("1 new", undefined);
    expect(names()).not.toContain("run 0000 new");
    fireEvent.click(pill);
    await waitFor(() => expect(names()).toContain("run 0000 new"));
    expect(screen.queryByText("1 new")).toBeNull();
  });
});

describe("what changed while the server had no answer", () => {
  afterEach(() => vi.useRealTimers());

  it("is asked again until it is known, but not what is refused, and not when the table is left", async () => {
    const page = await open();
    await waitFor(() => expect(server.connected).toBe(true));
    const topic = `project:${page.address().split("/")[2]}`;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    const pass = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
    const asks = () => server.asks("tasks.get_all_ex").length;
    const list = LIST["tasks.get_all_ex"] as Methods[string];
    let code = 503;
    LIST["tasks.get_all_ex"] = (ask) => {
      if (code) throw new RpcError("", code, 0, "no", "");
      return list(ask);
    };
    try {
      rows[3] = { ...(rows[3] as Row), last_iteration: 777 };
      await server.tell(topic, "task", "id3");
      await pass(700);
      await pass(5_100);
      expect(shown()[3]?.textContent).not.toContain("777");
      code = 0;
      await pass(5_100);
      await waitFor(() => expect(shown()[3]?.textContent).toContain("777"));
      code = 403;
      await server.tell(topic, "task", "id4");
      await pass(700);
      let before = asks();
      await pass(20_000);
      expect(asks()).toBe(before);
      code = 503;
      await server.tell(topic, "task", "id5");
      await pass(700);
      cleanup();
      before = asks();
      await pass(20_000);
      expect(asks()).toBe(before);
    } finally {
      LIST["tasks.get_all_ex"] = list;
    }
  });
});

describe("the next order", () => {
  const ids = fc.constantFrom("name", "status", "a", "b", "c");
  it("never names a column twice, is never empty and holds three at most", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ id: ids, add: fc.boolean() }), { maxLength: 20 }), (clicks) => {
        let sort: readonly string[] = ["-created"];
        for (const { id, add } of clicks) {
          const before = sort;
          sort = nextSort(sort, id, add, ["-created"]);
          const bare = sort.map((one) => one.replace(/^-/, ""));
          expect(new Set(bare).size).toBe(bare.length);
          expect(bare.length).toBeGreaterThan(0);
          expect(bare.length).toBeLessThanOrEqual(3);
          // Down, up, none: a third click takes the column out.
          const old = before.find((one) => one.replace(/^-/, "") === id);
          expect(sort.find((one) => one.replace(/^-/, "") === id)).toBe(
            old === undefined ? `-${id}` : old.startsWith("-") ? id : undefined,
          );
        }
      }),
    );
  });
});
