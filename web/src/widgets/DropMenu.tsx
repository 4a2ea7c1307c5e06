import "~/widgets/layers.css";

import {
  type ButtonHTMLAttributes,
  cloneElement,
  type KeyboardEvent,
  type ReactElement,
  type Ref,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";

import { Icon } from "~/theme/icons";

export interface MenuEntry {
  label: string;
  icon?: string;
  danger?: boolean;
  disabled?: boolean;
  why?: string;
  run: () => void;
}

type Button = ButtonHTMLAttributes<HTMLButtonElement> & { ref?: Ref<HTMLButtonElement> };

const WIDTH = 220;
const MARGIN = 8;

/** A button with a menu below it: the browser's popover, which closes by itself on Esc and on a click elsewhere. */
export function DropMenu({ target, entries }: { target: ReactElement<Button>; entries: (MenuEntry | null)[] }) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  useLayoutEffect(() => {
    const box = menu.current as HTMLDivElement;
    if (!open) return;
    const below = (button.current as HTMLButtonElement).getBoundingClientRect();
    const left = Math.max(MARGIN, Math.min(below.right, window.innerWidth - MARGIN) - WIDTH);
    const over = below.bottom + 4 + box.offsetHeight > window.innerHeight - MARGIN;
    box.style.left = `${left}px`;
    box.style.top = `${over ? Math.max(MARGIN, below.top - 4 - box.offsetHeight) : below.bottom + 4}px`;
    items(box)[0]?.focus();
  }, [open]);
  const move = (event: KeyboardEvent) => {
    const all = items(menu.current as HTMLDivElement);
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Tab") menu.current?.hidePopover();
    // The page's own keys rest while a menu has the focus.
    if (event.key !== "Escape" && event.key !== "Tab") event.stopPropagation();
    if (next === undefined) return;
    event.preventDefault();
    all[next % all.length]?.focus();
  };
  return (
    <>
      {cloneElement(target, { ref: button, popoverTarget: id, "aria-haspopup": "menu", "aria-expanded": open })}
      <div
        ref={menu}
        id={id}
        popover="auto"
        role="menu"
        className="menu"
        onKeyDown={move}
        onToggle={(event) => setOpen(event.newState === "open")}
      >
        {open &&
          entries.map((entry, i) =>
            entry === null ? (
              <hr key={`line-${i.toString()}`} />
            ) : (
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                key={entry.label}
                disabled={entry.disabled}
                title={entry.why ?? entry.label}
                className={entry.danger ? "danger" : undefined}
                onClick={() => {
                  menu.current?.hidePopover();
                  entry.run();
                }}
              >
                {entry.icon && <Icon name={entry.icon} size={14} />}
                <span className="cut">{entry.label}</span>
              </button>
            ),
          )}
      </div>
    </>
  );
}

function items(menu: HTMLElement): HTMLButtonElement[] {
  return [...menu.querySelectorAll<HTMLButtonElement>("[role=menuitem]:not(:disabled)")];
}
