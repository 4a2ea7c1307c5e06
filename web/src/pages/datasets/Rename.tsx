import { useRouter } from "@tanstack/react-router";
import { useState } from "react";

import { call } from "~/api/rpc";
import type { DatasetVersion } from "~/api/types.gen";
import { refreshTasks } from "~/state/actions";
import { datasetPath } from "~/state/links";
import { toast, toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";

/** Another name or project for all versions of the dataset; their ids stay. */
export function Rename({ version, close }: { version: DatasetVersion; close: () => void }) {
  const router = useRouter();
  const [name, setName] = useState(version.name);
  const [project, setProject] = useState(version.project);
  const [busy, setBusy] = useState(false);
  const changed = name.trim() !== version.name || project.trim() !== version.project;
  const submit = () => {
    setBusy(true);
    call("datasets.rename", {
      name: version.name,
      project: version.project,
      new_name: name.trim(),
      new_project: project.trim(),
    })
      .then(async ({ updated }) => {
        await refreshTasks();
        toast(`Renamed ${updated} ${updated === 1 ? "version" : "versions"}.`);
        close();
        router.history.replace(datasetPath("*", version.id));
      }, toastError)
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      title="Rename the dataset"
      close={close}
      verb="Rename"
      busy={busy}
      ready={changed && name.trim() !== "" && project.trim() !== ""}
      submit={submit}
    >
      <label className="stack" style={{ gap: 4 }}>
        <span className="caption">Name</span>
        <input className="input" data-autofocus value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      <label className="stack" style={{ gap: 4 }}>
        <span className="caption">Project, with / for sub-projects</span>
        <input className="input" value={project} onChange={(event) => setProject(event.target.value)} />
      </label>
      <p className="muted">
        All versions move together. Scripts that name the old place will not find them there any more; ids stay.
      </p>
    </Dialog>
  );
}
