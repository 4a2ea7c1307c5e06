import { useRouter } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import type { DatasetVersion, DeleteDatasetReply } from "~/api/types.gen";
import { formatBytes, formatCount } from "~/state/format";
import { isOpen, titleOf } from "~/pages/datasets/data";
import { refreshTasks } from "~/state/actions";
import { datasetPath, taskPath } from "~/state/links";
import { toast, toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";
import { Go } from "~/widgets/Go";
import { ErrorPanel, Skeleton } from "~/widgets/states";

const SHOWN = 5;

interface Props {
  version: DatasetVersion;
  versions: readonly DatasetVersion[];
  close: () => void;
}

/** First what would happen: who needs it, what goes, what stays for whom. Then, on a word, it happens. */
export function DeleteVersion({ version, versions, close }: Props) {
  const router = useRouter();
  const [word, setWord] = useState("");
  const [keepFiles, setKeepFiles] = useState(false);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<DeleteDatasetReply | null>(null);
  const plan = useQuery({
    queryKey: ["datasets", "delete-plan", version.id, keepFiles],
    queryFn: ({ signal }) =>
      call("datasets.delete", { dataset: version.id, dry_run: true, force: true, delete_files: !keepFiles }, signal),
    staleTime: 0,
    enabled: done === null,
  });
  const receipt = plan.data;
  const needed = receipt ? receipt.children.length + receipt.used_by.length > 0 : false;
  const grave = needed || version.status === "published" || isOpen(version);
  const asked = version.version || version.name;
  const leave = () => {
    const next = versions.find((one) => one.id !== version.id);
    router.history.replace(next ? datasetPath(next.project_id, next.id) : "/datasets");
  };
  const submit = () => {
    if (done) {
      leave();
      return;
    }
    setBusy(true);
    call("datasets.delete", { dataset: version.id, force: grave, delete_files: !keepFiles })
      .then((reply) => {
        setDone(reply);
        toast(`Deleted ${titleOf(version)}${reply.freed ? `, ${formatBytes(reply.freed)} are freed` : ""}.`);
      }, toastError)
      .finally(() => setBusy(false));
  };
  const finish = () => {
    if (!done) {
      close();
      return;
    }
    leave();
    void refreshTasks();
  };
  if (done) {
    return (
      <Dialog title={`Deleted ${titleOf(version)}`} close={finish} verb="Done" past submit={finish} size="lg">
        <Receipt receipt={done} past versions={versions} keepFiles={keepFiles} />
      </Dialog>
    );
  }
  return (
    <Dialog
      title={`Delete ${titleOf(version)}?`}
      close={close}
      verb="Delete"
      danger
      busy={busy}
      submit={submit}
      size="lg"
      ready={receipt !== undefined && (!grave || word === asked)}
    >
      {plan.isPending && <Skeleton height={80} />}
      {plan.isError && <ErrorPanel error={plan.error} retry={() => void plan.refetch()} />}
      {receipt && <Receipt receipt={receipt} versions={versions} keepFiles={keepFiles} />}
      {version.status === "published" && <p>It is published: others may rely on it.</p>}
      {isOpen(version) && <p>It is still being written. What its writer has uploaded goes too.</p>}
      <label className="row">
        <input type="checkbox" checked={keepFiles} onChange={(event) => setKeepFiles(event.target.checked)} />
        Keep every byte in the storage
      </label>
      {grave && receipt && (
        <label className="stack" style={{ gap: 4 }}>
          <span>
            Type <strong>{asked}</strong> to delete it all the same:
          </span>
          <input
            className="input"
            data-autofocus
            value={word}
            aria-label="Confirm"
            onChange={(event) => setWord(event.target.value)}
          />
        </label>
      )}
    </Dialog>
  );
}

interface ReceiptProps {
  receipt: DeleteDatasetReply;
  versions: readonly DatasetVersion[];
  keepFiles: boolean;
  past?: boolean;
}

/** Bytes freed, bytes that stay and for whom, and who will miss the version. */
function Receipt({ receipt, versions, keepFiles, past }: ReceiptProps) {
  const kept = receipt.kept.reduce((sum, one) => sum + one.bytes, 0);
  const keepers = [...new Set(receipt.kept.flatMap((one) => one.used_by))];
  const names = new Map(versions.map((one) => [one.id, one.version || one.id.slice(0, 8)]));
  const people = useTaskNames(receipt.used_by.slice(0, SHOWN));
  const version = (id: string) => (
    <Go key={id} to={datasetPath(null, id)} className="chip">
      {names.get(id) ?? id.slice(0, 8)}
    </Go>
  );
  return (
    <dl className="facts num receipt">
      <dt>{past ? "Freed" : "Frees"}</dt>
      <dd>
        {keepFiles
          ? "nothing, as you asked"
          : `${formatBytes(receipt.freed)} in ${formatCount(receipt.freed_objects)} ${receipt.freed_objects === 1 ? "object" : "objects"}`}
        {past && receipt.freed > 0 && <span className="muted"> (the server sweeps them within minutes)</span>}
      </dd>
      {past && receipt.sweeps.length > 0 && (
        <>
          <dt>Waits</dt>
          <dd>
            The files of {formatCount(receipt.sweeps.length)} deleted{" "}
            {receipt.sweeps.length === 1 ? "version" : "versions"} in storages that this server does not reach. On a
            machine that does: <code>trialbook data clean</code>
          </dd>
        </>
      )}
      {receipt.kept.length > 0 && (
        <>
          <dt>{past ? "Stays" : "Keeps"}</dt>
          <dd>
            {formatBytes(kept)} that{" "}
            {keepers.length === 1 ? "another version needs" : `${keepers.length} other versions need`}:{" "}
            <span className="row wrap" style={{ display: "inline-flex", gap: 4 }}>
              {keepers.slice(0, SHOWN).map(version)}
              {keepers.length > SHOWN && <span className="caption">and {keepers.length - SHOWN} more</span>}
            </span>
          </dd>
        </>
      )}
      {receipt.children.length > 0 && (
        <>
          <dt>Descend from it</dt>
          <dd className="row wrap" style={{ gap: 4 }}>
            {receipt.children.slice(0, SHOWN).map(version)}
            {receipt.children.length > SHOWN && (
              <span className="caption">and {receipt.children.length - SHOWN} more</span>
            )}
          </dd>
        </>
      )}
      {receipt.used_by.length > 0 && (
        <>
          <dt>Was used by</dt>
          <dd className="row wrap" style={{ gap: 4 }}>
            {receipt.used_by.slice(0, SHOWN).map((id) => (
              <Go key={id} to={taskPath(null, id)} className="chip">
                {people.get(id) ?? id.slice(0, 8)}
              </Go>
            ))}
            {receipt.used_by.length > SHOWN && (
              <span className="caption">and {receipt.used_by.length - SHOWN} more</span>
            )}
          </dd>
        </>
      )}
      {receipt.children.length + receipt.used_by.length === 0 && (
        <>
          <dt>Needed by</dt>
          <dd>no other version and no task</dd>
        </>
      )}
      {receipt.sweeps.length > 0 && (
        <>
          <dt>Elsewhere</dt>
          <dd>
            {[...new Set(receipt.sweeps.map((one) => one.repository))].join(", ")}: this server cannot delete there. The
            next client with access that deletes a version frees it.
          </dd>
        </>
      )}
      {past && receipt.urls.length > 0 && (
        <>
          <dt>Left alone</dt>
          <dd>
            {formatCount(receipt.urls.length)} uploads outside of the server, such as {receipt.urls[0]}
          </dd>
        </>
      )}
    </dl>
  );
}

function useTaskNames(ids: readonly string[]): ReadonlyMap<string, string> {
  const found = useQuery({
    queryKey: ["tasks", "names", ids],
    queryFn: ({ signal }) =>
      call("tasks.get_all_ex", { id: [...ids], only_fields: ["id", "name"], search_hidden: true }, signal),
    enabled: ids.length > 0,
  });
  return new Map((found.data?.tasks ?? []).map((task) => [task.id ?? "", task.name ?? ""]));
}
