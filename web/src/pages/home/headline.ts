import type { Task } from "~/api/types.gen";

export type Row = Partial<Task> & { id: string };

export interface Headline {
  metric: string;
  variant: string;
  label: string;
  value: number | null;
}

const GOAL = /loss|acc|err|score|reward|f1|auc/i;
const HELD_OUT = /val|test|eval|dev/i;

/** The series that say most in little room: goals on held-out data before the rest, never the machine's own. */
export function headline(task: Row, most: number): Headline[] {
  const all = Object.values(task.last_metrics ?? {}).flatMap((variants) => Object.values(variants));
  const weight = (name: string) => (GOAL.test(name) ? 2 : 0) + (HELD_OUT.test(name) ? 1 : 0);
  return all
    .filter((one) => !one.metric.startsWith(":monitor:") && one.metric !== "Summary")
    .map((one) => ({
      metric: one.metric,
      variant: one.variant,
      value: one.value,
      label: one.metric === one.variant ? one.metric : `${one.metric} / ${one.variant}`,
    }))
    .sort((a, b) => weight(b.label) - weight(a.label) || (a.label < b.label ? -1 : 1))
    .slice(0, most);
}
