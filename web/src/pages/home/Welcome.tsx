import type { ReactNode } from "react";

import { formatNumber } from "~/state/format";
import { headline, type Row } from "~/pages/home/headline";
import { taskPath } from "~/state/links";
import { Icon } from "~/theme/icons";
import { Go } from "~/widgets/Go";
import { FIRST_RUN } from "~/widgets/snippets";
import { Snippet } from "~/widgets/states";

function Step({ done, title, children }: { done: boolean; title: string; children?: ReactNode }) {
  return (
    <li data-done={done}>
      <span className="mark">{done && <Icon name="check" size={14} />}</span>
      <div className="stack grow" style={{ gap: 6 }}>
        <h2>
          {title}
          <span className="hidden-text">{done ? " (done)" : " (to do)"}</span>
        </h2>
        {children}
      </div>
    </li>
  );
}

/** The first visit: three steps that tick themselves off as things happen. */
export function Welcome({ task, close }: { task: Row | undefined; close: () => void }) {
  const [first] = task ? headline(task, 1) : [];
  return (
    <div className="scroll">
      <div className="page welcome stack">
        <h1>Your first run</h1>
        <ol>
          <Step done title="The server runs, and this browser is logged in">
            {!task && (
              <p className="muted">
                Scripts on this machine need no key. For another machine{" "}
                <Go to="/settings/workspace-configuration">make one</Go>.
              </p>
            )}
          </Step>
          <Step done={task !== undefined} title={task ? `“${task.name ?? ""}” has started` : "Start a run"}>
            {!task && (
              <>
                <p className="muted">
                  These lines in a script of yours, or as they are. No script at hand? <code>trialbook demo</code>{" "}
                  trains a small classifier.
                </p>
                <Snippet code={FIRST_RUN} />
              </>
            )}
          </Step>
          <Step
            done={first !== undefined}
            title={first ? `First value: ${first.label} ${formatNumber(first.value)}` : "See its first value"}
          >
            {!first && (
              <p className="muted">{task ? "Waiting for a report…" : "It appears here by itself, within a second."}</p>
            )}
          </Step>
        </ol>
        {task && (
          <div className="row">
            <Go to={taskPath(task.project, task.id)} className="button primary">
              Open the run
            </Go>
            <button type="button" className="button" onClick={close}>
              Go to the home page
            </button>
            <span className="muted">
              <kbd className="kbd">?</kbd> shows the keys, on every page.
            </span>
          </div>
        )}
      </div>
    </div>
  );
}
