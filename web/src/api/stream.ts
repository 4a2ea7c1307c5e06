import { SESSION_HEADERS } from "~/api/rpc";

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
    this.rest += text.replaceAll("\r\n", "\n");
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
 * The page's one connection for live updates.
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

  constructor() {
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
    this.abort?.abort();
    const topics = [...this.handlers.keys()];
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
    if (wasDown) this.broadcast();
    const parser = new EventParser((event) => this.deliver(event));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      parser.feed(value);
    }
  }

  private deliver(event: { id: string; name: string; data: string }): void {
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
    this.schedule(delay);
  }

  private stopPolling(): void {
    clearInterval(this.poll);
    this.poll = undefined;
  }
}

export const live = new LiveLink();
