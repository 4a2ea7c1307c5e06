// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type CardSpec, type TileQuery, TileStore } from "~/charts/store";

import { tileBody } from "./support/tileBody";

/** What was asked for and not yet answered. A request that is given up is answered all the same, as on a slow line. */
interface Asked {
  metrics: string[];
  buckets: number;
  answer: (value?: number) => Promise<void>;
  fail: () => Promise<void>;
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const QUERY: TileQuery = { x: "iter", zoom: null, buckets: 64 };
let asked: Asked[];
let store: TileStore;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  asked = [];
  store = new TileStore();
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    const { series, buckets } = JSON.parse(init.body as string) as { series: { metric: string }[]; buckets: number };
    return new Promise<Response>((done, failed) => {
      const answer = async (value = 1) => {
        done(
          new Response(tileBody(series.map(({ metric }) => ({ metric, rows: [[0, 0, value, value, value, 1, 0]] })))),
        );
        // A body takes several turns to be read.
        for (let i = 0; i < 20; i += 1) await settle();
      };
      const fail = async () => {
        failed(new TypeError("away"));
        for (let i = 0; i < 20; i += 1) await settle();
      };
      asked.push({ metrics: series.map(({ metric }) => metric), buckets, answer, fail });
    });
  });
});

afterEach(() => {
  store.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const card = (metric: string, version = "1", span = 100): CardSpec => ({
  key: metric,
  series: [{ task: "t", metric, variant: "v" }],
  version,
  span,
});
const shown = (key: string) => store.get(key)?.tiles[0]?.value[0];
const wants = async (cards: CardSpec[], query = QUERY) => {
  store.want(cards, query);
  await settle();
};

describe("the tiles of a screen", () => {
  it("come in one request, and once for what has not changed", async () => {
    await wants([card("a"), card("b")]);
    expect(asked.map(({ metrics }) => metrics)).toEqual([["a", "b"]]);
    expect(store.busy()).toBe(true);
    await asked[0]?.answer();
    expect([shown("a"), shown("b"), store.busy()]).toEqual([1, 1, false]);
    await wants([card("a"), card("b")]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.length).toBe(1);
  });

  it("are asked for by what fits on one grid", async () => {
    await wants([card("a", "1", 100), card("b", "1", 30), card("c", "1", 1000), card("d", "1", 300)]);
    expect(asked.map(({ metrics }) => metrics)).toEqual([
      ["c", "d"],
      ["a", "b"],
    ]);
  });

  it("are asked for at most twice a second, however often something changes", async () => {
    await wants([card("a")]);
    await asked[0]?.answer();
    for (let version = 2; version < 40; version += 1) {
      await wants([card("a", String(version))]);
      await vi.advanceTimersByTimeAsync(25);
      if (asked.length === 2) await asked[1]?.answer(2);
    }
    expect(asked.length).toBe(3);
    expect(shown("a")).toBe(2);
  });

  it("stay as they are until newer ones are here", async () => {
    await wants([card("a")]);
    await asked[0]?.answer();
    await vi.advanceTimersByTimeAsync(1_000);
    await wants([card("a")], { ...QUERY, zoom: [0, 5] });
    expect(shown("a")).toBe(1);
    await asked[1]?.answer(7);
    expect(shown("a")).toBe(7);
  });

  it("of another query are asked for at once, and an answer to the old one changes nothing about that", async () => {
    await wants([card("a")]);
    await wants([card("a")], { ...QUERY, buckets: 128 });
    expect(asked.map(({ buckets }) => buckets)).toEqual([64, 128]);
    await asked[0]?.answer(3);
    expect(store.busy()).toBe(true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.length).toBe(2);
    await asked[1]?.answer(8);
    expect([shown("a"), store.busy()]).toEqual([8, false]);
  });

  it("that cannot be had are not asked for again before somebody wants it", async () => {
    await wants([card("a")]);
    await asked[0]?.fail();
    expect(store.error).toBeTruthy();
    await wants([card("a", "2")]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.length).toBe(1);
    store.retry();
    await settle();
    await asked[1]?.answer(4);
    expect([shown("a"), store.error]).toEqual([4, null]);
  });

  it("are no longer asked for when the screen is left, and again when it is come back to", async () => {
    await wants([card("a")]);
    store.close();
    await asked[0]?.answer();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([asked.length, store.busy()]).toEqual([1, false]);
    await wants([card("b")]);
    await asked[1]?.answer(5);
    expect(shown("b")).toBe(5);
  });

  it("tell those who watch, and nobody else", async () => {
    const told = vi.fn();
    const end = store.watch(told);
    await wants([card("a")]);
    const before = store.version();
    await asked[0]?.answer();
    expect(store.version()).toBeGreaterThan(before);
    const times = told.mock.calls.length;
    expect(times).toBeGreaterThan(1);
    end();
    store.want([card("b")], QUERY);
    await vi.advanceTimersByTimeAsync(1_000);
    await asked[1]?.answer();
    expect(told).toHaveBeenCalledTimes(times);
  });
});
