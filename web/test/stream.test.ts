import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type Change, LiveLink } from "~/api/stream";

/** A server of live updates: each connection is kept, and says what was asked. */
class Connection {
  ended = false;
  private reader!: ReadableStreamDefaultController<Uint8Array>;
  readonly body = new ReadableStream<Uint8Array>({ start: (reader) => void (this.reader = reader) });

  constructor(
    readonly topics: string[],
    readonly since: string | null,
    signal: AbortSignal | null | undefined,
  ) {
    signal?.addEventListener("abort", () => {
      if (!this.ended) this.reader.error(new DOMException("", "AbortError"));
      this.ended = true;
    });
  }

  send(text: string): void {
    this.reader.enqueue(new TextEncoder().encode(text));
  }

  change(id: number, topic: string, ...keys: string[]): void {
    this.send(`id: ${id}\nevent: change\ndata: ${JSON.stringify({ topic, kind: "task", keys })}\n\n`);
  }

  end(): void {
    this.ended = true;
    this.reader.close();
  }

  fail(): void {
    this.ended = true;
    this.reader.error(new TypeError("network"));
  }
}

let all: Connection[];
let answer: "stream" | "nothing" | number;
let link: LiveLink;
let heard: Change[];
const last = () => all[all.length - 1] as Connection;
const pass = (time: number) => vi.advanceTimersByTimeAsync(time);
const resyncs = () => heard.filter(({ kind }) => kind === "resync").length;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  all = [];
  heard = [];
  answer = "stream";
  vi.stubGlobal("fetch", async (_place: string, init: RequestInit) => {
    if (answer === "nothing") throw new TypeError("no server");
    if (answer !== "stream") return new Response("", { status: answer });
    const { topics } = JSON.parse(init.body as string) as { topics: string[] };
    all.push(new Connection(topics, new Headers(init.headers).get("Last-Event-ID"), init.signal));
    return new Response(last().body);
  });
  link = new LiveLink(false);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const hear = (topic: string) => link.subscribe(topic, (change) => heard.push(change));

describe("the live connection", () => {
  it("asks for the topics of all who listen, once, and hands each what is his", async () => {
    const [a, b]: Change[][] = [[], []];
    link.subscribe("tasks", (change) => a?.push(change));
    link.subscribe("task:1", (change) => b?.push(change));
    link.subscribe("task:1", (change) => b?.push(change));
    await pass(100);
    expect(all.map(({ topics }) => topics)).toEqual([["tasks", "task:1"]]);
    expect(link.current()).toEqual({ kind: "live" });
    last().change(1, "tasks", "x");
    last().change(2, "task:1", "y");
    last().change(3, "elsewhere", "z");
    await pass(0);
    expect(a).toEqual([{ topic: "tasks", kind: "task", keys: ["x"] }]);
    expect(b?.map(({ keys }) => keys)).toEqual([["y"], ["y"]]);
  });

  it("puts together what arrives in pieces, also inside of a character, and skips comments", async () => {
    hear("tasks");
    await pass(100);
    const bytes = new TextEncoder().encode(
      `: a comment\r\n\r\nid: 1\r\nevent: change\r\ndata: ${JSON.stringify({ topic: "tasks", kind: "ä€🧪", keys: [] })}\r\n\r\n`,
    );
    // Byte by byte.
    for (const byte of bytes)
      (last() as unknown as { reader: ReadableStreamDefaultController<Uint8Array> }).reader.enqueue(
        Uint8Array.of(byte),
      );
    await pass(0);
    expect(heard).toEqual([{ topic: "tasks", kind: "ä€🧪", keys: [] }]);
  });

  it.each(["ends", "breaks"])("goes on where it was when the stream %s, and everybody looks again", async (how) => {
    hear("tasks");
    await pass(100);
    last().change(41, "tasks", "x");
    await pass(0);
    if (how === "ends") last().end();
    else last().fail();
    await pass(0);
    expect(link.current()).toEqual({ kind: "paused", retryAt: Date.now() + 500 });
    await pass(501);
    expect(all.length).toBe(2);
    expect(last().since).toBe("41");
    expect(link.current().kind).toBe("live");
    expect(resyncs()).toBe(1);
    last().change(42, "tasks", "y");
    await pass(0);
    expect(heard[heard.length - 1]?.keys).toEqual(["y"]);
  });

  it.each([["nothing"], [503], [401]] as const)(
    "asks ever more rarely when the answer is %s, and has all look every 15 s",
    async (what) => {
      hear("tasks");
      await pass(100);
      answer = what;
      last().fail();
      await pass(0);
      const waits: number[] = [];
      for (let i = 0; i < 8; i += 1) {
        const state = link.current();
        if (state.kind !== "paused") throw new Error(state.kind);
        waits.push(state.retryAt - Date.now());
        await pass(state.retryAt - Date.now());
      }
      expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
      const spent = waits.reduce((a, b) => a + b);
      expect(resyncs()).toBe(Math.floor(spent / 15_000));
      answer = "stream";
      link.retryNow();
      await pass(10);
      expect(link.current().kind).toBe("live");
      const now = resyncs();
      await pass(60_000);
      expect(resyncs()).toBe(now);
      // The next loss is treated like a first one.
      last().fail();
      await pass(0);
      expect(link.current()).toEqual({ kind: "paused", retryAt: Date.now() + 500 });
    },
  );

  it("has everybody look again when the server says that there is a gap", async () => {
    const other: Change[] = [];
    hear("tasks");
    link.subscribe("task:1", (change) => other.push(change));
    await pass(100);
    last().send("id: 90\nevent: resync\ndata: {}\n\n");
    await pass(0);
    expect(heard).toEqual([{ topic: "tasks", kind: "resync", keys: [] }]);
    expect(other).toEqual([{ topic: "task:1", kind: "resync", keys: [] }]);
    last().end();
    await pass(600);
    expect(last().since).toBe("90");
  });

  it("connects anew for another set of topics, without a gap, and once for a change of the page", async () => {
    const stop = hear("task:1");
    await pass(100);
    last().change(7, "task:1", "x");
    await pass(0);
    stop();
    hear("task:2");
    hear("log:2");
    await pass(1000);
    expect(all.map(({ topics, ended }) => [topics, ended])).toEqual([
      [["task:1"], true],
      [["task:2", "log:2"], false],
    ]);
    expect(last().since).toBe("7");
    expect(link.current().kind).toBe("live");
    expect(resyncs()).toBe(0);
  });

  it("rests when nobody listens", async () => {
    const stop = hear("tasks");
    await pass(100);
    stop();
    stop();
    await pass(1000);
    expect(link.current()).toEqual({ kind: "idle" });
    expect(last().ended).toBe(true);
    await pass(60_000);
    expect(all.length).toBe(1);
  });

  it("leaves the others alone when one listener goes while it is told", async () => {
    const told: string[] = [];
    const stop = link.subscribe("tasks", () => {
      told.push("first");
      stop();
    });
    link.subscribe("tasks", () => told.push("second"));
    await pass(100);
    last().change(1, "tasks");
    last().change(2, "tasks");
    await pass(0);
    expect(told).toEqual(["first", "second", "second"]);
  });
});
