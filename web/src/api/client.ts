import { QueryClient } from "@tanstack/react-query";

import { RpcError } from "~/api/rpc";

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
