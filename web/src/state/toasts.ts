import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  text: string;
  tone: "info" | "error";
  action?: { label: string; run: () => void };
}

let toasts: readonly Toast[] = [];
let next = 1;
const watchers = new Set<() => void>();

function set(list: readonly Toast[]): void {
  toasts = list;
  for (const watcher of watchers) watcher();
}

export function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Shows a line at the foot of the page: 10 s, so that there is time to undo. */
export function toast(text: string, action?: Toast["action"], tone: Toast["tone"] = "info"): void {
  const id = next;
  next += 1;
  set([...toasts.slice(-3), { id, text, tone, action }]);
  setTimeout(() => dismiss(id), 10_000);
}

export function toastError(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), undefined, "error");
}

export const useToasts = (): readonly Toast[] =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => toasts,
  );
