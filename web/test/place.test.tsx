// @vitest-environment happy-dom
import "./support/layout";

import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { number, text } from "~/state/codec";
import { useCrumbs, useCrumbTrail } from "~/state/crumbs";
import { forget, keep, keptAt, placeOf, saveKept, setPlace, useKept } from "~/state/kept";
import { useView } from "~/state/view";

import { show } from "./support/served";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const FIELDS = { q: text(), n: number(3) };

describe("the view in the address", () => {
  const Page = () => {
    const [view, setView] = useView(FIELDS);
    return (
      <>
        <output>{JSON.stringify(view)}</output>
        <button type="button" onClick={() => setView({ q: "a b" })}>
          seek
        </button>
        <button type="button" onClick={() => setView({ n: 7 }, "push")}>
          step
        </button>
        <button
          type="button"
          onClick={() => {
            setView({ q: "x" });
            setView({ n: 9 });
          }}
        >
          both
        </button>
        <button type="button" onClick={() => setView({ q: "", n: 3 })}>
          none
        </button>
      </>
    );
  };
  const view = () => JSON.parse(document.querySelector("output")?.textContent ?? "") as unknown;
  const press = (name: string) => act(async () => void fireEvent.click(screen.getByText(name)));

  it("is the only copy: changes keep what else is there, and a step is one of the history", async () => {
    const { address, router } = show(Page, "/p", "/p?other=1&n=5");
    await screen.findByText("seek");
    expect(view()).toEqual({ q: "", n: 5 });
    const before = router.history.length;
    await press("seek");
    expect(view()).toEqual({ q: "a b", n: 5 });
    expect(router.history.length).toBe(before);
    await press("step");
    expect(router.history.length).toBe(before + 1);
    expect(new URLSearchParams(address().split("?")[1]).get("other")).toBe("1");
    await act(async () => router.history.back());
    expect(view()).toEqual({ q: "a b", n: 5 });
  });

  it("takes two changes at once, and is short again without any", async () => {
    const { address, router } = show(Page, "/p", "/p");
    await screen.findByText("seek");
    await press("both");
    expect(view()).toEqual({ q: "x", n: 9 });
    await press("none");
    expect(address()).toBe("/p");
    const length = router.history.length;
    const replaced = vi.spyOn(router.history, "replace");
    await press("none");
    expect([router.history.length, replaced.mock.calls.length]).toEqual([length, 0]);
  });

  it.each(["/p?n=many", "/p?n=", "/p?q", "/p?n=1&n=2", "/p?%E0%A4%A"])(
    "opens at a broken address: %s",
    async (address) => {
      show(Page, "/p", address);
      await screen.findByText("seek");
      expect(view()).toEqual({ q: expect.any(String), n: expect.any(Number) });
    },
  );
});

describe("what a page keeps besides its address", () => {
  const Page = () => {
    const [chosen, setChosen] = useKept<readonly string[]>("chosen", NOTHING);
    return (
      <>
        <output>{chosen.join()}</output>
        <button type="button" onClick={() => setChosen([...chosen, "x"])}>
          more
        </button>
      </>
    );
  };
  const NOTHING: readonly string[] = [];
  const shown = () => document.querySelector("output")?.textContent;
  const more = () => fireEvent.click(screen.getByText("more"));
  beforeEach(() => {
    for (const place of ["1 /a", "2 /a", "3 /b"]) forget(place);
  });

  it("is there again at the same step of the history, and not at a new one", () => {
    setPlace("1 /a");
    render(<Page />);
    more();
    more();
    expect(shown()).toBe("x,x");
    cleanup();
    act(() => setPlace("3 /b"));
    render(<Page />);
    expect(shown()).toBe("");
    cleanup();
    act(() => setPlace("1 /a"));
    render(<Page />);
    expect(shown()).toBe("x,x");
  });

  it("goes along with a step that stays on the page, and not with one that leaves it", () => {
    setPlace("1 /a");
    render(<Page />);
    more();
    act(() => setPlace("2 /a"));
    expect(keptAt("2 /a")).toEqual({ chosen: ["x"] });
    // The page is still shown while the next one loads.
    act(() => setPlace("3 /b"));
    more();
    expect(keptAt("3 /b")).toEqual({});
    expect(keptAt("1 /a")).toEqual({ chosen: ["x"] });
  });

  it("is written down for a reload: of the last fifty places, or not at all when it is too much", () => {
    for (let i = 0; i < 60; i += 1) keep(`${i} /many`, "at", i);
    keep("10 /many", "at", "again");
    expect(keptAt("9 /many")).toEqual({});
    saveKept();
    const written = JSON.parse(sessionStorage.getItem("trialbook.kept") ?? "null") as [string, unknown][];
    expect(written.length).toBe(50);
    expect(written.at(-1)).toEqual(["10 /many", { at: "again" }]);
    const removed: string[] = [];
    const setItem = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    vi.stubGlobal("sessionStorage", { setItem, removeItem: (name: string) => removed.push(name) });
    saveKept();
    expect(removed).toEqual(["trialbook.kept"]);
  });

  it("belongs to a step of the history and its page, whatever stands behind the question mark", () => {
    expect(placeOf({ pathname: "/a", state: { __TSR_index: 4 } })).toBe("4 /a");
    expect(placeOf({ pathname: "/a", state: {} })).toBe("0 /a");
  });
});

describe("where a page stands", () => {
  it("is in the top bar and in the window's title, and follows a new name", () => {
    const Bar = () => <output>{useCrumbs().map(({ label, to }) => `${label}=${to}`)}</output>;
    const Page = ({ name }: { name: string }) => {
      useCrumbTrail(name ? [{ label: "Projects", to: "/projects" }, { label: name }] : []);
      return <Bar />;
    };
    const { rerender } = render(<Page name="a" />);
    expect(document.title).toBe("a · Trialbook");
    rerender(<Page name="b" />);
    expect(document.querySelector("output")?.textContent).toBe("Projects=/projectsb=undefined");
    rerender(<Page name="" />);
    expect(document.title).toBe("Trialbook");
  });
});
