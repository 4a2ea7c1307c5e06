import { createContext } from "react";

/** The task that the pointer is on, in a chart or in a list beside it; all charts of a page share it. */
export class Highlight {
  private task: string | null = null;
  private readonly watchers = new Set<() => void>();

  readonly get = (): string | null => this.task;

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  set(task: string | null): void {
    if (task === this.task) return;
    this.task = task;
    for (const watcher of this.watchers) watcher();
  }
}

export const HighlightContext = createContext<Highlight | null>(null);
