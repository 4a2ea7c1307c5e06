/*
 * One stream for all windows of a browser. A browser opens six connections to a host, so six windows with a stream each
 * would leave none for requests. The windows that are looked at contend for a lock; who holds it reads the stream for
 * all and passes on what comes. A lock falls free when its window closes, crashes or sleeps, and the next one reads on.
 */

export type Shared =
  | { kind: "hello" }
  | { kind: "topics"; from: string; topics: string[] }
  | { kind: "event"; event: { id: string; name: string; data: string } }
  | { kind: "up"; up: boolean; resync: boolean };

export interface Peers {
  /** This window reads for all from now on, until `release` is called or it closes. */
  lead: () => void;
  heard: (message: Shared) => void;
  /** A window has closed. */
  left: (id: string) => void;
}

const NAME = "trialbook.live";

/** Whether windows can find each other here. The locks are there only in a secure context: HTTPS, or this machine. */
export function canShare(): boolean {
  return typeof BroadcastChannel !== "undefined" && typeof navigator !== "undefined" && Boolean(navigator.locks);
}

/** The windows of this browser that show the same server. */
export class Sharing {
  readonly id = Math.random().toString(36).slice(2);
  private readonly channel = new BroadcastChannel(NAME);
  private readonly awaited = new Set<string>();
  private wish: AbortController | null = null;
  private letGo: (() => void) | null = null;

  constructor(private readonly peers: Peers) {
    this.channel.onmessage = ({ data }) => peers.heard(data as Shared);
    // Held for as long as this window lives: whoever waits for it learns of the end.
    void navigator.locks.request(`${NAME}.${this.id}`, () => new Promise(() => undefined));
  }

  send(message: Shared): void {
    this.channel.postMessage(message);
  }

  /** Stands in line for the lead. */
  contend(): void {
    if (this.wish) return;
    const wish = new AbortController();
    this.wish = wish;
    navigator.locks
      .request(NAME, { signal: wish.signal }, () => {
        if (wish.signal.aborted) return undefined;
        return new Promise<void>((done) => {
          this.letGo = done;
          this.peers.lead();
        });
      })
      .catch((error: unknown) => {
        if (!wish.signal.aborted) throw error;
      });
  }

  /** Gives the lead away, or the place in the line. */
  release(): void {
    this.wish?.abort();
    this.wish = null;
    this.letGo?.();
    this.letGo = null;
  }

  /** Tells when a window that was heard of is gone. */
  await(id: string): void {
    if (this.awaited.has(id)) return;
    this.awaited.add(id);
    void navigator.locks.request(`${NAME}.${id}`, () => {
      this.awaited.delete(id);
      this.peers.left(id);
    });
  }
}
