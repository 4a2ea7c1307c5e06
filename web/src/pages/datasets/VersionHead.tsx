import { useRouter } from "@tanstack/react-router";
import { useState } from "react";

import type { DatasetVersion } from "~/api/types.gen";
import { formatAgo, formatBytes, formatCount, MISSING } from "~/state/format";
import { Changes } from "~/pages/datasets/Changes";
import { isOpen, titleOf } from "~/pages/datasets/data";
import { DeleteVersion } from "~/pages/datasets/DeleteVersion";
import { Rename } from "~/pages/datasets/Rename";
import { Use } from "~/pages/datasets/Use";
import { type ActionName, ACTIONS, setTags } from "~/state/actions";
import { useUserNames } from "~/state/directory";
import { datasetPath, taskPath, VERSION_TABS, type VersionTab } from "~/state/links";
import { legible, shownName } from "~/state/names";
import { allowed } from "~/state/rights";
import { Icon } from "~/theme/icons";
import { ActionDialog } from "~/widgets/ActionDialog";
import { ActionsMenu, ShortId, TabLine, Tags } from "~/widgets/head";
import { Status } from "~/widgets/Status";

const MENU: ActionName[] = ["abort", "publish", "archive", "restore"];

interface Props {
  version: DatasetVersion;
  versions: readonly DatasetVersion[];
  tab: VersionTab;
}

/** Name, version, state and what can be done with it. */
export function VersionHead({ version, versions, tab }: Props) {
  const router = useRouter();
  const users = useUserNames();
  const [open, setOpen] = useState<ActionName | "use" | "rename" | null>(null);
  const asTask = {
    id: version.id,
    name: titleOf(version),
    status: version.status,
    tags: version.tags,
    system_tags: version.archived ? ["archived"] : [],
  };
  const able = MENU.filter((name) => ACTIONS[name].refuse(asTask) === null);
  const count = (value: number | null) => (value === null ? MISSING : formatCount(value));
  return (
    <header className="task-head">
      <div className="title">
        <Icon name="dataset" size={18} />
        <h1 className="cut" title={legible(`${version.project} / ${version.name}`)}>
          {shownName(version.name)} <span className="num">{version.version}</span>
        </h1>
        <select
          className="select version-select"
          aria-label="Version"
          value={version.id}
          onChange={(event) => router.history.push(datasetPath(version.project_id, event.target.value, tab))}
        >
          {(versions.some((one) => one.id === version.id) ? versions : [version, ...versions]).map((one) => (
            <option key={one.id} value={one.id}>
              {one.version || one.id.slice(0, 8)}
            </option>
          ))}
        </select>
        <Status status={version.status} />
        {version.archived && <span className="chip">archived</span>}
        <span className="grow" />
        <button type="button" className="button primary" onClick={() => setOpen("use")}>
          Use
        </button>
        <ActionsMenu
          entries={[
            ...able.map((name) => ({
              label: ACTIONS[name].verb,
              icon: ACTIONS[name].icon,
              run: () => setOpen(name),
              ...allowed(ACTIONS[name].method),
            })),
            { label: "Rename the dataset", icon: "edit", run: () => setOpen("rename"), ...allowed("datasets.rename") },
            {
              label: "Console of this version",
              icon: "list",
              run: () => router.history.push(taskPath(version.project_id, version.id, "output/log")),
            },
            null,
            {
              label: "Delete",
              icon: "trash",
              danger: true,
              run: () => setOpen("delete"),
              ...allowed("datasets.delete"),
            },
          ]}
        />
      </div>
      <div className="facts-line num">
        <span className="cut" title={version.project}>
          {version.project}
        </span>
        <ShortId id={version.id} />
        <span>
          {count(version.files)} {version.files === 1 ? "file" : "files"}
        </span>
        {Boolean(version.links) && (
          <span>
            {count(version.links)} {version.links === 1 ? "link" : "links"}
          </span>
        )}
        <span title={version.bytes === null ? undefined : `${version.bytes} bytes`}>{formatBytes(version.bytes)}</span>
        {version.stored !== null && !isOpen(version) && (
          <span title="Bytes that this version added to the storage; the rest is shared with others">
            {formatBytes(version.stored)} stored
          </span>
        )}
        <Changes counts={version.changes} />
        <span>by {users.get(version.user ?? "") ?? MISSING}</span>
        <span title={version.created}>{formatAgo(version.created)}</span>
        <Tags tags={version.tags} method="tasks.edit" save={(tags) => setTags(version.id, tags)} />
      </div>
      <TabLine
        label="Parts of the version"
        tabs={VERSION_TABS}
        current={tab}
        to={(path) => datasetPath(version.project_id, version.id, path as VersionTab)}
      />
      {open === "use" && <Use version={version} close={() => setOpen(null)} />}
      {open === "rename" && <Rename version={version} close={() => setOpen(null)} />}
      {open === "delete" && <DeleteVersion version={version} versions={versions} close={() => setOpen(null)} />}
      {open && open in ACTIONS && open !== "delete" && (
        <ActionDialog name={open as ActionName} tasks={[asTask]} close={() => setOpen(null)} noun="version" />
      )}
    </header>
  );
}
