import { type ReactNode, useMemo, useState } from "react";

import { masked, shownValue } from "~/state/secrets";

/**
 * A text as a shared screen may show it, with a button for what is hidden in it; the button is null when nothing is.
 *
 * @param mask hides: `masked` for settings and other texts, `maskedText` for source, where `password: str` is not a secret.
 */
export function useHidden(text: string, mask: (text: string) => string = masked): { shown: string; button: ReactNode } {
  const [open, setOpen] = useState(false);
  const hidden = useMemo(() => mask(text), [text, mask]);
  const button =
    hidden === text ? null : (
      <button type="button" className="link-button" onClick={() => setOpen(!open)}>
        {open ? "Hide secrets" : "Show secrets"}
      </button>
    );
  return { shown: open ? text : hidden, button };
}

/** The same in one piece. */
export function HiddenText({ text, mask }: { text: string; mask?: (text: string) => string }) {
  const { shown, button } = useHidden(text, mask);
  return button === null ? (
    shown
  ) : (
    <>
      {button}
      {`\n${shown}`}
    </>
  );
}

/** A named value, hidden until someone asks when its name or its form says that it is secret. */
export function HiddenValue({ name, value }: { name: string; value: string }) {
  const [shown, setShown] = useState(false);
  const hidden = shownValue(name, value);
  if (hidden === value) return value;
  return (
    <button type="button" className="link-button" onClick={() => setShown(!shown)} title={shown ? "Hide" : "Show"}>
      {shown ? value : hidden}
    </button>
  );
}
