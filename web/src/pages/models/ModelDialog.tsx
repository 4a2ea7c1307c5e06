import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import { formatCount } from "~/state/format";
import { taskPath } from "~/state/links";
import { actOnModels, MODEL_ACTIONS, type ModelActionName, type ModelRow } from "~/state/modelActions";
import { shownName } from "~/state/names";
import { toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";
import { Go } from "~/widgets/Go";

const SHOWN = 5;

interface Props {
  name: ModelActionName;
  models: readonly ModelRow[];
  close: () => void;
  done?: () => void;
}

/** Says how many models will change and, before a deletion, who still uses them. */
export function ModelDialog({ name, models, close, done }: Props) {
  const [busy, setBusy] = useState(false);
  const [files, setFiles] = useState(true);
  const [word, setWord] = useState("");
  const action = MODEL_ACTIONS[name];
  const able = models.filter((model) => action.refuse(model) === null);
  const unable = models.filter((model) => action.refuse(model) !== null);
  const deleting = name === "delete";
  const users = useModelUsers(deleting ? able.map((model) => model.id) : []);
  const using = users.data?.total ?? 0;
  const published = able.filter((model) => model.ready).length;
  const grave = deleting && (using > 0 || published > 0);
  const submit = () => {
    setBusy(true);
    actOnModels(name, able, files)
      .then(() => {
        done?.();
        close();
      }, toastError)
      .finally(() => setBusy(false));
  };
  const only = able.length === 1 ? able[0] : undefined;
  const asked = only?.name ?? "delete";
  return (
    <Dialog
      title={only ? `${action.verb} “${only.name}”?` : `${action.verb} ${able.length} models?`}
      close={close}
      verb={action.verb}
      danger={action.danger}
      busy={busy}
      submit={submit}
      ready={able.length > 0 && (!deleting || users.data !== undefined) && (!grave || word === asked)}
    >
      {action.warning && <p>{action.warning}</p>}
      {deleting && users.data && (
        <p>
          {using === 0 ? (
            "No task takes them as input."
          ) : (
            <>
              {formatCount(using)} {using === 1 ? "task takes" : "tasks take"} {only ? "it" : "them"} as input:{" "}
              {users.data.tasks.slice(0, SHOWN).map((task, i) => (
                <span key={task.id}>
                  {i > 0 && ", "}
                  <Go to={taskPath(task.project, task.id ?? "")}>{shownName(task.name)}</Go>
                </span>
              ))}
              {using > SHOWN && ` and ${using - SHOWN} more`}.
            </>
          )}
        </p>
      )}
      {deleting && published > 0 && (
        <p>
          {only ? "It is" : `${published} are`} published: others may rely on {only ? "it" : "them"}.
        </p>
      )}
      {deleting && (
        <label className="row">
          <input type="checkbox" checked={files} onChange={(event) => setFiles(event.target.checked)} />
          Delete the weights that lie on this server too
        </label>
      )}
      {grave && (
        <label className="stack" style={{ gap: 4 }}>
          <span>
            Type <strong>{asked}</strong> to delete all the same:
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
      {unable.length > 0 && (
        <p className="muted">
          {unable.length} cannot: {[...new Set(unable.map((model) => action.refuse(model)))].join("; ")}.
        </p>
      )}
    </Dialog>
  );
}

/** Tasks that take any of these models as input. */
export function useModelUsers(models: readonly string[]) {
  return useQuery({
    queryKey: ["models", "users", models],
    queryFn: ({ signal }) =>
      call(
        "tasks.get_all_ex",
        {
          dotted: { "models.input.model": [...models] },
          only_fields: ["id", "name", "status", "project", "started"],
          order_by: ["-last_update"],
          page: 0,
          page_size: 100,
          search_hidden: true,
        },
        signal,
      ),
    enabled: models.length > 0,
    select: (reply) => ({ tasks: reply.tasks, total: reply.total ?? reply.tasks.length }),
  });
}
