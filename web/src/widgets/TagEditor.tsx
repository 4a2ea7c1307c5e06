import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { call } from "~/api/rpc";
import { shownName } from "~/state/names";
import { Icon } from "~/theme/icons";
import { Dialog } from "~/widgets/Dialog";

interface Props {
  title: string;
  initial: readonly string[];
  close: () => void;
  save: (tags: string[]) => Promise<void>;
}

/** Adds and removes tags; offers those that are in use. */
export function TagEditor({ title, initial, close, save }: Props) {
  const [tags, setTags] = useState([...initial]);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState("");
  const field = useRef<HTMLDivElement>(null);
  const known = useQuery({
    queryKey: ["tags"],
    queryFn: ({ signal }) => call("projects.get_task_tags", {}, signal),
    select: (reply) => reply.tags,
  });
  // A tag that is in use is taken as it is, also one of blanks; what is typed has none around it.
  const add = (tag: string) => {
    if (!tags.includes(tag)) setTags([...tags, tag]);
    setText("");
  };
  const submit = () => {
    const last = text.trim();
    setBusy(true);
    setRefused("");
    save(last && !tags.includes(last) ? [...tags, last] : tags)
      .then(close)
      // The dialog stays, with what was typed, so that it can be mended.
      .catch((error: unknown) => setRefused(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  const offered = (known.data ?? []).filter((tag) => !tags.includes(tag) && tag.includes(text.trim())).slice(0, 12);
  return (
    <Dialog title={title} close={close} verb="Save" busy={busy} submit={submit}>
      <div className="row wrap">
        {tags.map((tag) => (
          <button
            type="button"
            className="chip"
            key={tag}
            onClick={() => setTags(tags.filter((t) => t !== tag))}
            title={`Remove ${tag}`}
          >
            <span className="cut">{shownName(tag)}</span>
            <Icon name="close" size={10} />
          </button>
        ))}
        {tags.length === 0 && <span className="muted">No tag yet.</span>}
      </div>
      <div className="row" ref={field}>
        <input
          className="input grow"
          data-autofocus
          aria-label="New tag"
          placeholder="New tag; Enter saves"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button
          type="button"
          className="button"
          disabled={!text.trim()}
          title="Add it, and type another"
          onClick={() => {
            add(text.trim());
            field.current?.querySelector("input")?.focus();
          }}
        >
          Add
        </button>
      </div>
      <div className="row wrap">
        {offered.map((tag) => (
          <button type="button" className="chip" key={tag} title={tag} onClick={() => add(tag)}>
            <span className="cut">+ {shownName(tag)}</span>
          </button>
        ))}
      </div>
      {refused && (
        <p role="alert" style={{ color: "var(--failed)" }}>
          {refused}
        </p>
      )}
    </Dialog>
  );
}
