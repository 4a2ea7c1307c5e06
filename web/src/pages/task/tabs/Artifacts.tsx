import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { call } from "~/api/rpc";
import type { Artifact, GetAllModelsReply, Model } from "~/api/types.gen";
import { formatAgo, formatBytes, formatDate } from "~/state/format";
import { useTask } from "~/pages/task/context";
import { Preview } from "~/pages/task/Preview";
import * as codec from "~/state/codec";
import { downloadHref, filePlace } from "~/state/files";
import { modelPath } from "~/state/links";
import { legible, shownName } from "~/state/names";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { Go } from "~/widgets/Go";
import { HiddenText } from "~/widgets/HiddenText";
import { CopyButton, Empty, ErrorPanel, Snippet } from "~/widgets/states";

const VIEW = { item: codec.text() };

type Item = { key: string; group: string; label: string } & ({ artifact: Artifact } | { model: Partial<Model> });

const byId = (reply: GetAllModelsReply) => new Map(reply.models.map((model) => [model.id ?? "", model]));

function useModels() {
  const { models } = useTask();
  const ids = [...models.input, ...models.output].map((one) => one.model);
  return useQuery({
    queryKey: ["models", ids],
    queryFn: ({ signal }) => call("models.get_all", { id: ids }, signal),
    enabled: ids.length > 0,
    select: byId,
  });
}

/** What went in and what came out: models and artifacts. */
export default function Artifacts() {
  const task = useTask();
  const models = useModels();
  const [view, setView] = useView(VIEW);
  const items = useMemo<Item[]>(() => {
    const model = (group: string) => (one: { name: string; model: string }) => ({
      key: `${group}:${one.model}`,
      group,
      label: one.name,
      model: models.data?.get(one.model) ?? { id: one.model, name: one.name },
    });
    const artifact = (one: Artifact) => ({
      key: `artifact:${one.mode ?? "output"}:${one.key}`,
      group: one.mode === "input" ? "Input artifacts" : "Artifacts",
      label: one.key,
      artifact: one,
    });
    return [
      ...task.models.output.map(model("Output models")),
      ...task.execution.artifacts.map(artifact),
      ...task.models.input.map(model("Input models")),
    ];
  }, [task, models.data]);
  const chosen = items.find((item) => item.key === view.item) ?? items[0];
  if (items.length === 0) {
    return (
      <Empty title="No artifact and no model">
        <p>Anything that the run makes can be kept with it:</p>
        <Snippet
          code={'task.upload_artifact("predictions", dataframe)\ntask.upload_artifact("report", "report.pdf")'}
        />
      </Empty>
    );
  }
  const groups = [...new Set(items.map((item) => item.group))];
  return (
    <div className="scroll">
      <div className="page artifact-list">
        <div className="stack">
          {models.isError && <ErrorPanel error={models.error} retry={() => void models.refetch()} />}
          {groups.map((group) => (
            <div className="panel" key={group}>
              <header>
                <h2>{group}</h2>
              </header>
              {items
                .filter((item) => item.group === group)
                .map((item) => (
                  <button
                    type="button"
                    key={item.key}
                    className="item"
                    aria-pressed={item === chosen}
                    onClick={() => setView({ item: item.key })}
                  >
                    <Icon name={"model" in item ? "model" : "file"} size={14} />
                    <span className="cut grow">{legible(item.label)}</span>
                    <span className="caption num">
                      {"artifact" in item ? formatBytes(item.artifact.content_size) : item.model.framework}
                    </span>
                  </button>
                ))}
            </div>
          ))}
        </div>
        {chosen &&
          ("artifact" in chosen ? <ArtifactPanel artifact={chosen.artifact} /> : <ModelPanel model={chosen.model} />)}
      </div>
    </div>
  );
}

