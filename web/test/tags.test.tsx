// @vitest-environment happy-dom
import "./support/layout";

import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { TagEditor } from "~/widgets/TagEditor";

import { Server, show } from "./support/served";

const IN_USE = ["a b", "  ", " padded ", "-rf", "100%25"];
let saved: string[][];

function Page() {
  return (
    <TagEditor
      title="Tags"
      initial={["old"]}
      close={() => undefined}
      save={async (tags) => {
        if (tags.some((tag) => tag.length > 4096)) throw new Error("a tag has at most 4 096 letters");
        saved.push(tags);
      }}
    />
  );
}

beforeEach(async () => {
  saved = [];
  new Server({ "projects.get_task_tags": () => ({ tags: IN_USE }) });
  show(Page, "/tags", "/tags");
  await waitFor(() => expect(offered().length).toBe(IN_USE.length));
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const chips = () => [...document.querySelectorAll<HTMLButtonElement>(".chip")];
const offered = () => chips().filter((one) => !one.title.startsWith("Remove "));
const save = () => fireEvent.click(screen.getByText("Save"));

describe("the tags of a thing", () => {
  it("take each tag that is in use as it is, and each offer does something", () => {
    for (let left = IN_USE.length; left > 0; left -= 1) {
      fireEvent.click(offered()[0] as HTMLElement);
      expect(offered().length).toBe(left - 1);
    }
    expect(chips().every((one) => one.textContent?.trim() !== "")).toBe(true);
    save();
    expect(saved).toEqual([["old", ...IN_USE]]);
  });

  it("take what is typed without blanks around it, once, also what was not added", () => {
    const input = screen.getByLabelText("New tag");
    for (const text of [" new ", "new", "   "]) {
      fireEvent.change(input, { target: { value: text } });
      fireEvent.click(screen.getByText("Add"));
    }
    fireEvent.click(chips()[0] as HTMLElement);
    fireEvent.change(input, { target: { value: " last" } });
    save();
    expect(saved).toEqual([["new", "last"]]);
  });

  it("W4: are saved by Enter, with what is typed", () => {
    const input = screen.getByLabelText<HTMLInputElement>("New tag");
    fireEvent.change(input, { target: { value: " quick " } });
    // The browser sends a form when Enter is pressed in a field that does not hold it back.
    if (fireEvent.keyDown(input, { key: "Enter" })) fireEvent.submit(input.form as HTMLFormElement);
    expect(saved).toEqual([["old", "quick"]]);
  });

  it("W4: are cut where they are long, with the whole as a tip", () => {
    const input = screen.getByLabelText("New tag");
    const long = "long ".repeat(40).trim();
    fireEvent.change(input, { target: { value: long } });
    fireEvent.click(screen.getByText("Add"));
    const all = chips();
    expect(all.some((one) => one.title === `Remove ${long}`)).toBe(true);
    expect(all.every((one) => one.querySelector(".cut") !== null && one.title !== "")).toBe(true);
  });

  it("say why they are not taken, and keep what was typed", async () => {
    const input = screen.getByLabelText<HTMLInputElement>("New tag");
    fireEvent.change(input, { target: { value: "x".repeat(5000) } });
    save();
    await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("at most 4 096"));
    expect(input.value.length).toBe(5000);
    fireEvent.change(input, { target: { value: "short" } });
    save();
    await waitFor(() => expect(saved).toEqual([["old", "short"]]));
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
