import { useRouter } from "@tanstack/react-router";

import type { Row } from "~/pages/tasks/columns";
import { type ActionName, ACTIONS, setTags } from "~/state/actions";
import { joinList, stringifySearch } from "~/state/codec";
import { Icon } from "~/theme/icons";
import { ActionDialog } from "~/widgets/ActionDialog";
import { SelectionBar } from "~/widgets/SelectionBar";

const NAMES: ActionName[] = [
  "abort",
  "enqueue",
  "dequeue",
  "clone",
  "publish",
  "reset",
  "archive",
  "restore",
  "delete",
];

/** What can be done with the selected tasks. */
export function BulkBar({
  project,
  selected,
  clear,
}: {
  project: string;
  selected: readonly Row[];
  clear: () => void;
}) {
  const router = useRouter();
  const tasks = selected.map((row) => ({
    id: row.id,
    name: row.name ?? row.id,
    status: row.status ?? "",
    system_tags: row.system_tags,
    tags: row.tags,
  }));
  const compare = () =>
    router.history.push(
      `/projects/${project}/compare-tasks${stringifySearch({ ids: joinList(tasks.map((task) => task.id)) })}`,
    );
  return (
    <SelectionBar
      noun="tasks"
      things={tasks}
      able={NAMES.filter((name) => tasks.some((task) => ACTIONS[name].refuse(task) === null))}
      actions={ACTIONS}
      tagMethod="tasks.edit"
      saveTags={setTags}
      clear={clear}
      dialog={(name, close) => <ActionDialog name={name} tasks={tasks} close={close} done={clear} />}
    >
      <button
        type="button"
        className="button primary"
        disabled={selected.length < 2 || selected.length > 100}
        onClick={compare}
        title={selected.length > 100 ? "Compare takes 2 to 100 tasks" : undefined}
      >
        <Icon name="compare" size={13} />
        Compare
      </button>
    </SelectionBar>
  );
}
