import { SESSION_HEADERS } from "~/api/rpc";
import { canShare, type Shared, Sharing } from "~/api/sharing";

/** One live update: something under `topic` changed. `resync` means: refetch, messages were missed. */
export interface Change {
  topic: string;
  kind: string;
  keys: string[];
}

export type LinkState =
  | { kind: "idle" }
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "paused"; retryAt: number };

type Handler = (change: Change) => void;

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const POLL_EVERY = 15_000;
// A browser opens six connections to a host; tabs in the background must not keep one each.
const HIDDEN_FOR = 5_000;

/** Splits a text/event-stream into events; feed it text as it arrives. */
export class EventParser {
  private rest = "";

  constructor(private readonly deliver: (event: { id: string; name: string; data: string }) => void) {}

  feed(text: string): void {
    // The two halves of a line's end may come apart.
    this.rest = (this.rest + text).replaceAll("\r\n", "\n");
    let end = this.rest.indexOf("\n\n");
    while (end >= 0) {
      this.block(this.rest.slice(0, end));
      this.rest = this.rest.slice(end + 2);
      end = this.rest.indexOf("\n\n");
    }
  }

  private block(block: string): void {
    const event = { id: "", name: "message", data: "" };
    let named = false;
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "id") event.id = value;
      else if (field === "event") event.name = value;
      else if (field === "data") event.data += event.data ? `\n${value}` : value;
      else continue;
      named = true;
    }
    if (named) this.deliver(event);
  }
}

/**
 * The page's one connection for live updates: its own, or that of another window of the browser that reads for all
 * (`sharing.ts`).
 *
 * Topics come and go with the mounted components. A change of the topic set reconnects after a short pause; a broken
 * connection is retried with growing waits, and while it is down every subscriber gets a `resync` each 15 s instead.
 */
export class LiveLink {
  private readonly handlers = new Map<string, Set<Handler>>();
  private readonly watchers = new Set<() => void>();
  private state: LinkState = { kind: "idle" };
  private abort: AbortController | null = null;
  private lastId = "";
  private wait = FIRST_WAIT;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private poll: ReturnType<typeof setInterval> | undefined;
  private hidden: ReturnType<typeof setTimeout> | undefined;
  private asleep = false;
  private sharing: Sharing | null = null;
  private leads = false;
  private led = false;
  private readonly others = new Map<string, string[]>();

  constructor(share = typeof document !== "undefined" && canShare()) {
    if (share) {
      this.sharing = new Sharing({
        lead: () => this.lead(),
        deposed: () => {
          this.abort?.abort();
          this.leads = false;
          this.schedule(0);
        },
        heard: (message) => this.heard(message),
        left: (id) => {
          if (this.others.delete(id) && this.leads) this.schedule(300);
        },
      });
    }
    if (typeof document !== "undefined") {
      // A tab that is opened in the background has never been seen: it has no connection until it is.
      this.asleep = document.hidden;
      document.addEventListener("visibilitychange", () => this.visibilityChanged());
    }
  }