function Address({ uri }: { uri: string | null | undefined }) {
  const place = filePlace(uri);
  return (
    <>
      <dt>Address</dt>
      <dd className="row">
        <code className="cut" title={uri ?? ""}>
          {uri ?? "–"}
        </code>
        {uri && <CopyButton text={uri} label="Copy the address" />}
      </dd>
      {!place.href && (
        <>
          <dt />
          <dd className="muted">It cannot be opened here: {place.why}.</dd>
        </>
      )}
    </>
  );
}

function Download({ uri }: { uri: string | null | undefined }) {
  const { href } = filePlace(uri);
  if (!href) return null;
  return (
    <a className="button" href={downloadHref(href)} download>
      <Icon name="download" size={13} />
      Download
    </a>
  );
}

function ArtifactPanel({ artifact }: { artifact: Artifact }) {
  return (
    <div className="panel">
      <header>
        <h2 className="grow cut">{artifact.key}</h2>
        <Download uri={artifact.uri} />
      </header>
      <dl className="facts body num">
        <dt>Type</dt>
        <dd>{artifact.type}</dd>
        <dt>Size</dt>
        <dd title={artifact.content_size ? `${artifact.content_size} bytes` : undefined}>
          {formatBytes(artifact.content_size)}
        </dd>
        <dt>SHA-256</dt>
        <dd className="row">
          <code className="cut" title={artifact.hash ?? ""}>
            {artifact.hash || "–"}
          </code>
          {artifact.hash && <CopyButton text={artifact.hash} label="Copy the hash" />}
        </dd>
        <dt>Made</dt>
        <dd title={formatDate(artifact.timestamp ?? null)}>
          {artifact.timestamp ? formatAgo(new Date(artifact.timestamp * 1000).toISOString()) : "–"}
        </dd>
        <Address uri={artifact.uri} />
        {(artifact.display_data ?? []).map((pair) => {
          const [name, value] = pair as [string, string];
          return (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          );
        })}
      </dl>
      <Preview artifact={artifact} />
    </div>
  );
}

function ModelPanel({ model }: { model: Partial<Model> }) {
  const labels = Object.entries(model.labels ?? {});
  const metadata = Object.entries((model.metadata ?? {}) as Record<string, { value?: unknown }>);
  return (
    <div className="panel">
      <header>
        <h2 className="grow cut">
          <Go to={modelPath(model.project, model.id)}>{shownName(model.name)}</Go>
        </h2>
        {model.ready && <span className="chip">published</span>}
        <Download uri={model.uri} />
      </header>
      <dl className="facts body num">
        <dt>Id</dt>
        <dd className="row">
          <code>{model.id}</code>
          <CopyButton text={model.id ?? ""} label="Copy the id" />
        </dd>
        <dt>Framework</dt>
        <dd>{model.framework || "–"}</dd>
        <dt>Made</dt>
        <dd title={model.created}>{formatAgo(model.created)}</dd>
        {(model.tags?.length ?? 0) > 0 && (
          <>
            <dt>Tags</dt>
            <dd className="row wrap">
              {model.tags?.map((tag) => (
                <span className="chip" key={tag}>
                  {tag}
                </span>
              ))}
            </dd>
          </>
        )}
        {model.comment && (
          <>
            <dt>Comment</dt>
            <dd>
              <HiddenText text={model.comment} />
            </dd>
          </>
        )}
        <Address uri={model.uri} />
        {labels.length > 0 && (
          <>
            <dt>Labels</dt>
            <dd>{labels.map(([name, value]) => `${name} = ${value}`).join(", ")}</dd>
          </>
        )}
        {metadata.map(([key, item]) => (
          <div key={key} style={{ display: "contents" }}>
            <dt>{key}</dt>
            <dd>{String(item.value ?? "")}</dd>
          </div>
        ))}
      </dl>
      <div className="body">
        <Snippet code={`from trialbook import InputModel\n\npath = InputModel("${model.id ?? ""}").get_local_copy()`} />
      </div>
    </div>
  );
}
