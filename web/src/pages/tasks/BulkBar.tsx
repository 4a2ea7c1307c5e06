import { useRouter } from "@tanstack/react-router";
import { useState } from "react";

import type { Row } from "~/pages/tasks/columns";
import { type ActionName, ACTIONS, setTags } from "~/state/actions";
import { joinList, stringifySearch } from "~/state/codec";
import { Icon } from "~/theme/icons";
import { ActionDialog } from "~/widgets/ActionDialog";
import { TagEditor } from "~/widgets/TagEditor";

const NAMES: ActionName[] = ["abort", "enqueue", "clone", "publish", "reset", "archive", "restore", "delete"];

/** What can be done with the selected rows. */
export function BulkBar({ project, selected, clear }: { project: string; selected: readonly Row[]; clear: () => void }) {
  const router = useRouter();
  const [open, setOpen] = useState<ActionName | "tags" | null>(null);
  const tasks = selected.map((row) => ({
    id: row.id, name: row.name ?? row.id, status: row.status ?? "", system_tags: row.system_tags, tags: row.tags,
  }));
  const shared = (selected[0]?.tags ?? []).filter((tag) => selected.every((row) => row.tags?.includes(tag)));
  const compare = () =>
    router.history.push(`/projects/${project}/compare-tasks${stringifySearch({ ids: joinList(tasks.map((task) => task.id)) })}`);
  const saveTags = async (tags: string[]) => {
    for (const task of tasks) {
      const own = (task.tags ?? []).filter((tag) => !shared.includes(tag));
      await setTags(task.id, [...new Set([...own, ...tags])]);
    }
  };
  const able = (name: ActionName) => tasks.some((task) => ACTIONS[name].refuse(task) === null);
  return (
    <div className="bulk" role="toolbar" aria-label="Selected tasks">
      <strong className="num">{selected.length} selected</strong>
      <button type="button" className="button primary" disabled={selected.length < 2 || selected.length > 20} onClick={compare}
        title={selected.length > 20 ? "Compare takes 2 to 20 tasks" : undefined}>
        <Icon name="compare" size={13} />
        Compare
      </button>
      <button type="button" className="button" onClick={() => setOpen("tags")}>
        <Icon name="tag" size={13} />
        Tags
      </button>
      {NAMES.filter(able).map((name) => (
        <button type="button" key={name} className={ACTIONS[name].danger ? "button danger" : "button"} onClick={() => setOpen(name)}>
          <Icon name={ACTIONS[name].icon} size={13} />
          {ACTIONS[name].verb}
        </button>
      ))}
      <span className="grow" />
      <button type="button" className="link-button" onClick={clear}>
        Clear
      </button>
      {open === "tags" && (
        <TagEditor title={`Tags of ${selected.length} tasks`} initial={shared} close={() => setOpen(null)} save={saveTags} />
      )}
      {open && open !== "tags" && <ActionDialog name={open} tasks={tasks} close={() => setOpen(null)} done={clear} />}
    </div>
  );
}