  subscribe(topic: string, handler: Handler): () => void {
    const known = this.handlers.get(topic) ?? new Set();
    known.add(handler);
    this.handlers.set(topic, known);
    if (known.size === 1) this.schedule(30);
    return () => {
      known.delete(handler);
      if (known.size === 0 && this.handlers.get(topic) === known) {
        this.handlers.delete(topic);
        // Unsubscribing late is harmless; a page change must not cost two reconnections.
        this.schedule(300);
      }
    };
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly current = (): LinkState => this.state;

  retryNow(): void {
    this.wait = FIRST_WAIT;
    this.schedule(0);
  }

  private set(state: LinkState): void {
    this.state = state;
    for (const watcher of this.watchers) watcher();
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), delay);
  }

  private visibilityChanged(): void {
    clearTimeout(this.hidden);
    if (document.hidden) {
      this.hidden = setTimeout(() => {
        this.asleep = true;
        this.abort?.abort();
        this.leads = false;
        this.announce();
        this.sharing?.release();
      }, HIDDEN_FOR);
    } else if (this.asleep) {
      this.asleep = false;
      this.broadcast();
      this.schedule(0);
    }
  }

  private broadcast(): void {
    for (const [topic, handlers] of this.handlers) {
      for (const handler of handlers) handler({ topic, kind: "resync", keys: [] });
    }
  }

  private async connect(): Promise<void> {
    if (this.sharing && !this.leads) {
      this.follow();
      return;
    }
    this.abort?.abort();
    const topics = [...new Set([...this.handlers.keys(), ...[...this.others.values()].flat()])];
    if (topics.length === 0 || this.asleep) {
      this.stopPolling();
      this.set({ kind: "idle" });
      return;
    }
    const abort = new AbortController();
    this.abort = abort;
    if (this.state.kind !== "live") this.set({ kind: "connecting" });
    try {
      await this.read(topics, abort);
      if (!abort.signal.aborted) this.lost();
    } catch {
      if (!abort.signal.aborted) this.lost();
    }
  }

  private async read(topics: string[], abort: AbortController): Promise<void> {
    const resume: Record<string, string> = this.lastId ? { "Last-Event-ID": this.lastId } : {};
    const response = await fetch("/stream", {
      method: "POST",
      headers: { ...SESSION_HEADERS, ...resume, "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify({ topics }),
      credentials: "same-origin",
      signal: abort.signal,
    });
    if (!response.ok || !response.body) throw new Error(`stream answered ${response.status}`);
    const wasDown = this.poll !== undefined;
    this.stopPolling();
    this.wait = FIRST_WAIT;
    this.set({ kind: "live" });
    if (wasDown || this.led) this.broadcast();
    this.sharing?.send({ kind: "up", up: true, resync: wasDown || this.led });
    this.led = false;
    const parser = new EventParser((event) => this.deliver(event));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      parser.feed(value);
    }
  }

  private announce(): void {
    const topics = this.asleep ? [] : [...this.handlers.keys()];
    if (this.sharing && !this.leads) this.sharing.send({ kind: "topics", from: this.sharing.id, topics });
  }

  /** Another window reads, or will: it is told what this one wants. */
  private follow(): void {
    this.announce();
    if (this.asleep || this.handlers.size === 0) {
      if (this.asleep) this.stopPolling();
      this.set({ kind: "idle" });
      return;
    }
    if (this.state.kind === "idle") this.set({ kind: "connecting" });
    this.sharing?.contend();
  }

  private lead(): void {
    this.leads = true;
    this.stopPolling();
    // Between the last reader's end and this one's beginning something may have been missed.
    this.led = this.state.kind !== "connecting" || this.lastId !== "";
    this.others.clear();
    this.sharing?.send({ kind: "hello" });
    this.schedule(30);
  }

  private heard(message: Shared): void {
    if (message.kind === "hello") {
      this.announce();
    } else if (message.kind === "topics") {
      if (!this.leads) return;
      const known = new Set([...this.handlers.keys(), ...[...this.others.values()].flat()]);
      this.others.set(message.from, message.topics);
      this.sharing?.await(message.from);
      if (message.topics.some((topic) => !known.has(topic))) this.schedule(30);
      else if (this.state.kind === "live") this.sharing?.send({ kind: "up", up: true, resync: false });
    } else if (this.leads || this.asleep) {
      return;
    } else if (message.kind === "event") {
      this.deliver(message.event);
    } else if (message.up) {
      this.stopPolling();
      if (this.handlers.size > 0) this.set({ kind: "live" });
      if (message.resync) this.broadcast();
    } else if (this.handlers.size > 0) {
      this.set({ kind: "paused", retryAt: Date.now() + LONGEST_WAIT });
      this.poll ??= setInterval(() => this.broadcast(), POLL_EVERY);
    }
  }

  private deliver(event: { id: string; name: string; data: string }): void {
    if (this.leads) this.sharing?.send({ kind: "event", event });
    if (event.id) this.lastId = event.id;
    if (event.name === "resync") {
      this.broadcast();
      return;
    }
    if (event.name !== "change") return;
    const change = JSON.parse(event.data) as Change;
    for (const handler of [...(this.handlers.get(change.topic) ?? [])]) handler(change);
  }

  private lost(): void {
    const delay = this.wait * (0.8 + 0.4 * Math.random());
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    this.set({ kind: "paused", retryAt: Date.now() + delay });
    this.poll ??= setInterval(() => this.broadcast(), POLL_EVERY);
    this.sharing?.send({ kind: "up", up: false, resync: false });
    this.schedule(delay);
  }

  private stopPolling(): void {
    clearInterval(this.poll);
    this.poll = undefined;
  }
}

export const live = new LiveLink();
