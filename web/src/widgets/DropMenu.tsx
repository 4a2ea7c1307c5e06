import "@mantine/core/styles/Menu.css";

import { Menu } from "@mantine/core";
import type { ReactElement } from "react";

import { Icon } from "~/theme/icons";

export interface MenuEntry {
  label: string;
  icon?: string;
  danger?: boolean;
  disabled?: boolean;
  why?: string;
  run: () => void;
}

/** A button with a menu below it. */
export function DropMenu({ target, entries }: { target: ReactElement; entries: (MenuEntry | null)[] }) {
  return (
    <Menu shadow="md" width={220} position="bottom-end" transitionProps={{ duration: 80 }} withinPortal>
      <Menu.Target>{target}</Menu.Target>
      <Menu.Dropdown>
        {entries.map((entry, i) =>
          entry === null ? (
            <Menu.Divider key={`line-${i.toString()}`} />
          ) : (
            <Menu.Item
              key={entry.label}
              leftSection={entry.icon ? <Icon name={entry.icon} size={14} /> : undefined}
              color={entry.danger ? "red" : undefined}
              disabled={entry.disabled}
              title={entry.why}
              onClick={entry.run}
            >
              {entry.label}
            </Menu.Item>
          ),
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
