// @vitest-environment happy-dom
import "./support/layout";

import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ColumnPicker } from "~/pages/tasks/ColumnPicker";
import { metricColumn, parameterColumn } from "~/pages/tasks/columns";
import { takeColumnChoices, useColumnChoice } from "~/state/columnChoice";
import { useColumnWidths } from "~/widgets/columnWidths";

import { type Methods, Server, show } from "./support/served";

const METRICS = Array.from({ length: 250 }, (_, i) => ({ metric: `metric ${i}`, variant: "v" }));
const LOSS = metricColumn("min", "loss: a", "val");
const LR = parameterColumn("General", "lr.start");

let stored: Record<string, unknown>;
let fails: boolean;
let server: Server;

const METHODS: Methods = {
  "projects.get_unique_metric_variants": ({ page = 0, page_size = 1 }) => ({
    metrics: [{ metric: "loss: a", variant: "val" }, ...METRICS].slice(
      (page as number) * (page_size as number),
      ((page as number) + 1) * (page_size as number),
    ),
  }),
  "projects.get_hyper_parameters": () => ({
    parameters: [
      { section: "General", name: "lr.start" },
      { section: "Args", name: "batch" },
    ],
  }),
  "users.set_preferences": ({ preferences }) => {
    if (fails) throw new TypeError("away");
    Object.assign(stored, preferences);
    return {};
  },
};

