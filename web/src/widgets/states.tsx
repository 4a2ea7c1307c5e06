import "~/widgets/states.css";

import { type ReactNode, useEffect, useRef, useState } from "react";

import { RpcError } from "~/api/rpc";
import { copyText } from "~/state/clipboard";
import { dismiss, useToasts } from "~/state/toasts";
import { Icon } from "~/theme/icons";

/** Copies a text and says so by its icon. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = () => {
    void copyText(text).then((copied) => {
      if (!copied) return;
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    });
  };
  return (
    <button type="button" className="icon-button" onClick={copy} title={label} aria-label={label}>
      <Icon name={done ? "check" : "copy"} size={14} />
    </button>
  );
}

export function Snippet({ code }: { code: string }) {
  return (
    <pre className="snippet">
      {code}
      <CopyButton text={code} label="Copy the code" />
    </pre>
  );
}

/** An error, in the panel that failed only: what happened, what the server said, and a way on. */
export function ErrorPanel({ error, retry, headline }: { error: unknown; retry?: () => void; headline?: string }) {
  const rpc = error instanceof RpcError ? error : null;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div className="state error" role="alert">
      <h2>{headline ?? rpc?.headline ?? "This part of the page failed"}</h2>
      <p>{message}</p>
      <div className="row wrap">
        {retry && (
          <button type="button" className="button" onClick={retry}>
            Try again
          </button>
        )}
        {rpc && rpc.code > 0 && (
          <span className="caption mono">
            {rpc.method} · {rpc.code}/{rpc.subcode}
            {rpc.requestId && ` · request ${rpc.requestId}`}
          </span>
        )}
        {rpc?.requestId && <CopyButton text={rpc.requestId} label="Copy the request id" />}
      </div>
    </div>
  );
}

/** Why it is empty, and the next step. */
export function Empty({ title, children, small }: { title: string; children?: ReactNode; small?: boolean }) {
  return (
    <div className={small ? "state small" : "state"}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Skeleton({ height, width = "100%" }: { height: number; width?: number | string }) {
  return <div className="skeleton" style={{ height, width }} aria-hidden="true" />;
}

export function ProgressLine({ active }: { active: boolean }) {
  return active ? <div className="progress-line" role="progressbar" aria-label="Loading" /> : null;
}

export function Toasts() {
  const toasts = useToasts();
  const box = useRef<HTMLDivElement>(null);
  // Shown anew with each toast, so that it lies above a dialog that was opened since.
  useEffect(() => {
    box.current?.hidePopover();
    if (toasts.length > 0) box.current?.showPopover();
  }, [toasts]);
  return (
    <div className="toasts" role="status" popover="manual" ref={box}>
      {toasts.map((toast) => (
        <div key={toast.id} className="toast" data-tone={toast.tone}>
          <span className="grow">{toast.text}</span>
          {toast.action && (
            <button
              type="button"
              onClick={() => {
                toast.action?.run();
                dismiss(toast.id);
              }}
            >
              {toast.action.label}
            </button>
          )}
          <button type="button" aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}
