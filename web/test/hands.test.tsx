// @vitest-environment happy-dom
import "./support/layout";

import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Highlight } from "~/charts/highlight";
import { Palette } from "~/shell/Palette";
import { copyText } from "~/state/clipboard";
import { saveFile } from "~/state/download";
import { Toasts } from "~/widgets/states";

import { type Methods, Server, show } from "./support/served";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("a file that is handed to the browser", () => {
  it.each([
    ["loss/val.csv", "loss_val.csv"],
    ["a\\b:c", "a_b_c"],
    ["../../x", ".._.._x"],
    ["plain.txt", "plain.txt"],
  ])("%s has the name %s, what it holds, and is let go afterwards", async (name, shown) => {
    vi.useFakeTimers();
    const given: { name: string; href: string }[] = [];
    let blob: Blob | undefined;
    vi.spyOn(URL, "createObjectURL").mockImplementation((made) => {
      blob = made as Blob;
      return "blob:x";
    });
    const released = vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => undefined);
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      given.push({ name: this.download, href: this.href });
    });
    saveFile(name, "ä\n", "text/csv");
    expect(given).toEqual([{ name: shown, href: "blob:x" }]);
    expect([await blob?.text(), blob?.type]).toEqual(["ä\n", "text/csv"]);
    expect(released).not.toHaveBeenCalled();
    vi.runAllTimers();
    expect(released).toHaveBeenCalledWith("blob:x");
  });
});

describe("a text for the clipboard", () => {
  const clipboard = (writeText: ((text: string) => Promise<void>) | null) =>
    vi.spyOn(navigator, "clipboard", "get").mockReturnValue((writeText ? { writeText } : undefined) as Clipboard);
  let copied: string[];
  beforeEach(() => {
    copied = [];
    document.execCommand = () => {
      copied.push((document.querySelector("textarea") as HTMLTextAreaElement).value);
      return true;
    };
  });

  it("goes there by the browser's own way, else by a selection, and leaves nothing behind", async () => {
    render(<button type="button">at</button>);
    screen.getByText("at").focus();
    const written: string[] = [];
    clipboard(async (text) => void written.push(text));
    expect(await copyText("one")).toBe(true);
    clipboard(async () => {
      throw new DOMException("", "NotAllowedError");
    });
    expect(await copyText("two")).toBe(true);
    clipboard(null);
    expect(await copyText("three\n")).toBe(true);
    expect([written, copied]).toEqual([["one"], ["two", "three\n"]]);
    expect(document.querySelector("textarea")).toBe(null);
    expect(document.activeElement?.textContent).toBe("at");
  });

  it("that the browser takes in no way is told", async () => {
    render(<Toasts />);
    clipboard(null);
    document.execCommand = () => false;
    let done: boolean | undefined;
    await act(async () => {
      done = await copyText("x");
    });
    expect(done).toBe(false);
    expect(screen.getByRole("status").textContent).toContain("copy it by hand");
  });
});

describe("the task that the pointer is on", () => {
  it("is told once to all who watch", () => {
    const highlight = new Highlight();
    const told = vi.fn();
    const end = highlight.watch(told);
    for (const task of ["a", "a", "b", null, null]) highlight.set(task);
    expect(told).toHaveBeenCalledTimes(3);
    end();
    highlight.set("c");
    expect([told.mock.calls.length, highlight.get()]).toEqual([3, "c"]);
  });
});

describe("Ctrl K", () => {
  const ID = "0123456789abcdef0123456789abcdef";
  let server: Server;
  let hold: Promise<void> | null;
  const METHODS: Methods = {
    "projects.get_all_ex": () => ({ projects: [{ id: "p", name: "vision" }] }),
    "tasks.get_all_ex": async ({ _any_ }) => {
      const { pattern } = _any_ as { pattern: string };
      if (pattern === "ab") return { tasks: [] };
      await hold;
      return {
        tasks: [
          { id: "t", name: "train", project: "p", status: "completed" },
          { id: ID, name: "a version", project: "d", status: "completed" },
        ],
      };
    },
    "models.get_all_ex": () => ({ models: [{ id: "m", name: "net", project: "p" }] }),
    "datasets.get_summaries": () => ({ datasets: [{ id: "d", name: "digits", project: "vision" }] }),
    "datasets.get_all": () => ({
      versions: [{ id: ID, name: "digits", version: "1.0", project_id: "d", project: "vision" }],
    }),
  };
  let closed: number;
  const open = async () => {
    [closed, hold] = [0, null];
    server = new Server(METHODS);
    const view = show(() => <Palette close={() => (closed += 1)} />, "/x", "/x");
    const input = await screen.findByLabelText("Name or id");
    return { ...view, input, type: (text: string) => fireEvent.change(input, { target: { value: text } }) };
  };
  const labels = () => screen.queryAllByRole("option").map((one) => one.querySelector(".cut")?.textContent);
  const chosen = () => document.querySelector("[aria-selected=true] .cut")?.textContent;

  it("finds things of every kind by a part of the name, and goes there", async () => {
    const { type, input, address } = await open();
    type("a.b");
    await waitFor(() => expect(labels()).toEqual(["vision", "digits", "train", "a version", "net"]));
    // What is typed is a text, not a pattern.
    expect(server.asks("tasks.get_all_ex")[0]?.["_any_"]).toMatchObject({ pattern: "a\\.b" });
    fireEvent.keyDown(input, { key: "ArrowUp" });
    expect(chosen()).toBe("net");
    fireEvent.keyDown(input, { key: "ArrowDown" });
    fireEvent.keyDown(input, { key: "ArrowDown" });
    expect(chosen()).toBe("digits");
    fireEvent.keyDown(input, { key: "Enter" });
    expect(closed).toBe(1);
    await waitFor(() => expect(address()).toBe("/datasets/d"));
  });

  it("names a version once, which is a task too", async () => {
    const { type } = await open();
    type(ID);
    await waitFor(() => expect(labels()).toEqual(["vision", "digits 1.0", "train", "net"]));
    expect(server.asks("datasets.get_summaries")).toEqual([]);
    expect(server.asks("tasks.get_all_ex")[0]).toMatchObject({ search_hidden: true });
  });

  it("asks when somebody has stopped typing, and never for a single letter", async () => {
    const { type } = await open();
    for (const text of ["t", "tr", "tra", "trai", "t"]) type(text);
    await act(async () => await new Promise((done) => setTimeout(done, 250)));
    expect(server.asked).toEqual([]);
  });

  it("takes the last of a list that has become shorter below somebody", async () => {
    const { type, input, address } = await open();
    type("abc");
    await waitFor(() => expect(labels().length).toBe(5));
    type("ab");
    for (let i = 0; i < 4; i += 1) fireEvent.keyDown(input, { key: "ArrowDown" });
    await waitFor(() => expect(labels()).toEqual(["vision", "digits", "net"]));
    expect(chosen()).toBe("net");
    fireEvent.keyDown(input, { key: "Enter" });
    await waitFor(() => expect(address()).toBe("/projects/p/models/m"));
  });
});
