import "~/start";
import "~/theme/tokens.css";
import "~/theme/base.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { queryClient, startRecovery } from "~/api/client";
import { router } from "~/router";
import { watchCutTexts } from "~/state/cutTexts";
import { startScrollMemory } from "~/state/keptScroll";
import { startPreferences } from "~/state/preferences";

startPreferences();
startRecovery();
startScrollMemory(router.history);
watchCutTexts();
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
