// @vitest-environment happy-dom
import "./support/layout";

import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useRef, useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { RpcError } from "~/api/rpc";
import { useKeys } from "~/state/keys";
import { toast, useToasts } from "~/state/toasts";
import { ActionDialog } from "~/widgets/ActionDialog";
import { Dialog } from "~/widgets/Dialog";
import { DropMenu } from "~/widgets/DropMenu";
import { EditableText } from "~/widgets/EditableText";
import { useLayer } from "~/widgets/layer";
import { Toasts } from "~/widgets/states";

import { Server, show } from "./support/served";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true }));

afterEach(() => {
  act(() => vi.runAllTimers());
  vi.useRealTimers();
  cleanup();
  vi.unstubAllGlobals();
});

const dialog = () => document.querySelector("dialog") as HTMLDialogElement;
const button = (name: string) => screen.getByRole("button", { name }) as HTMLButtonElement;

describe("a dialog", () => {
  let closed: number;
  let sent: number;
  beforeEach(() => {
    [closed, sent] = [0, 0];
  });
  const open = (props: Partial<Parameters<typeof Dialog>[0]>) =>
    render(
      <Dialog title="Delete it?" close={() => (closed += 1)} verb="Delete" submit={() => (sent += 1)} {...props}>
        <input aria-label="Why" />
      </Dialog>,
    );

  it("is over the page, has its title's name and is gone with its component", () => {
    const { unmount } = open({});
    const box = dialog();
    expect(box.open).toBe(true);
    expect(screen.getByRole("dialog", { name: "Delete it?" })).toBe(box);
    unmount();
    expect(box.open).toBe(false);
  });

  it.each([
    ["Close", () => fireEvent.click(screen.getByLabelText("Close"))],
    ["Cancel", () => fireEvent.click(button("Cancel"))],
    ["Esc", () => fireEvent(dialog(), new Event("cancel", { cancelable: true }))],
    ["a press beside it", () => fireEvent.mouseDown(dialog())],
    ["the browser itself", () => dialog().close()],
  ])("closes by %s, and does nothing else", (_, leave) => {
    open({});
    leave();
    expect([closed, sent]).toEqual([1, 0]);
  });

  it("stays for a press inside", () => {
    open({});
    fireEvent.mouseDown(screen.getByLabelText("Why"));
    expect(closed).toBe(0);
  });

  it.each([
    [{}, 1],
    [{ busy: true }, 0],
    [{ ready: false }, 0],
  ])("with %j is sent %i times by Enter", (props, times) => {
    open(props);
    fireEvent.submit(document.querySelector("form") as HTMLFormElement);
    expect(sent).toBe(times);
  });

  it("gives the keyboard to the field that wants it, and to no dangerous button", () => {
    open({ danger: true });
    expect(button("Delete").dataset["autofocus"]).toBe(undefined);
    cleanup();
    open({});
    expect(document.activeElement).toBe(button("Delete"));
  });

  it("that tells what has happened offers no way back", () => {
    open({ past: true, verb: "Done" });
    expect(screen.queryByRole("button", { name: "Cancel" })).toBe(null);
  });
});

describe("a menu", () => {
  const ran: string[] = [];
  const open = () => {
    ran.length = 0;
    const run = (name: string) => () => void ran.push(name);
    render(
      <DropMenu
        target={<button type="button">More</button>}
        entries={[
          { label: "One", run: run("one") },
          null,
          { label: "Never", disabled: true, why: "not yours", run: run("never") },
          { label: "Two", run: run("two") },
        ]}
      />,
    );
    fireEvent.click(button("More"));
  };
  const press = (key: string) => fireEvent.keyDown(document.activeElement as Element, { key });
  const at = () => document.activeElement?.textContent;

  it("is walked by the keyboard, round and past what cannot be chosen", () => {
    open();
    expect(button("More").getAttribute("aria-expanded")).toBe("true");
    const walked = ["", "ArrowDown", "ArrowDown", "ArrowUp", "Home", "End"].map((key) => {
      if (key) press(key);
      return at();
    });
    expect(walked).toEqual(["One", "Two", "One", "Two", "One", "Two"]);
    fireEvent.click(screen.getByText("Two"));
    expect(ran).toEqual(["two"]);
    expect(button("More").getAttribute("aria-expanded")).toBe("false");
    expect(screen.queryByText("One")).toBe(null);
  });

  it("is left by Tab, says why something cannot be chosen, and keeps its keys from the page", () => {
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => void heard.push(event.key);
    document.addEventListener("keydown", listen);
    open();
    expect(screen.getByText("Never").closest("button")?.title).toBe("not yours");
    press("j");
    press("Escape");
    press("Tab");
    expect(heard).toEqual(["Escape", "Tab"]);
    expect(screen.queryByText("One")).toBe(null);
    document.removeEventListener("keydown", listen);
  });
});

