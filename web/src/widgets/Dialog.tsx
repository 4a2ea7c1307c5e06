import "~/widgets/layers.css";

import { type FormEvent, type ReactNode, useId, useLayoutEffect, useRef } from "react";

import { Icon } from "~/theme/icons";

interface DialogProps {
  title: string;
  close: () => void;
  children?: ReactNode;
  /** The verb on the button; without it the dialog only shows something. */
  verb?: string;
  danger?: boolean;
  busy?: boolean;
  ready?: boolean;
  submit?: () => void;
  size?: "md" | "lg" | "xl";
  /** It tells what has happened: there is nothing left to cancel. */
  past?: boolean;
}

/** The browser's own dialog: it keeps the focus inside, closes with Esc and gives the focus back. */
export function Dialog({
  title,
  close,
  children,
  verb,
  danger,
  busy,
  ready = true,
  submit,
  size = "md",
  past,
}: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const dialog = box.current as HTMLDialogElement;
    dialog.showModal();
    dialog.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => dialog.close();
  }, []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !busy) submit?.();
  };
  return (
    <dialog
      ref={box}
      className={`dialog ${size}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      // A browser may close it over our head, when Esc is pressed twice.
      onClose={(event) => event.target === box.current && !box.current.open && close()}
      onMouseDown={(event) => event.target === box.current && close()}
    >
      <form className="stack" onSubmit={send}>
        <header className="row">
          <h2 id={heading} className="grow cut" title={title}>
            {title}
          </h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={close}>
            <Icon name="close" size={14} />
          </button>
        </header>
        {children}
        {verb && (
          <div className="row" style={{ justifyContent: "flex-end" }}>
            {!past && (
              <button type="button" className="button" onClick={close}>
                Cancel
              </button>
            )}
            <button
              type="submit"
              className={danger ? "button primary danger" : "button primary"}
              disabled={!ready || busy}
              data-autofocus={danger ? undefined : ""}
            >
              {busy ? "…" : verb}
            </button>
          </div>
        )}
      </form>
    </dialog>
  );
}
