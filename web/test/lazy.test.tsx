// @vitest-environment happy-dom
import "./support/layout";

import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { dropEarly, takeEarly } from "~/api/early";
import { keepTrying, lazyPart } from "~/widgets/lazyPart";

let head: () => Promise<Response>;
let reloads: number;

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  reloads = 0;
  head = async () => {
    throw new TypeError("away");
  };
  vi.stubGlobal("fetch", () => head());
  vi.spyOn(window.location, "reload").mockImplementation(() => void (reloads += 1));
  vi.spyOn(console, "info").mockImplementation(() => undefined);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const wait = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
const Here = () => <p>here</p>;

describe("a part whose code is loaded later", () => {
  it("is loaded once, however often it is shown or asked ahead", async () => {
    const load = vi.fn(async () => Here);
    const Part = lazyPart(load);
    await Promise.all([Part.preload(), Part.preload()]);
    render(
      <>
        <Part />
        <Part />
      </>,
    );
    expect(screen.getAllByText("here").length).toBe(2);
    expect(load).toHaveBeenCalledOnce();
  });

  it("says that the server is away, tries again, and appears in its place", async () => {
    let away = true;
    const load = vi.fn(async () => {
      if (away) throw new TypeError("Failed to fetch");
      return Here;
    });
    const Part = lazyPart(load);
    await Part.preload();
    render(<Part />);
    await wait(0);
    expect(screen.getByText("The server cannot be reached")).toBeTruthy();
    await wait(4_100);
    expect(load).toHaveBeenCalledTimes(4);
    away = false;
    await wait(2_000);
    expect(screen.getByText("here")).toBeTruthy();
    expect(reloads).toBe(0);
    await wait(60_000);
    expect(load).toHaveBeenCalledTimes(5);
  });

  it("that is left is tried no more, and shows nothing when it comes late", async () => {
    const fetchPart = vi.fn(async () => {
      throw new TypeError("away");
    });
    const [done, failed] = [vi.fn(), vi.fn()];
    const leave = keepTrying(fetchPart, done, failed);
    await wait(0);
    expect(failed).toHaveBeenCalledOnce();
    leave();
    await wait(10_000);
    expect(fetchPart).toHaveBeenCalledOnce();
    let come: () => void = () => undefined;
    keepTrying(() => new Promise<void>((resolve) => (come = resolve)), done, failed)();
    come();
    await wait(0);
    expect(done).not.toHaveBeenCalled();
  });

  it("that a server which answers does not have is of an older page: that is loaded anew, once a minute at most", async () => {
    head = async () => new Response();
    const leave = keepTrying(
      async () => {
        throw new TypeError("404");
      },
      () => undefined,
      () => undefined,
    );
    await wait(0);
    expect(reloads).toBe(1);
    await wait(50_000);
    expect(reloads).toBe(1);
    await wait(12_000);
    expect(reloads).toBe(2);
    leave();
    head = async () => new Response(null, { status: 502 });
    sessionStorage.clear();
    keepTrying(
      async () => {
        throw new TypeError("404");
      },
      () => undefined,
      () => undefined,
    )();
    await wait(5_000);
    expect(reloads).toBe(2);
  });
});

describe("what was asked before the page was there", () => {
  const early = (until: number) => {
    const answers = new Map([["m {}", Promise.resolve(new Response("1"))]]);
    window.trialbookEarly = { answers, until };
  };

  it("is taken by the first equal call, while it is new", () => {
    early(performance.now() + 1_000);
    expect(takeEarly("m", '{"a":1}')).toBe(undefined);
    expect(takeEarly("other", "{}")).toBe(undefined);
    expect(takeEarly("m", "{}")).toBeInstanceOf(Promise);
    expect(takeEarly("m", "{}")).toBe(undefined);
    early(performance.now() - 1);
    expect(takeEarly("m", "{}")).toBe(undefined);
  });

  it("is forgotten when nobody is logged in", () => {
    early(performance.now() + 1_000);
    dropEarly();
    expect(takeEarly("m", "{}")).toBe(undefined);
    delete window.trialbookEarly;
    dropEarly();
    expect(takeEarly("m", "{}")).toBe(undefined);
  });
});