describe("the page's keys", () => {
  it("act on what the last one left, and rest while somebody types or a dialog is open", () => {
    const Page = () => {
      const [n, setN] = useState(0);
      const [open, setOpen] = useState(false);
      useKeys({ j: () => setN(n + 1), "mod+k": () => setOpen(!open), escape: () => setN(0) });
      return (
        <>
          <output>{n}</output>
          <input aria-label="Text" />
          <input aria-label="Box" type="checkbox" />
          <input aria-label="Range" type="range" />
          {open && <Dialog title="d" close={() => undefined} />}
        </>
      );
    };
    render(<Page />);
    const n = () => Number(document.querySelector("output")?.textContent);
    const press = (key: string, where: Element = document.body, more = {}) =>
      fireEvent.keyDown(where, { key, ...more });
    press("j");
    press("j");
    expect(n()).toBe(2);
    press("J");
    press("j", document.body, { ctrlKey: true });
    press("j", screen.getByLabelText("Text"));
    press("j", screen.getByLabelText("Range"));
    expect(n()).toBe(2);
    press("j", screen.getByLabelText("Box"));
    expect(n()).toBe(3);
    press("Escape", screen.getByLabelText("Range"));
    expect(n()).toBe(0);
    press("k", document.body, { metaKey: true });
    press("j");
    expect(n()).toBe(0);
    press("k", screen.getByLabelText("Text"), { ctrlKey: true });
    press("j");
    expect(n()).toBe(1);
  });
});

describe("what lies over the page", () => {
  it("lets the rest of it rest, and gives all back", () => {
    const Page = ({ over }: { over: boolean }) => {
      const box = useRef<HTMLDivElement>(null);
      useLayer(box, over);
      return (
        <main>
          <nav inert data-name="resting" />
          <button type="button">before</button>
          <section>
            <p data-name="beside" />
            <div ref={box} tabIndex={-1} data-name="box" />
          </section>
          <div className="toasts" data-name="toasts" />
        </main>
      );
    };
    const inert = () =>
      [...document.querySelectorAll<HTMLElement>("[inert]")].map((one) => one.dataset["name"] ?? one.textContent);
    const { rerender } = render(<Page over={false} />);
    button("before").focus();
    rerender(<Page over />);
    expect(inert()).toEqual(["resting", "before", "beside"]);
    expect((document.activeElement as HTMLElement).dataset["name"]).toBe("box");
    rerender(<Page over={false} />);
    expect(inert()).toEqual(["resting"]);
    expect(document.activeElement).toBe(button("before"));
  });
});

describe("what is told at the foot of the page", () => {
  it("stays ten seconds, four at most, and can be sent away", () => {
    const Count = () => <output>{useToasts().length}</output>;
    render(
      <>
        <Toasts />
        <Count />
      </>,
    );
    act(() => ["a", "b", "c", "d", "e"].forEach((text) => toast(text)));
    const texts = () => [...document.querySelectorAll(".toast .grow")].map((one) => one.textContent);
    expect(texts()).toEqual(["b", "c", "d", "e"]);
    fireEvent.click(screen.getAllByLabelText("Dismiss")[1] as HTMLElement);
    expect(texts()).toEqual(["b", "d", "e"]);
    act(() => vi.advanceTimersByTime(9_000));
    act(() => toast("late"));
    act(() => vi.advanceTimersByTime(2_000));
    expect(texts()).toEqual(["late"]);
    act(() => vi.advanceTimersByTime(10_000));
    expect(document.querySelector("output")?.textContent).toBe("0");
  });
});

