/* What the heads of the pages of one thing (a task, a model, a dataset version) have in common. */

import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

import type { MethodName } from "~/api/rpc";
import { control, notAllowed } from "~/state/rights";
import { toastError } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { DropMenu, type MenuEntry } from "~/widgets/DropMenu";
import { Go } from "~/widgets/Go";
import { CopyButton } from "~/widgets/states";
import { TagEditor } from "~/widgets/TagEditor";

/**
 * The name, edited in place: Enter or leaving it saves, Escape takes back; a name that is refused comes back too. What
 * is being typed stays when somebody else renames the thing meanwhile; who saves last is right.
 */
export function NameField({
  name,
  method,
  save,
}: {
  name: string;
  method: MethodName;
  save: (name: string) => Promise<unknown>;
}) {
  const why = notAllowed(method);
  const [text, setText] = useState(name);
  const typing = useRef(false);
  useEffect(() => {
    if (!typing.current) setText(name);
  }, [name]);
  const leave = () => {
    const wanted = text.trim();
    const typed = typing.current;
    typing.current = false;
    if (!typed || !wanted || wanted === name) {
      setText(name);
      return;
    }
    save(wanted).catch((error: unknown) => {
      setText(name);
      toastError(error);
    });
  };
  return (
    <input
      className="name-edit cut"
      value={text}
      aria-label="Name"
      size={Math.max(8, Math.min(60, text.length))}
      title={why ? `${name}\n${why}` : name}
      readOnly={why !== null}
      onChange={(event) => {
        typing.current = true;
        setText(event.target.value);
      }}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Escape") typing.current = false;
        if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}

/** The menu of everything that can be done with the thing; null is a line between entries. */
export function ActionsMenu({ entries }: { entries: (MenuEntry | null)[] }) {
  return (
    <DropMenu
      target={
        <button type="button" className="button" aria-label="Actions">
          Actions
          <Icon name="down" size={12} />
        </button>
      }
      entries={entries}
    />
  );
}

/** The first characters of an id; the whole one is copied. */
export function ShortId({ id }: { id: string }) {
  return (
    <span className="row" style={{ gap: 2 }}>
      <span className="mono" title={id}>
        {id.slice(0, 8)}
      </span>
      <CopyButton text={id} label="Copy the id" />
    </span>
  );
}

/** The tags, and the way to change them. */
export function Tags({
  tags,
  method,
  save,
}: {
  tags: readonly string[];
  method: MethodName;
  save: (tags: string[]) => Promise<void>;
}) {
  const [open, setOpen] = useState(false);
  return (
    <span className="row wrap" style={{ gap: 4 }}>
      {tags.map((tag) => (
        <span key={tag} className="chip" title={tag}>
          <span className="cut">{tag}</span>
        </span>
      ))}
      <button type="button" className="chip" {...control(method)} onClick={() => setOpen(true)}>
        + tag
      </button>
      {open && <TagEditor title="Tags" initial={tags} close={() => setOpen(false)} save={save} />}
    </span>
  );
}

interface Tab {
  path: string;
  label: ReactNode;
}

/** The parts of the thing, a link each. */
export function TabLine({
  label,
  tabs,
  current,
  to,
}: {
  label: string;
  tabs: readonly Tab[];
  current: string;
  to: (path: string) => string;
}) {
  const line = useRef<HTMLElement>(null);
  // On a telephone the line is longer than the screen: the part that is shown is in sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the part that is shown is found in the page.
  useLayoutEffect(() => {
    const box = line.current;
    const chosen = box?.querySelector<HTMLElement>("[aria-current=page]");
    if (!box || !chosen) return;
    const { left, right } = chosen.getBoundingClientRect();
    const { left: start, right: end } = box.getBoundingClientRect();
    if (left < start || right > end) box.scrollLeft += left - start - (end - start - (right - left)) / 2;
  }, [current]);
  return (
    <nav className="tabs" aria-label={label} ref={line}>
      {tabs.map((one) => (
        <Go key={one.path} to={to(one.path)} aria-current={one.path === current ? "page" : undefined}>
          {one.label}
        </Go>
      ))}
    </nav>
  );
}
