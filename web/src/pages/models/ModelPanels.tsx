import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import type { Model, Task } from "~/api/types.gen";
import { formatAgo, formatCount, formatDate, MISSING, parseTime } from "~/state/format";
import { useModelUsers } from "~/pages/models/ModelDialog";
import { filePlace } from "~/state/files";
import { modelPath, taskPath } from "~/state/links";
import { refreshModels } from "~/state/modelActions";
import { shownName } from "~/state/names";
import { control, notAllowed } from "~/state/rights";
import { masked } from "~/state/secrets";
import { toastError } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { DataTable } from "~/widgets/DataTable";
import { EditableText } from "~/widgets/EditableText";
import { Go } from "~/widgets/Go";
import { HiddenText, HiddenValue } from "~/widgets/HiddenText";
import { Status } from "~/widgets/Status";
import { CopyButton, ErrorPanel, Skeleton, Snippet } from "~/widgets/states";

/** Everything about one model, side by side. */
export function ModelPanels({ model }: { model: Model }) {
  return (
    <div className="page columns">
      <div className="stack">
        <General model={model} />
        <EditableText
          label="Comment"
          text={model.comment}
          method="models.edit"
          save={(comment) => call("models.edit", { model: model.id, comment }).then(refreshModels)}
        />
        <Metadata model={model} />
        <Labels model={model} />
        <Design model={model} />
      </div>
      <div className="stack">
        <Lineage model={model} />
        <Metrics model={model} />
        <div className="panel">
          <header>
            <h2>Use it</h2>
          </header>
          <div className="body">
            <Snippet code={`from trialbook import InputModel\n\npath = InputModel("${model.id}").get_local_copy()`} />
          </div>
        </div>
      </div>
    </div>
  );
}

function General({ model }: { model: Model }) {
  const { why } = filePlace(model.uri);
  return (
    <div className="panel">
      <header>
        <h2>General</h2>
      </header>
      <dl className="facts body num">
        <dt>Id</dt>
        <dd className="row">
          <code>{model.id}</code>
          <CopyButton text={model.id} label="Copy the id" />
        </dd>
        <dt>Address</dt>
        <dd className="row">
          <code style={{ overflowWrap: "anywhere" }}>{model.uri || MISSING}</code>
          {model.uri && <CopyButton text={model.uri} label="Copy the address" />}
        </dd>
        {why && (
          <>
            <dt>Download</dt>
            <dd className="muted">not through this server: {why}</dd>
          </>
        )}
        <dt>Framework</dt>
        <dd>{model.framework || MISSING}</dd>
        <dt>Created</dt>
        <dd>{formatDate(parseTime(model.created))}</dd>
        <dt>Last change</dt>
        <dd>{formatDate(parseTime(model.last_change))}</dd>
      </dl>
    </div>
  );
}

