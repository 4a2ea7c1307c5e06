import { useState } from "react";

import { act, ACTIONS, type ActionName, type ActionTask } from "~/state/actions";
import { toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";
import { QueueChoice, useQueueChoice } from "~/widgets/QueueChoice";

interface Props {
  name: ActionName;
  tasks: readonly ActionTask[];
  close: () => void;
  done?: () => void;
  /** What the user knows these tasks as. */
  noun?: string;
}

/** Says how many tasks will change and why the others cannot, then does it. */
export function ActionDialog({ name, tasks, close, done, noun = "task" }: Props) {
  const [busy, setBusy] = useState(false);
  const queue = useQueueChoice(name === "enqueue");
  const action = ACTIONS[name];
  const able = tasks.filter((task) => action.refuse(task) === null);
  const unable = tasks.filter((task) => action.refuse(task) !== null);
  const submit = () => {
    setBusy(true);
    queue
      .settle()
      .then((id) => act(name, able, noun, id))
      .then(() => {
        done?.();
        close();
      }, toastError)
      .finally(() => setBusy(false));
  };
  const only = able.length === 1 ? able[0] : undefined;
  return (
    <Dialog
      title={only ? `${action.verb} “${only.name}”?` : `${action.verb} ${able.length} ${noun}s?`}
      close={close}
      verb={able.length > 1 ? `${action.verb} ${able.length}` : action.verb}
      danger={action.danger}
      busy={busy}
      ready={able.length > 0 && queue.ready}
      submit={submit}
    >
      {action.warning && <p>{action.warning.replace(/\btask\b/, noun)}</p>}
      {name === "enqueue" && <QueueChoice choice={queue} />}
      {unable.length > 0 && (
        <p className="muted">
          {unable.length} cannot: {[...new Set(unable.map((task) => action.refuse(task)))].join("; ")}.
        </p>
      )}
    </Dialog>
  );
}
