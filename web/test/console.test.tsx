// @vitest-environment happy-dom
import "./support/layout";

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Task } from "~/api/types.gen";
import { TaskProvider, useTaskDocument } from "~/pages/task/context";
import Console from "~/pages/task/tabs/Console";

import { type Methods, Server, show } from "./support/served";

interface Line {
  number: number;
  time: number;
  level: string;
  text: string;
}

let lines: Line[];
let status: string;
let server: Server;
/** How many lines the server searches before it gives up and says where. */
let patience: number;

const task = (): Partial<Task> => ({
  id: "t",
  name: "run",
  status,
  project: "p",
  last_metrics: {},
  tags: [],
  system_tags: [],
  runtime: {},
});
const append = (...texts: string[]) => {
  for (const text of texts)
    lines.push({ number: (lines[lines.length - 1]?.number ?? -1) + 1, time: 1000 + lines.length, level: "info", text });
};

const METHODS: Methods = {
  "tasks.get_by_id": () => ({ task: task() }),
  "logs.range": ({ start, count }) => {
    const first = lines[0]?.number ?? 0;
    const total = first + lines.length;
    const from = (start as number) < 0 ? Math.max(first, total + (start as number)) : (start as number);
    return { lines: lines.filter(({ number }) => number >= from && number < from + (count as number)), total, first };
  },
  "logs.search": ({ text, regex, match_case, start, limit }) => {
    const words = regex ? (text as string) : (text as string).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const pattern = new RegExp(words, match_case ? "" : "i");
    const part = lines.filter(({ number }) => number >= (start as number)).slice(0, patience);
    const found = part.filter((line) => pattern.test(line.text));
    const end = part[part.length - 1]?.number ?? 0;
    const more = lines.some(({ number }) => number > end);
    return {
      lines: found.slice(0, limit as number),
      count: found.length,
      next_line: more ? end + 1 : null,
      total: lines.length,
    };
  },
};

function Page() {
  const found = useTaskDocument("t");
  return found.data ? (
    <TaskProvider value={found.data}>
      <Console />
    </TaskProvider>
  ) : null;
}

const log = () => document.querySelector("[role=log]") as HTMLElement;
const shown = () =>
  [...log().querySelectorAll<HTMLElement>(".console-line")].map((one) => one.querySelector(".text")?.textContent ?? "");
const last = () => shown()[shown().length - 1];
const button = (name: string) => screen.getByRole("button", { name });
const pressed = (name: string) => button(name).getAttribute("aria-pressed");
const wheelTo = (top: number) =>
  act(async () => {
    fireEvent.wheel(log());
    log().scrollTop = top;
    log().dispatchEvent(new Event("scroll"));
  });
const grow = async (...texts: string[]) => {
  append(...texts);
  await server.tell("task:t", "log");
};

async function open(search = "") {
  const page = show(Page, "/log", `/log${search}`);
  await waitFor(() => expect(shown().length).toBeGreaterThan(0));
  return page;
}

