import { useState } from "react";

import { useTask } from "~/pages/task/context";
import { maskedText } from "~/state/secretText";
import { Diff } from "~/widgets/Diff";
import { HiddenValue, useHidden } from "~/widgets/HiddenText";
import { Empty, CopyButton } from "~/widgets/states";

function Fact({ label, value, code = true }: { label: string; value: string | null | undefined; code?: boolean }) {
  if (!value) return null;
  return (
    <>
      <dt>{label}</dt>
      <dd>
        {code ? (
          <code>
            <HiddenValue name="" value={value} />
          </code>
        ) : (
          value
        )}
      </dd>
    </>
  );
}

/** A link to the commit on the hosts whose address shape is known; plain text else. */
function repositoryLink(repository: string, commit: string): string | null {
  const found = /^(?:https:\/\/|git@|ssh:\/\/git@)(github\.com|gitlab\.com|bitbucket\.org)[:/](.+?)(?:\.git)?$/.exec(
    repository,
  );
  if (!found) return null;
  const middle = found[1] === "bitbucket.org" ? "commits" : found[1] === "gitlab.com" ? "-/commit" : "commit";
  return `https://${found[1]}/${found[2]}${commit ? `/${middle}/${commit}` : ""}`;
}

/** The code that ran: where it comes from, what was changed, what was installed. */
export default function Execution() {
  const { script, container, execution, output } = useTask();
  const packages = String(script.requirements["pip"] ?? "");
  const original = String(script.requirements["org_pip"] ?? "");
  const [which, setWhich] = useState<"used" | "original">("used");
  const shown = which === "used" ? packages : original;
  const list = useHidden(shown, maskedText);
  const source = useHidden(script.diff, maskedText);
  const whole = !script.repository && script.diff && !script.diff.startsWith("diff ");
  const link = repositoryLink(script.repository, script.version_num);
  if (!script.repository && !script.entry_point && !script.diff && !packages) {
    return (
      <Empty title="No code was recorded">
        <p>Task.init records the repository, the commit, local changes and the packages of a script.</p>
      </Empty>
    );
  }
  return (
    <div className="scroll">
      <div className="page stack">
        <div className="columns">
          <div className="panel">
            <header>
              <h2>Source</h2>
            </header>
            <dl className="facts body">
              {script.repository && (
                <>
                  <dt>Repository</dt>
                  <dd>
                    {link ? (
                      <a href={link} target="_blank" rel="noreferrer noopener">
                        <code>{script.repository}</code>
                      </a>
                    ) : (
                      <code>
                        <HiddenValue name="" value={script.repository} />
                      </code>
                    )}
                  </dd>
                </>
              )}
              <Fact label="Branch" value={script.branch} />
              <Fact label="Tag" value={script.tag} />
              <Fact label="Commit" value={script.version_num} />
              <Fact label="Working folder" value={script.working_dir} />
              <Fact label="Script" value={script.entry_point} />
              <Fact label="Python" value={script.binary} />
              <Fact label="Container" value={container.image} />
              <Fact label="Container arguments" value={container.arguments} />
              <Fact label="Queue" value={execution.queue} />
              <Fact label="Output goes to" value={output.destination} />
            </dl>
          </div>
          <div className="panel">
            <header>
              <h2 className="grow">Packages</h2>
              {original && (
                <span className="segments">
                  {(["used", "original"] as const).map((one) => (
                    <button type="button" key={one} aria-pressed={which === one} onClick={() => setWhich(one)}>
                      {one}
                    </button>
                  ))}
                </span>
              )}
              {list.button}
              {shown && <CopyButton text={list.shown} label="Copy the packages" />}
            </header>
            {shown ? (
              <pre className="code" style={{ maxHeight: 260 }}>
                {list.shown}
              </pre>
            ) : (
              <p className="body muted">None was recorded.</p>
            )}
          </div>
        </div>
        {whole ? (
          <div className="panel">
            <header>
              <h2 className="grow">Code</h2>
              {source.button}
              <CopyButton text={source.shown} label="Copy the code" />
            </header>
            <pre className="code">{source.shown}</pre>
          </div>
        ) : script.diff ? (
          <>
            {source.button && <p>{source.button}</p>}
            <Diff text={source.shown} />
          </>
        ) : (
          <p className="muted">
            {script.repository ? "Clean checkout: nothing differs from the commit." : "No local change was recorded."}
          </p>
        )}
      </div>
    </div>
  );
}
