import { useQuery } from "@tanstack/react-query";

import { call } from "~/api/rpc";
import type { DatasetVersion } from "~/api/types.gen";
import { formatBytes, formatCount, formatDate, MISSING, parseTime } from "~/state/format";
import { Changes } from "~/pages/datasets/Changes";
import { refreshTasks } from "~/state/actions";
import { useUserNames } from "~/state/directory";
import { datasetPath, taskPath } from "~/state/links";
import { legible } from "~/state/names";
import { EditableText } from "~/widgets/EditableText";
import { Go } from "~/widgets/Go";
import { statusWord } from "~/widgets/Status";
import { CopyButton } from "~/widgets/states";

/** Everything that is known of the version as a whole. */
export function Info({ version }: { version: DatasetVersion }) {
  const users = useUserNames();
  const parents = useQuery({
    queryKey: ["datasets", "parents", version.parents],
    queryFn: ({ signal }) => call("datasets.get_all", { ids: version.parents, archived: true }, signal),
    enabled: version.parents.length > 0,
  });
  const byId = new Map((parents.data?.versions ?? []).map((one) => [one.id, one]));
  const bytes = (value: number | null) => (
    <dd title={value === null ? undefined : `${value} bytes`}>{formatBytes(value)}</dd>
  );
  return (
    <div className="scroll">
      <div className="page columns">
        <div className="panel">
          <header>
            <h2>General</h2>
          </header>
          <dl className="facts body num">
            <dt>Id</dt>
            <dd className="row">
              <code>{version.id}</code>
              <CopyButton text={version.id} label="Copy the id" />
            </dd>
            <dt>Dataset</dt>
            <dd>{legible(`${version.project} / ${version.name}`)}</dd>
            <dt>Version</dt>
            <dd>{version.version || MISSING}</dd>
            <dt>Status</dt>
            <dd>{statusWord(version.status)}</dd>
            <dt>Files</dt>
            <dd>{version.files === null ? MISSING : formatCount(version.files)}</dd>
            <dt>Links</dt>
            <dd>{version.links === null ? MISSING : formatCount(version.links)}</dd>
            <dt>Size</dt>
            {bytes(version.bytes)}
            <dt>Stored for it</dt>
            {bytes(version.stored)}
            <dt>Against its parents</dt>
            <dd>
              {Object.values(version.changes).some(Boolean) ? (
                <Changes counts={version.changes} />
              ) : (
                "no change was counted"
              )}
            </dd>
            <dt>Parents</dt>
            <dd className="row wrap" style={{ gap: 4 }}>
              {version.parents.length === 0 && "none: it stands alone"}
              {version.parents.map((id) => (
                <Go key={id} to={datasetPath(byId.get(id)?.project_id, id)} className="chip">
                  {byId.has(id) ? `${byId.get(id)?.name} ${byId.get(id)?.version}` : id.slice(0, 8)}
                </Go>
              ))}
            </dd>
            <dt>By</dt>
            <dd>{users.get(version.user ?? "") ?? MISSING}</dd>
            <dt>Created</dt>
            <dd>{formatDate(parseTime(version.created))}</dd>
            <dt>Last change</dt>
            <dd>{formatDate(parseTime(version.last_update))}</dd>
            <dt>Made by</dt>
            <dd>
              <Go to={taskPath(version.project_id, version.id, "info")}>Its task, with console, code and packages</Go>
            </dd>
          </dl>
        </div>
        <div className="stack">
          <EditableText
            label="Description"
            text={version.comment}
            method="tasks.edit"
            save={(comment) => call("tasks.edit", { task: version.id, comment, force: true }).then(refreshTasks)}
          />
          <div className="panel">
            <header>
              <h2>Storage</h2>
            </header>
            <dl className="facts body">
              <dt>Repository</dt>
              <dd>
                {version.repository ? (
                  <code>{version.repository}</code>
                ) : (
                  <span className="muted">not finished, or in the layout of the clearml SDK</span>
                )}
              </dd>
              {version.root && (
                <>
                  <dt>Manifest</dt>
                  <dd className="row">
                    <code className="cut" title={version.root}>
                      {version.root}
                    </code>
                    <CopyButton text={version.root} label="Copy the manifest's hash" />
                  </dd>
                </>
              )}
              {Object.keys(version.places).length > 0 && (
                <>
                  <dt>Other places</dt>
                  <dd>{[...new Set(Object.values(version.places))].join(", ")}</dd>
                </>
              )}
            </dl>
          </div>
        </div>
      </div>
    </div>
  );
}