beforeEach(() => {
  lines = [];
  append(...Array.from({ length: 1300 }, (_, i) => `step ${i}`));
  status = "in_progress";
  patience = 1e9;
  server = new Server(METHODS);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("the console of a run that goes on", () => {
  it("follows, stays where a person scrolls to, counts what comes, and follows again", async () => {
    await open();
    await waitFor(() => expect(last()).toBe("step 1299"));
    expect(pressed("follow")).toBe("true");
    expect(shown().length).toBeLessThan(90);
    await waitFor(() => expect(server.connected).toBe(true));
    await grow("step 1300", "step 1301");
    await waitFor(() => expect(last()).toBe("step 1301"));

    await wheelTo(0);
    expect(pressed("follow")).toBe("false");
    await waitFor(() => expect(shown()[0]).toBe("step 0"));
    await grow("step 1302", "step 1303", "step 1304");
    const more = await screen.findByText("3 new ↓");
    expect(log().scrollTop).toBe(0);
    expect(shown()[0]).toBe("step 0");
    fireEvent.click(more);
    await waitFor(() => expect(last()).toBe("step 1304"));
    expect(pressed("follow")).toBe("true");
    expect(screen.queryByText(/new ↓/)).toBeNull();
  });

  it("follows again when a person scrolls to the end, and stops by the button", async () => {
    await open();
    await waitFor(() => expect(last()).toBe("step 1299"));
    await wheelTo(5000);
    expect(pressed("follow")).toBe("false");
    await wheelTo(log().scrollHeight - 320);
    expect(pressed("follow")).toBe("true");
    fireEvent.click(button("follow"));
    expect(pressed("follow")).toBe("false");
  });

  it("stays at a line that a link names, and does not follow", async () => {
    await open("?line=700");
    await waitFor(() => expect(shown()).toContain("step 700"));
    expect(pressed("follow")).toBe("false");
    expect(log().querySelector("[data-at=true] .text")?.textContent).toBe("step 700");
    await waitFor(() => expect(server.connected).toBe(true));
    await grow("step 1300");
    await waitFor(() => expect(screen.getByText(/^1.301 lines$/)).toBeTruthy());
    expect(shown()).toContain("step 700");
    expect(shown()).not.toContain("step 1300");
  });

  it("W11: is found where it was left, by back and by a reload, and follows where it followed", async () => {
    await open();
    await waitFor(() => expect(last()).toBe("step 1299"));
    await wheelTo(18 * 640);
    await waitFor(() => expect(shown()).toContain("step 640"));
    cleanup();
    show(Page, "/log", "/log", "again");
    await waitFor(() => expect(shown()).toContain("step 640"));
    expect(pressed("follow")).toBe("false");
    await waitFor(() => expect(log().scrollTop).toBe(18 * 640));
    await wheelTo(log().scrollHeight - 320);
    expect(pressed("follow")).toBe("true");
    cleanup();
    append("step 1300");
    show(Page, "/log", "/log", "again");
    await waitFor(() => expect(last()).toBe("step 1300"));
    expect(pressed("follow")).toBe("true");
  });

  it("says that it waits while there is none, and shows the first one", async () => {
    lines = [];
    show(Page, "/log", "/log");
    expect(await screen.findByText("Waiting for the first line")).toBeTruthy();
    await waitFor(() => expect(server.connected).toBe(true));
    await grow("hello");
    await waitFor(() => expect(shown()).toEqual(["hello"]));
  });
});

describe("the console of a run that has ended", () => {
  beforeEach(() => {
    status = "completed";
  });

  it("asks for what is looked at only, and numbers lines as they were when old ones are forgotten", async () => {
    lines = lines.slice(300);
    await open();
    expect(screen.getByText(/^1.000 lines, from 301 on$/)).toBeTruthy();
    await waitFor(() => expect(last()).toBe("step 1299"));
    expect(screen.queryByRole("button", { name: "follow" })).toBeNull();
    await wheelTo(0);
    await waitFor(() => expect(shown()[0]).toBe("step 300"));
    expect(log().querySelector(".no")?.textContent).toBe("301");
    expect(new Set(server.asks("logs.range").map(({ start }) => start))).toEqual(new Set([-500, 0]));
  });

  it("searches all of it, goes from hit to hit and around, and marks what was found", async () => {
    const page = await open();
    const search = screen.getByLabelText("Search the console");
    fireEvent.change(search, { target: { value: "STEP 12" } });
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("111 lines"));
    fireEvent.keyDown(search, { key: "Enter" });
    await waitFor(() => expect(page.address()).toContain("line=12"));
    await waitFor(() => expect(log().querySelector("[data-at=true] mark")?.textContent).toBe("step 12"));
    search.blur();
    fireEvent.keyDown(document.body, { key: "n", bubbles: true });
    await waitFor(() => expect(page.address()).toContain("line=120"));
    fireEvent.keyDown(document.body, { key: "N", bubbles: true });
    fireEvent.keyDown(document.body, { key: "N", bubbles: true });
    await waitFor(() => expect(page.address()).toContain("line=1299"));
    fireEvent.click(button("Aa"));
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("0 lines"));
    fireEvent.click(button("Aa"));
    fireEvent.change(search, { target: { value: "step (7|8)$" } });
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("0 lines"));
    fireEvent.click(button(".*"));
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("2 lines"));
    expect([...document.querySelectorAll(".hits button")].map((one) => one.textContent)).toEqual([
      "8 step 7",
      "9 step 8",
    ]);
  });

  it("goes on with a search that the server breaks off, to the end", async () => {
    patience = 200;
    await open("?q=step%2012");
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("111 lines"));
    expect(server.asks("logs.search").map(({ start }) => start)).toEqual([0, 200, 400, 600, 800, 1000, 1200]);
  });

  it("W7: shows a progress bar as its last state, and each state when it is opened", async () => {
    lines = [];
    append("before", "epoch 1\repoch 2\repoch 3", "after");
    await open();
    expect(shown()).toEqual(["before", "epoch 3× 3", "after"]);
    fireEvent.click(button("× 3"));
    expect(shown()[1]).toBe("epoch 1epoch 2epoch 3fold");
    expect(button("fold").getAttribute("aria-expanded")).toBe("true");
    // Where the next line stands is the browser's business (test_lists.py).
    fireEvent.click(button("fold"));
    expect(shown()).toEqual(["before", "epoch 3× 3", "after"]);
  });

  it("W7: tells the time since the first line, wherever it stands", async () => {
    lines.forEach((line, i) => void (line.time = 1000 + 2 * i));
    await open("?line=1250&time=relative");
    await waitFor(() => expect(log().querySelector("[data-at=true] .time")?.textContent).toBe("41 m 40 s"));
  });

  it("draws colours, drops every other escape, and never makes an element of a text", async () => {
    lines = [];
    append(
      "\x1b[1;31mred\x1b[0m \x1b]0;title\x07plain \x1b[38;5;208morange\x1b[39m \x1b[38;2;1;2;3mexact\x1b[m \x1b[2K<b>bold</b>",
    );
    await open();
    const spans = [...log().querySelectorAll<HTMLElement>(".text > span")];
    expect(spans.map((one) => one.textContent)).toEqual([
      "red",
      " ",
      "plain ",
      "orange",
      " ",
      "exact",
      " ",
      "<b>bold</b>",
    ]);
    expect([spans[0]?.style.color, spans[0]?.style.fontWeight]).toEqual(["var(--ansi-red)", "600"]);
    expect(spans[2]?.getAttribute("style")).toBeNull();
    expect(spans[3]?.style.color).toBe("rgb(255 135 0)");
    expect(spans[5]?.style.color).toBe("rgb(1 2 3)");
    expect(log().querySelector("b")).toBeNull();
  });
});
