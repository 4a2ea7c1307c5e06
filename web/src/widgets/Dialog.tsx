import "@mantine/core/styles/Modal.css";

import { Modal } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";

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
  size?: string;
}

export function Dialog({ title, close, children, verb, danger, busy, ready = true, submit, size = "md" }: DialogProps) {
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !busy) submit?.();
  };
  return (
    <Modal opened onClose={close} title={title} centered size={size} transitionProps={{ duration: 80 }}>
      <form className="stack" onSubmit={send}>
        {children}
        {verb && (
          <div className="row" style={{ justifyContent: "flex-end" }}>
            <button type="button" className="button" onClick={close}>
              Cancel
            </button>
            <button type="submit" className={danger ? "button primary danger" : "button primary"} disabled={!ready || busy}>
              {busy ? "…" : verb}
            </button>
          </div>
        )}
      </form>
    </Modal>
  );
}
