import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { SpokenTurns } from "~/api/turns";

/** The browser's channel between windows; a window whose process died neither says nor hears anything. */
class Channel {
  static open = new Set<Channel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;
  dead = false;
  constructor(readonly name: string) {
    Channel.open.add(this);
  }
  postMessage(data: unknown): void {
    if (this.dead) return;
    for (const other of Channel.open) {
      if (other !== this && other.name === this.name) setTimeout(() => !other.dead && other.onmessage?.({ data }), 1);
    }
  }
}

class Window {
  leads = false;
  private ended = false;
  called = 0;
  gone: string[] = [];
  readonly turns: SpokenTurns;
  readonly channel: Channel;

  constructor(readonly id: string) {
    this.turns = new SpokenTurns(id, {
      lead: () => void (this.leads = !this.ended),
      deposed: () => void (this.leads = false),
      call: () => void (this.called += 1),
      left: (id) => this.gone.push(id),
    });
    this.channel = [...Channel.open][Channel.open.size - 1] as Channel;
  }

  release(): void {
    this.leads = false;
    this.turns.release();
  }

  /** The process ends, and its timers with it. */
  die(): void {
    this.channel.dead = this.ended = true;
    this.leads = false;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  Channel.open.clear();
  vi.stubGlobal("BroadcastChannel", Channel);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const SETTLED = 10_000;
const leaders = (windows: readonly Window[]) => windows.filter(({ leads }) => leads).map(({ id }) => id);

describe("W4: windows without locks", () => {
  it("have one that reads, also when all begin at once", () => {
    const windows = ["c", "a", "d", "b"].map((id) => new Window(id));
    for (const one of windows) one.turns.contend();
    vi.advanceTimersByTime(SETTLED);
    expect(leaders(windows)).toEqual(["a"]);
  });

  it("leave the lead where it is when another comes", () => {
    const first = new Window("z");
    first.turns.contend();
    vi.advanceTimersByTime(200);
    expect(first.leads).toBe(true);
    const second = new Window("a");
    second.turns.contend();
    vi.advanceTimersByTime(60_000);
    expect([first.leads, second.leads]).toEqual([true, false]);
  });

  it("hand the lead on at once when it is released, and soon when its window dies", () => {
    const [a, b, c] = ["a", "b", "c"].map((id) => new Window(id)) as [Window, Window, Window];
    for (const one of [a, b, c]) one.turns.contend();
    vi.advanceTimersByTime(SETTLED);
    a.release();
    vi.advanceTimersByTime(200);
    expect(leaders([a, b, c])).toEqual(["b"]);
    b.die();
    vi.advanceTimersByTime(4000);
    expect(leaders([a, b, c])).toEqual(["c"]);
    // Who does not stand in line never leads.
    c.release();
    vi.advanceTimersByTime(SETTLED);
    expect(leaders([a, b, c])).toEqual([]);
  });

  it("notice that a window is gone, and that one is still there", () => {
    const [a, b] = ["a", "b"].map((id) => new Window(id)) as [Window, Window];
    a.turns.contend();
    vi.advanceTimersByTime(SETTLED);
    a.turns.await("b");
    a.turns.await("silent");
    for (let i = 0; i < 12; i += 1) {
      vi.advanceTimersByTime(5000);
      a.turns.await("b");
    }
    expect(a.gone).toEqual(["silent"]);
    expect(a.called).toBeGreaterThan(10);
    b.turns.contend();
    vi.advanceTimersByTime(100);
    b.release();
    expect(a.gone).toEqual(["silent"]);
  });

  it("agree on one after whatever happened", () => {
    const event = fc.record({
      who: fc.nat(5),
      what: fc.constantFrom("contend", "release", "die", "deaf", "hear"),
      then: fc.integer({ min: 0, max: 5000 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (events) => {
        Channel.open.clear();
        vi.clearAllTimers();
        const windows = Array.from({ length: 6 }, (_, i) => new Window(String(i)));
        const wants = new Set<Window>();
        const dead = new Set<Window>();
        for (const { who, what, then } of events) {
          const one = windows[who] as Window;
          if (dead.has(one)) continue;
          if (what === "contend") one.turns.contend();
          else if (what === "release") one.release();
          else if (what === "die") one.die();
          // A window that was put to sleep by the machine says and hears nothing for a while, but lives.
          else one.channel.dead = what === "deaf";
          if (what === "contend") wants.add(one);
          if (what === "release" || what === "die") wants.delete(one);
          if (what === "die") dead.add(one);
          vi.advanceTimersByTime(then);
        }
        for (const one of windows) if (!dead.has(one)) one.channel.dead = false;
        vi.advanceTimersByTime(SETTLED);
        expect(leaders(windows).length).toBe(wants.size > 0 ? 1 : 0);
        expect([...wants].some(({ leads }) => leads)).toBe(wants.size > 0);
      }),
      { numRuns: 60 },
    );
  });
});
