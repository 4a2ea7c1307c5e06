import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "@mantine/core/styles/CloseButton.css";
import "@mantine/core/styles/Overlay.css";
import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Paper.css";
import "@mantine/core/styles/Popover.css";
import "@mantine/core/styles/UnstyledButton.css";
import "~/theme/mantine.css";

import { createTheme, MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";

import { useTheme } from "~/state/preferences";

const theme = createTheme({ fontFamily: "var(--font)", defaultRadius: 4, primaryColor: "blue" });

/** Mantine serves dialogs and menus only; its colours follow our tokens. */
export function MantineTheme({ children }: { children: ReactNode }) {
  return (
    <MantineProvider theme={theme} forceColorScheme={useTheme()}>
      {children}
    </MantineProvider>
  );
}