beforeEach(() => {
  stored = {};
  fails = false;
  server = new Server(METHODS);
  localStorage.clear();
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

let set: (columns: string[]) => void;

function Picking() {
  const [columns, setColumns] = useState<readonly string[]>(["name", "status", "tags"]);
  set = setColumns;
  return (
    <>
      <output>{columns.join(" ")}</output>
      <ColumnPicker project="p" columns={columns} set={setColumns} close={() => setColumns(["closed"])} />
    </>
  );
}

describe("the choice of columns", () => {
  const chosen = () => document.querySelector("output")?.textContent ?? "";
  const shownList = () => [...document.querySelectorAll(".picker:last-child .picker-list > .row")] as HTMLElement[];
  const press = (place: number, label: string) =>
    fireEvent.click(shownList()[place]?.querySelector(`[aria-label=${label}]`) as HTMLElement);
  const open = async () => {
    show(Picking, "/pick", "/pick");
    await screen.findByText("loss: a / val");
  };

  it("adds and removes; a metric or parameter goes beside its like", async () => {
    await open();
    fireEvent.click(screen.getByText("min", { selector: "div:first-of-type > .chip" }));
    expect(chosen()).toBe(`name status tags ${LOSS}`);
    act(() => set(["name", LOSS, "tags"]));
    fireEvent.click(screen.getByLabelText("General / lr.start"));
    expect(chosen()).toBe(`name ${LOSS} ${LR} tags`);
    fireEvent.click(screen.getByLabelText("Comment"));
    expect(chosen()).toBe(`name ${LOSS} ${LR} tags comment`);
    fireEvent.click(screen.getByLabelText("General / lr.start"));
    expect(chosen()).toBe(`name ${LOSS} tags comment`);
    press(0, "Remove");
    expect(chosen()).toBe(`${LOSS} tags comment`);
  });

  it("moves up and down, within the list", async () => {
    await open();
    press(2, "Up");
    expect(chosen()).toBe("name tags status");
    press(0, "Down");
    expect(chosen()).toBe("tags name status");
    expect(shownList()[0]?.querySelector<HTMLButtonElement>("[aria-label=Up]")?.disabled).toBe(true);
    expect(shownList()[2]?.querySelector<HTMLButtonElement>("[aria-label=Down]")?.disabled).toBe(true);
    fireEvent.click(screen.getByText("Automatic"));
    expect(chosen()).toBe("");
  });

  it("finds what is typed, and says how many names are not listed", async () => {
    await open();
    expect(screen.getByText("51 more; type a part of the name.")).toBeTruthy();
    const search = screen.getByLabelText("Find a column");
    fireEvent.change(search, { target: { value: " METRIC 249 " } });
    expect(screen.getByText("metric 249 / v")).toBeTruthy();
    expect(screen.queryByText("loss: a / val")).toBeNull();
    expect(screen.queryByLabelText("Comment")).toBeNull();
    fireEvent.change(search, { target: { value: "(" } });
    expect(screen.queryByText("metric 249 / v")).toBeNull();
  });
});

let choose: (columns: readonly string[]) => void;

function Chosen({ project }: { project: string }) {
  const [columns, setColumns] = useColumnChoice(project);
  choose = setColumns;
  return <output>{columns.join(" ")}</output>;
}

describe("W8: the columns of a project", () => {
  const shown = () => document.querySelector("output")?.textContent ?? "";

  it("are those that the user chose in any browser, project by project", () => {
    takeColumnChoices({
      "trialbook_columns:p1": ["name", "tags"],
      "trialbook_columns:odd": "no list",
      "trialbook_columns:half": ["name", 3, null],
      other: ["x"],
    });
    const { rerender } = render(<Chosen project="p1" />);
    expect(shown()).toBe("name tags");
    rerender(<Chosen project="p2" />);
    expect(shown()).toBe("");
    rerender(<Chosen project="odd" />);
    expect(shown()).toBe("");
    rerender(<Chosen project="half" />);
    expect(shown()).toBe("name");
    // Chosen meanwhile in another browser, and given up.
    act(() => takeColumnChoices({}));
    expect(shown()).toBe("");
  });

  it("are told to the server, one project at a time, and none when the table shall choose again", async () => {
    render(<Chosen project="a" />);
    act(() => choose(["name", LOSS]));
    expect(shown()).toBe(`name ${LOSS}`);
    await waitFor(() => expect(stored).toEqual({ "trialbook_columns:a": ["name", LOSS] }));
    act(() => choose([]));
    expect(shown()).toBe("");
    await waitFor(() => expect(stored).toEqual({ "trialbook_columns:a": null }));
    expect(server.asks("users.set_preferences").length).toBe(2);
  });

  it("stay as they were chosen here, though an older answer comes late or the server is away", async () => {
    fails = true;
    render(<Chosen project="b" />);
    act(() => choose(["status"]));
    act(() => takeColumnChoices({ "trialbook_columns:b": ["name"] }));
    expect(shown()).toBe("status");
    await waitFor(() => expect(server.asks("users.set_preferences").length).toBe(1));
    expect(shown()).toBe("status");
  });
});

let widen: (id: string, width: number) => void;

function Widths({ table }: { table: string }) {
  const [widths, setWidth] = useColumnWidths(table);
  widen = setWidth;
  return <output>{JSON.stringify(widths)}</output>;
}

describe("W11: widths of columns", () => {
  const shown = () => JSON.parse(document.querySelector("output")?.textContent ?? "null") as unknown;

  it("hold for the next visit, table by table", () => {
    const first = render(<Widths table="tasks" />);
    act(() => widen("name", 300));
    act(() => widen(LOSS, 90));
    first.unmount();
    render(<Widths table="tasks" />);
    expect(shown()).toEqual({ name: 300, [LOSS]: 90 });
    cleanup();
    render(<Widths table="models" />);
    expect(shown()).toEqual({});
  });

  it("of two windows are all kept", () => {
    render(<Widths table="tasks" />);
    const one = widen;
    render(<Widths table="tasks" />);
    act(() => one("name", 300));
    act(() => widen("tags", 90));
    cleanup();
    render(<Widths table="tasks" />);
    expect(shown()).toEqual({ name: 300, tags: 90 });
  });

  it.each(["{", "3", "null", "[1]", '{"name": "wide", "tags": 120}'])("survive %s in the browser's store", (text) => {
    localStorage.setItem("trialbook.widths.tasks", text);
    render(<Widths table="tasks" />);
    expect(shown()).toEqual(text.includes("tags") ? { tags: 120 } : {});
  });
});
