import { useMemo } from "react";

import type { Task } from "~/api/types.gen";
import { shownValue } from "~/state/secrets";
import { statusWord } from "~/widgets/Status";
import { Empty } from "~/widgets/states";

interface Props {
  tasks: readonly Task[];
  labels: ReadonlyMap<string, string>;
  onlyDifferent: boolean;
  setOnlyDifferent: (only: boolean) => void;
}

interface Line {
  group: string;
  name: string;
  values: string[];
  different: boolean;
}

/** What a task is, as names and texts. */
function factsOf(task: Task): Map<string, string> {
  const facts = new Map<string, string>();
  const add = (group: string, name: string, value: unknown) => {
    if (value !== null && value !== undefined && value !== "") facts.set(`${group}\0${name}`, String(value));
  };
  add("general", "type", task.type);
  add("general", "status", statusWord(task.status));
  add("general", "tags", task.tags.join(", "));
  add("general", "iteration", task.last_iteration);
  add("code", "repository", task.script.repository);
  add("code", "branch", task.script.branch);
  add("code", "commit", task.script.version_num);
  add("code", "script", task.script.entry_point);
  add("code", "python", task.script.binary);
  add("code", "local changes", task.script.diff ? `${task.script.diff.split("\n").length} lines` : "");
  for (const [section, items] of Object.entries(task.hyperparams)) {
    for (const [name, item] of Object.entries(items)) add(`parameters: ${section}`, name, item.value);
  }
  for (const [name, item] of Object.entries(task.configuration)) add("configuration", name, item.value);
  for (const line of String(task.script.requirements["pip"] ?? "").split("\n")) {
    const found = /^\s*([A-Za-z0-9_.-]+)\s*(?:==|@)\s*(.+)$/.exec(line);
    if (found) add("packages", found[1] as string, found[2]);
  }
  return facts;
}

export function Details({ tasks, labels, onlyDifferent, setOnlyDifferent }: Props) {
  const lines = useMemo(() => {
    const facts = tasks.map(factsOf);
    const keys = [...new Set(facts.flatMap((one) => [...one.keys()]))];
    return keys.map((key): Line => {
      const [group = "", name = ""] = key.split("\0");
      const values = facts.map((one) => one.get(key) ?? "–");
      return { group, name, values, different: new Set(values).size > 1 };
    });
  }, [tasks]);
  const shown = lines.filter((line) => line.different || !onlyDifferent);
  const groups = [...new Set(shown.map((line) => line.group))];
  return (
    <div className="scroll">
      <div className="page stack">
        <label className="row">
          <input type="checkbox" checked={onlyDifferent} onChange={(event) => setOnlyDifferent(event.target.checked)} />
          only what differs ({lines.filter((line) => line.different).length} of {lines.length})
        </label>
        {shown.length === 0 && <Empty title="Nothing differs" small />}
        {groups.map((group) => (
          <div className="panel details-table" key={group}>
            <table className="plain">
              <thead>
                <tr>
                  <th>{group}</th>
                  {tasks.map((task) => (
                    <th key={task.id} title={labels.get(task.id)}>
                      {labels.get(task.id)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {shown
                  .filter((line) => line.group === group)
                  .map((line) => (
                    <tr key={line.name}>
                      <td>{line.name}</td>
                      {line.values.map((value, i) => (
                        <td key={tasks[i]?.id} className={i > 0 && value !== line.values[0] ? "differs" : undefined}>
                          <span className="mono">
                            {i > 0 && value === line.values[0] && line.different ? "=" : shownValue(line.name, value)}
                          </span>
                        </td>
                      ))}
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
        ))}
      </div>
    </div>
  );
}
