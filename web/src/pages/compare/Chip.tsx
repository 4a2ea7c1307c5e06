import { useContext, useSyncExternalStore } from "react";

import { type Highlight, HighlightContext } from "~/charts/highlight";
import type { Task } from "~/api/types.gen";
import type { Difference } from "~/pages/compare/differences";
import { taskPath } from "~/state/links";
import { shownName } from "~/state/names";
import { Icon } from "~/theme/icons";
import { Go } from "~/widgets/Go";

interface Props {
  task: Task;
  colour: string;
  differences: readonly Difference[];
  /** All tasks have one name, so the parameters stand for it. */
  nameless: boolean;
  remove: () => void;
}

/** One of the compared tasks. Its lines stand out while the pointer is on it, and it does while they have it. */
export function Chip({ task, colour, differences, nameless, remove }: Props) {
  const highlight = useContext(HighlightContext) as Highlight;
  const lit = useSyncExternalStore(highlight.watch, highlight.get);
  const words = differences.map(({ name, value }) => `${name} = ${value}`).join(", ");
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it does nothing; its lines stand out while one is on it.
    <span
      className="compare-chip"
      data-lit={lit === null ? undefined : lit === task.id}
      title={words ? `${task.name}: ${words}` : task.name}
      onMouseEnter={() => highlight.set(task.id)}
      onMouseLeave={() => highlight.set(null)}
      onFocus={() => highlight.set(task.id)}
      onBlur={() => highlight.set(null)}
    >
      <i style={{ background: colour }} />
      <Go to={taskPath(task.project, task.id)} className="row cut" style={{ gap: 6 }}>
        {!(nameless && differences.length > 0) && <span className="cut">{shownName(task.name)}</span>}
        {differences.map(({ name, value }) => (
          <span key={name} className="caption num parameter">
            {name} <b>{value}</b>
          </span>
        ))}
      </Go>
      <button type="button" className="icon-button" aria-label={`Remove ${task.name}`} onClick={remove}>
        <Icon name="close" size={10} />
      </button>
    </span>
  );
}