function Metadata({ model }: { model: Model }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const set = notAllowed("models.add_or_update_metadata");
  const items = Object.values(model.metadata).sort((a, b) => a.key.localeCompare(b.key));
  const add = (event: React.FormEvent) => {
    event.preventDefault();
    if (!key.trim()) return;
    call("models.add_or_update_metadata", {
      model: model.id,
      metadata: [{ key: key.trim(), value, type: "str" }],
    }).then(() => {
      setKey("");
      setValue("");
      return refreshModels();
    }, toastError);
  };
  const remove = (name: string) => {
    call("models.delete_metadata", { model: model.id, keys: [name] }).then(refreshModels, toastError);
  };
  return (
    <section className="panel" aria-label="Metadata">
      <header>
        <h2>Metadata</h2>
      </header>
      {items.length > 0 && (
        <table className="plain">
          <tbody>
            {items.map((item) => (
              <tr key={item.key}>
                <td style={{ width: "35%" }}>{item.key}</td>
                <td style={{ overflowWrap: "anywhere" }}>
                  {item.value ? <HiddenValue name={item.key} value={item.value} /> : (item.value ?? MISSING)}
                </td>
                <td className="right" style={{ width: 40 }}>
                  <button
                    type="button"
                    className="icon-button"
                    aria-label={`Remove ${item.key}`}
                    {...control("models.delete_metadata")}
                    onClick={() => remove(item.key)}
                  >
                    <Icon name="close" size={12} />
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <form className="body row" onSubmit={add}>
        <input
          className="input"
          style={{ width: "34%" }}
          placeholder="Key"
          aria-label="Key"
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <input
          className="input grow"
          placeholder="Value"
          aria-label="Value"
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
        <button type="submit" className="button" disabled={!key.trim() || set !== null} title={set ?? undefined}>
          Set
        </button>
      </form>
    </section>
  );
}

function Labels({ model }: { model: Model }) {
  const labels = Object.entries(model.labels).sort((a, b) => a[1] - b[1]);
  if (labels.length === 0) return null;
  return (
    <section className="panel" aria-label="Labels">
      <header>
        <h2 className="grow">Labels</h2>
        <span className="muted num">{formatCount(labels.length)}</span>
      </header>
      <DataTable name={`${model.name} labels`} columns={["label", "number"]} rows={labels} height={280} />
    </section>
  );
}

function Design({ model }: { model: Model }) {
  const design = model.design;
  const text =
    typeof design["design"] === "string" && Object.keys(design).length === 1
      ? (design["design"] as string)
      : JSON.stringify(design, null, 2);
  if (Object.keys(design).length === 0 || !text) return null;
  return (
    <section className="panel" aria-label="Design">
      <header>
        <h2 className="grow">Design</h2>
        <CopyButton text={masked(text)} label="Copy the design" />
      </header>
      <pre className="code">
        <HiddenText text={text} />
      </pre>
    </section>
  );
}

/** Model before, task, this model, tasks after. */
function Lineage({ model }: { model: Model }) {
  const maker = useQuery({
    queryKey: ["models", "maker", model.task],
    queryFn: ({ signal }) =>
      call(
        "tasks.get_all_ex",
        { id: [model.task as string], only_fields: ["id", "name", "status", "project", "models"], search_hidden: true },
        signal,
      ),
    enabled: model.task !== null,
    select: (reply) => (reply.tasks[0] ?? null) as Pick<Task, "id" | "name" | "status" | "project" | "models"> | null,
  });
  const users = useModelUsers([model.id]);
  const task = maker.data;
  const before = [...(model.parent ? [{ model: model.parent, name: "" }] : []), ...(task?.models.input ?? [])].filter(
    (one) => one.model !== model.id,
  );
  // The task that made it may have gone on from it.
  const after = (users.data?.tasks ?? []).filter((one) => one.id !== model.task);
  const total = Math.max(0, (users.data?.total ?? 0) - ((users.data?.tasks.length ?? 0) - after.length));
  return (
    <section className="panel" aria-label="Lineage">
      <header>
        <h2>Lineage</h2>
      </header>
      <div className="body stack">
        {before.length > 0 && (
          <div>
            <h3>Made from</h3>
            {[...new Map(before.map((one) => [one.model, one])).values()].map((one) => (
              <div className="row" key={one.model}>
                <Icon name="model" size={14} />
                <Go className="cut" to={modelPath(null, one.model)}>
                  {one.name || one.model.slice(0, 8)}
                </Go>
              </div>
            ))}
          </div>
        )}
        <div>
          <h3>Made by</h3>
          {model.task === null ? (
            <p className="muted">No task: it was registered by hand.</p>
          ) : maker.isPending ? (
            <Skeleton height={20} />
          ) : task ? (
            <div className="row">
              <Status status={task.status} />
              <Go className="cut" to={taskPath(task.project, task.id, "artifacts")}>
                {shownName(task.name)}
              </Go>
            </div>
          ) : (
            <p className="muted">
              A task that was deleted, <code>{model.task}</code>
            </p>
          )}
        </div>
        <div>
          <h3>
            Used by <span className="muted num">{users.data ? formatCount(total) : ""}</span>
          </h3>
          {users.isError && <ErrorPanel error={users.error} retry={() => void users.refetch()} />}
          {users.data && after.length === 0 && <p className="muted">No task takes it as input.</p>}
          {after.map((one) => (
            <div className="row" key={one.id}>
              <Status status={one.status ?? ""} />
              <Go className="cut grow" to={taskPath(one.project, one.id ?? "")}>
                {shownName(one.name)}
              </Go>
              <span className="caption num">{formatAgo(one.started)}</span>
            </div>
          ))}
          {total > after.length && <p className="caption num">and {formatCount(total - after.length)} more</p>}
        </div>
      </div>
    </section>
  );
}

interface LastValue {
  metric?: string;
  variant?: string;
  value?: number;
  min_value?: number;
  max_value?: number;
}

/** What was reported to the model itself. */
function Metrics({ model }: { model: Model }) {
  const values = Object.values(model.last_metrics).flatMap((variants) =>
    Object.values(variants as Record<string, LastValue>),
  );
  if (values.length === 0) return null;
  const rows = values.map((one) => [
    one.metric ?? "",
    one.variant ?? "",
    one.value ?? null,
    one.min_value ?? null,
    one.max_value ?? null,
  ]);
  return (
    <section className="panel" aria-label="Metrics">
      <header>
        <h2>Metrics</h2>
      </header>
      <DataTable
        name={`${model.name} metrics`}
        columns={["metric", "variant", "last", "min", "max"]}
        rows={rows}
        height={280}
      />
    </section>
  );
}
