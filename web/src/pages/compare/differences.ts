import type { Task } from "~/api/types.gen";
import { isSecret, masked } from "~/state/secrets";

export interface Difference {
  name: string;
  value: string;
}

const MOST = 3;
const LONGEST = 24;

/** Per task: the parameters in which these tasks differ, at most three and none that is secret. */
export function differencesOf(tasks: readonly Task[]): Map<string, Difference[]> {
  const value = (task: Task, section: string, name: string) => String(task.hyperparams[section]?.[name]?.value ?? "–");
  const keys = new Map<string, [section: string, name: string]>();
  for (const task of tasks) {
    for (const [section, items] of Object.entries(task.hyperparams)) {
      for (const name of Object.keys(items)) if (!isSecret(name)) keys.set(`${section}\0${name}`, [section, name]);
    }
  }
  const differing = [...keys.values()]
    .map(([section, name]) => ({ section, name, values: tasks.map((task) => value(task, section, name)) }))
    .filter(({ values }) => new Set(values).size > 1 && values.every((one) => one.length <= LONGEST))
    // A parameter that only some of the tasks have says less than one that all have.
    .sort((a, b) => absent(a.values) - absent(b.values))
    .slice(0, MOST);
  return new Map(
    tasks.map((task) => [
      task.id,
      differing.map(({ section, name }) => ({ name, value: masked(value(task, section, name)) })),
    ]),
  );
}

const absent = (values: readonly string[]): number => values.filter((one) => one === "–").length;

/** Runs of one name are told apart by the parameters that differ, or by their ids. */
export function labelsOf(tasks: readonly Task[], differences: ReadonlyMap<string, Difference[]>): Map<string, string> {
  const names = new Map<string, number>();
  for (const task of tasks) names.set(task.name, (names.get(task.name) ?? 0) + 1);
  // One name for all would fill the legends and tell nothing.
  const shared = names.size === 1 && tasks.length > 1;
  return new Map(
    tasks.map((task) => {
      if ((names.get(task.name) ?? 0) < 2) return [task.id, task.name];
      const parts = (differences.get(task.id) ?? []).map(({ name, value }) => `${name}=${value}`);
      const tail = parts.length ? parts.join(" ") : task.id.slice(0, 6);
      return [task.id, shared && parts.length ? tail : `${task.name} · ${tail}`];
    }),
  );
}