describe("an action on several tasks", () => {
  const task = (id: string, status: string, system_tags: string[] = []) => ({
    id,
    name: `task ${id}`,
    status,
    system_tags,
  });
  const Page = (name: "publish" | "archive" | "delete", tasks: ReturnType<typeof task>[]) => () => (
    <>
      <ActionDialog name={name} tasks={tasks} close={() => closed()} />
      <Toasts />
    </>
  );
  let closed: () => void;
  beforeEach(() => {
    closed = vi.fn();
  });
  const told = () => [...document.querySelectorAll(".toast .grow")].map((one) => one.textContent);

  it("says how many it is done to and why not to the others, and does it to those", async () => {
    const server = new Server({
      "tasks.publish_many": ({ ids }) => ({
        succeeded: [{ id: (ids as string[])[0] }],
        failed: [{ id: "c", error: { msg: "it was deleted meanwhile" } }],
      }),
    });
    show(Page("publish", [task("a", "completed"), task("b", "in_progress"), task("c", "failed")]), "/x", "/x");
    await screen.findByText("Publish 2 tasks?");
    expect(screen.getByText(/^1 cannot:/).textContent).toBe("1 cannot: only an ended task can be published.");
    fireEvent.click(button("Publish 2"));
    await waitFor(() => expect(closed).toHaveBeenCalledOnce());
    expect(server.asks("tasks.publish_many")).toEqual([{ ids: ["a", "c"] }]);
    expect(told()).toEqual(["Published 1 task.", "1 not changed: it was deleted meanwhile"]);
  });

  it("that nothing can take cannot be sent", async () => {
    new Server({});
    show(Page("delete", [task("a", "in_progress")]), "/x", "/x");
    await screen.findByText("Delete 0 tasks?");
    expect(button("Delete").disabled).toBe(true);
  });

  it("stays open when it is refused, and says why", async () => {
    new Server({
      "tasks.delete_many": () => {
        throw new RpcError("", 500, 0, "the disk is full", "");
      },
    });
    show(Page("delete", [task("a", "completed")]), "/x", "/x");
    await screen.findByText("Delete “task a”?");
    fireEvent.click(button("Delete"));
    await waitFor(() => expect(told()).toEqual(["the disk is full"]));
    expect(closed).not.toHaveBeenCalled();
    expect(button("Delete").disabled).toBe(false);
  });

  it("can be undone, and an undoing that fails is told", async () => {
    let fails = true;
    const server = new Server({
      "tasks.archive_many": ({ ids }) => ({ succeeded: (ids as string[]).map((id) => ({ id })), failed: [] }),
      "tasks.unarchive_many": ({ ids }) => {
        if (fails) throw new RpcError("", 403, 0, "not any more", "");
        return { succeeded: (ids as string[]).map((id) => ({ id })), failed: [] };
      },
    });
    show(Page("archive", [task("a", "completed"), task("b", "created")]), "/x", "/x");
    fireEvent.click(await screen.findByRole("button", { name: "Archive 2" }));
    fireEvent.click(await screen.findByText("Undo"));
    await waitFor(() => expect(told()).toEqual(["not any more"]));
    fails = false;
    fireEvent.click(button("Archive 2"));
    fireEvent.click(await screen.findByText("Undo"));
    await waitFor(() => expect(told()).toEqual(["not any more", "Restored 2 tasks."]));
    expect(server.asks("tasks.unarchive_many").at(-1)).toEqual({ ids: ["a", "b"] });
  });
});

describe("a text in a panel", () => {
  it("is edited in place: kept when it is saved, as it was when it is not", async () => {
    let refuse = true;
    const saved: string[] = [];
    const save = async (text: string) => {
      if (refuse) throw new Error("somebody else was quicker");
      saved.push(text);
    };
    render(
      <>
        <EditableText label="Comment" text="old" method="tasks.edit" save={save} />
        <Toasts />
      </>,
    );
    const edit = (text: string) => {
      fireEvent.click(button("Edit"));
      fireEvent.change(screen.getByLabelText("Comment"), { target: { value: text } });
    };
    edit("lost");
    fireEvent.click(button("Cancel"));
    expect(screen.getByText("old")).toBeTruthy();
    edit("new");
    fireEvent.click(button("Save"));
    await screen.findByText("somebody else was quicker");
    expect((screen.getByLabelText("Comment") as HTMLTextAreaElement).value).toBe("new");
    refuse = false;
    fireEvent.click(button("Save"));
    await waitFor(() => expect(saved).toEqual(["new"]));
    expect(button("Edit")).toBeTruthy();
  });
});
