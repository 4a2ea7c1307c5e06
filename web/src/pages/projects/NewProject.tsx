import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import { toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";

export function NewProject({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = () => {
    setBusy(true);
    call("projects.create", { name: name.trim(), description })
      .then(async () => {
        await client.invalidateQueries({ queryKey: ["projects"] });
        close();
      }, toastError)
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title="New project" close={close} verb="Create" busy={busy} ready={name.trim() !== ""} submit={submit}>
      <input
        className="input"
        data-autofocus
        placeholder="Name, with / for sub-projects"
        aria-label="Name"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <input
        className="input"
        placeholder="Description (optional)"
        aria-label="Description"
        value={description}
        onChange={(event) => setDescription(event.target.value)}
      />
    </Dialog>
  );
}
