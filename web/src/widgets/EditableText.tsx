import { useState } from "react";

import type { MethodName } from "~/api/rpc";
import { control } from "~/state/rights";
import { toastError } from "~/state/toasts";
import { HiddenText } from "~/widgets/HiddenText";

interface Props {
  label: string;
  text: string;
  /** What `save` calls. */
  method: MethodName;
  save: (text: string) => Promise<unknown>;
}

/** A text of several lines in a panel of its own, edited in place. Secrets in it are hidden until someone asks for them or edits it. */
export function EditableText({ label, text, method, save }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const submit = () => {
    save(draft ?? "").then(() => setDraft(null), toastError);
  };
  return (
    <section className="panel" aria-label={`${label} panel`}>
      <header>
        <h2 className="grow">{label}</h2>
        {draft === null && (
          <button type="button" className="link-button" {...control(method)} onClick={() => setDraft(text)}>
            Edit
          </button>
        )}
      </header>
      <div className="body stack">
        {draft === null ? (
          <p style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {text ? <HiddenText text={text} /> : <span className="muted">None.</span>}
          </p>
        ) : (
          <>
            <textarea
              className="comment-edit"
              autoFocus
              aria-label={label}
              value={draft}
              onChange={(event) => setDraft(event.target.value)}
            />
            <div className="row">
              <button type="button" className="button primary" onClick={submit}>
                Save
              </button>
              <button type="button" className="button" onClick={() => setDraft(null)}>
                Cancel
              </button>
            </div>
          </>
        )}
      </div>
    </section>
  );
}
