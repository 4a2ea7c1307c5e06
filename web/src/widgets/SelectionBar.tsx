import { type ReactNode, useState } from "react";

import type { MethodName } from "~/api/rpc";
import { control } from "~/state/rights";
import { Icon } from "~/theme/icons";
import { TagEditor } from "~/widgets/TagEditor";

interface Thing {
  id: string;
  tags?: string[];
}

interface Action {
  verb: string;
  icon: string;
  danger?: boolean;
  method: MethodName;
}

interface Props<Name extends string> {
  noun: string;
  things: readonly Thing[];
  /** The actions that at least one of the things can take. */
  able: readonly Name[];
  actions: Record<Name, Action>;
  /** What `saveTags` calls. */
  tagMethod: MethodName;
  saveTags: (id: string, tags: string[]) => Promise<void>;
  clear: () => void;
  /** The dialog of the action that was chosen. */
  dialog: (name: Name, close: () => void) => ReactNode;
  /** Buttons before the others. */
  children?: ReactNode;
}

/** What can be done with the selected rows. Tags that all of them have can be removed, new ones go to each. */
export function SelectionBar<Name extends string>({
  noun,
  things,
  able,
  actions,
  tagMethod,
  saveTags,
  clear,
  dialog,
  children,
}: Props<Name>) {
  const [open, setOpen] = useState<Name | null>(null);
  const [tagging, setTagging] = useState(false);
  const shared = (things[0]?.tags ?? []).filter((tag) => things.every((thing) => thing.tags?.includes(tag)));
  const save = async (tags: string[]) => {
    for (const thing of things) {
      const own = (thing.tags ?? []).filter((tag) => !shared.includes(tag));
      await saveTags(thing.id, [...new Set([...own, ...tags])]);
    }
  };
  return (
    <div className="bulk" role="toolbar" aria-label={`Selected ${noun}`}>
      <strong className="num">{things.length} selected</strong>
      {children}
      <button type="button" className="button" {...control(tagMethod)} onClick={() => setTagging(true)}>
        <Icon name="tag" size={13} />
        Tags
      </button>
      {able.map((name) => (
        <button
          type="button"
          key={name}
          className={actions[name].danger ? "button danger" : "button"}
          {...control(actions[name].method)}
          onClick={() => setOpen(name)}
        >
          <Icon name={actions[name].icon} size={13} />
          {actions[name].verb}
        </button>
      ))}
      <span className="grow" />
      <button type="button" className="link-button" onClick={clear}>
        Clear
      </button>
      {tagging && (
        <TagEditor
          title={`Tags of ${things.length} ${noun}`}
          initial={shared}
          close={() => setTagging(false)}
          save={save}
        />
      )}
      {open && dialog(open, () => setOpen(null))}
    </div>
  );
}
