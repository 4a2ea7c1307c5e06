/*
 * Which window of a browser reads the stream for all. Where the browser has locks, the one that holds the lock; a lock
 * falls free by itself when its window closes, crashes or sleeps. Locks are there in a secure context only (HTTPS, or
 * this machine). Elsewhere the windows agree by messages: whoever reads says so each second, and a window that wants to
 * read and hears nothing asks, waits a moment for an objection and begins.
 */

export interface Turns {
  /** Stands in line for the lead. */
  contend: () => void;
  /** Gives the lead away, or the place in the line. */
  release: () => void;
  /** Tells when a window that was heard of just now is gone. */
  await: (id: string) => void;
}

export interface Seats {
  /** This window reads for all from now on, until `release` is called, it is deposed or it closes. */
  lead: () => void;
  /** Another window reads as well, and goes on; this one ceases. */
  deposed: () => void;
  /** Each window should say again what it wants. */
  call: () => void;
  /** A window has closed. */
  left: (id: string) => void;
}

const NAME = "trialbook.live";
const BEAT = 1000;
// More than two beats and a moment: a busy window is late.
const SILENCE = 3500;
const OBJECTION = 150;
const BEATS_PER_CALL = 5;
const GONE = 20_000;

export function turns(id: string, seats: Seats): Turns {
  return typeof navigator !== "undefined" && navigator.locks ? new LockTurns(id, seats) : new SpokenTurns(id, seats);
}

/** By the browser's locks. */
class LockTurns implements Turns {
  private readonly awaited = new Set<string>();
  private wish: AbortController | null = null;
  private letGo: (() => void) | null = null;

  constructor(
    id: string,
    private readonly seats: Seats,
  ) {
    // Held for as long as this window lives: whoever waits for it learns of the end.
    void navigator.locks.request(`${NAME}.${id}`, () => new Promise(() => undefined));
  }

  contend(): void {
    if (this.wish) return;
    const wish = new AbortController();
    this.wish = wish;
    navigator.locks
      .request(NAME, { signal: wish.signal }, () => {
        if (wish.signal.aborted) return undefined;
        return new Promise<void>((done) => {
          this.letGo = done;
          this.seats.lead();
        });
      })
      .catch((error: unknown) => {
        if (!wish.signal.aborted) throw error;
      });
  }

  release(): void {
    this.wish?.abort();
    this.wish = null;
    this.letGo?.();
    this.letGo = null;
  }

  await(id: string): void {
    if (this.awaited.has(id)) return;
    this.awaited.add(id);
    void navigator.locks.request(`${NAME}.${id}`, () => {
      this.awaited.delete(id);
      this.seats.left(id);
    });
  }
}

interface Word {
  kind: "claim" | "lead" | "bye";
  from: string;
}

/** By messages. Of two that read or want to, the one with the lower name goes on. */
export class SpokenTurns implements Turns {
  private readonly channel = new BroadcastChannel(`${NAME}.turns`);
  private readonly heardOf = new Map<string, number>();
  private wants = false;
  private leads = false;
  private next: ReturnType<typeof setTimeout> | undefined;
  private beats: ReturnType<typeof setInterval> | undefined;
  private reader = "";

  constructor(
    private readonly id: string,
    private readonly seats: Seats,
  ) {
    this.channel.onmessage = ({ data }) => this.heard(data as Word);
    if (typeof window === "undefined") return;
    window.addEventListener("pagehide", () => {
      if (this.leads) this.cease();
      this.say("bye");
    });
    // Back out of the browser's cache of pages.
    window.addEventListener("pageshow", ({ persisted }) => {
      if (persisted && this.wants) this.claim();
    });
  }

  contend(): void {
    if (this.wants) return;
    this.wants = true;
    this.claim();
  }

  release(): void {
    this.wants = false;
    clearTimeout(this.next);
    if (!this.leads) return;
    this.stop();
    this.say("bye");
  }

  await(id: string): void {
    this.heardOf.set(id, performance.now());
  }

  private say(kind: Word["kind"]): void {
    this.channel.postMessage({ kind, from: this.id } satisfies Word);
  }

  private claim(): void {
    this.say("claim");
    this.after(OBJECTION, () => this.begin());
  }

  private begin(): void {
    this.leads = true;
    this.heardOf.clear();
    this.say("lead");
    let count = 0;
    this.beats = setInterval(() => {
      this.say("lead");
      count += 1;
      if (count % BEATS_PER_CALL === 0) this.seats.call();
      for (const [id, time] of this.heardOf) {
        if (performance.now() - time > GONE && this.heardOf.delete(id)) this.seats.left(id);
      }
    }, BEAT);
    this.seats.lead();
  }

  private stop(): void {
    this.leads = false;
    clearInterval(this.beats);
  }

  /** Reads no longer, though it wants to. */
  private cease(): void {
    this.stop();
    this.seats.deposed();
  }

  private after(delay: number, action: () => void): void {
    clearTimeout(this.next);
    this.next = setTimeout(action, delay);
  }

  private heard({ kind, from }: Word): void {
    if (kind === "bye") {
      if (this.heardOf.delete(from)) this.seats.left(from);
      if (from === this.reader && this.wants && !this.leads) this.claim();
    } else if (this.leads) {
      if (kind === "claim" || this.id < from) this.say("lead");
      else this.follow(from);
    } else if (kind === "lead") this.follow(from);
    else if (this.wants && this.id < from) this.say("claim");
    // Another asks as well: it begins, or is gone before it did.
    else if (this.wants) this.after(SILENCE, () => this.claim());
  }

  private follow(reader: string): void {
    this.reader = reader;
    if (this.leads) this.cease();
    if (this.wants) this.after(SILENCE, () => this.claim());
  }
}
