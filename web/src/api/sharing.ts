/*
 * One stream for all windows of a browser. A browser opens six connections to a host, so six windows with a stream each
 * would leave none for requests. The windows that are looked at take turns (`turns.ts`); whose turn it is reads the
 * stream for all and passes on what comes.
 */

import { type Turns, turns } from "~/api/turns";

export type Shared =
  | { kind: "hello" }
  | { kind: "topics"; from: string; topics: string[] }
  | { kind: "event"; event: { id: string; name: string; data: string } }
  | { kind: "up"; up: boolean; resync: boolean };

export interface Peers {
  /** This window reads for all from now on, until `release` is called or it closes. */
  lead: () => void;
  /** Another window reads for all, though this one did. */
  deposed: () => void;
  heard: (message: Shared) => void;
  /** A window has closed. */
  left: (id: string) => void;
}

/** Whether windows can find each other here. */
export function canShare(): boolean {
  return typeof BroadcastChannel !== "undefined";
}

/** The windows of this browser that show the same server. */
export class Sharing {
  readonly id = Math.random().toString(36).slice(2);
  private readonly channel = new BroadcastChannel("trialbook.live");
  private readonly turns: Turns;

  constructor(peers: Peers) {
    this.channel.onmessage = ({ data }) => peers.heard(data as Shared);
    this.turns = turns(this.id, {
      lead: peers.lead,
      deposed: peers.deposed,
      left: peers.left,
      call: () => this.send({ kind: "hello" }),
    });
  }

  send(message: Shared): void {
    this.channel.postMessage(message);
  }

  /** Stands in line for the lead. */
  contend(): void {
    this.turns.contend();
  }

  /** Gives the lead away, or the place in the line. */
  release(): void {
    this.turns.release();
  }

  /** Tells when a window that was heard of is gone. */
  await(id: string): void {
    this.turns.await(id);
  }
}
