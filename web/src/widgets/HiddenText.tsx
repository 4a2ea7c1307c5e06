import { useState } from "react";

import { masked, shownValue } from "~/state/secrets";

/** A text, with a button for what is hidden in it: a screen is often shared. */
export function HiddenText({ text }: { text: string }) {
  const [shown, setShown] = useState(false);
  const hidden = masked(text);
  if (hidden === text) return text;
  return (
    <>
      <button type="button" className="link-button" onClick={() => setShown(!shown)}>{shown ? "Hide secrets" : "Show secrets"}</button>
      {`\n${shown ? text : hidden}`}
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
