import { QueryClient } from "@tanstack/react-query";

import { RpcError } from "~/api/rpc";
import { live } from "~/api/stream";

/** Only what may pass by itself is tried again; a refusal is shown at once. */
function worthRetrying(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof RpcError && (error.code === 0 || error.code >= 500);
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 5_000, retry: worthRetrying, refetchOnWindowFocus: false },
    mutations: { retry: false },
  },
});

/** What failed while the server was away is asked again as soon as it is back, without a click. */
export function startRecovery(): void {
  let down = false;
  live.watch(() => {
    const { kind } = live.current();
    if (kind === "paused") down = true;
    else if (kind === "live" && down) {
      down = false;
      void queryClient.refetchQueries({ type: "active", predicate: (query) => query.state.status === "error" });
    }
  });
}
