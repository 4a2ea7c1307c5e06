import { useRouter, useRouterState } from "@tanstack/react-router";

import { RpcError } from "~/api/rpc";
import { useCrumbTrail } from "~/state/crumbs";
import { Go } from "~/widgets/Go";
import { Empty, ErrorPanel } from "~/widgets/states";

/** No page has this address. */
export function MissingPage() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  useCrumbTrail([{ label: "Not found" }]);
  if (path.startsWith("/workers-and-queues")) {
    return (
      <Empty title="There is no page for workers and queues in this version">
        <p>
          <Go to="/projects/*/tasks?st=queued">Show the queued tasks</Go>
        </p>
      </Empty>
    );
  }
  const id = /[0-9a-f]{32}/.exec(path)?.[0];
  return (
    <Empty title="There is no page at this address">
      <p className="mono">{path}</p>
      <p>
        {id ? (
          <Go to={`/projects/*/tasks/${id}`}>Look for a task with the id {id}</Go>
        ) : (
          <>
            Go <Go to="/dashboard">home</Go>, to the <Go to="/projects">projects</Go>, or press Ctrl K and type a name.
          </>
        )}
      </p>
    </Empty>
  );
}

/** What the router shows when a page throws. */
export function RouteError({ error, reset }: { error: unknown; reset?: () => void }) {
  const router = useRouter();
  // What failed may have been the way to the page, not the page: both are tried again.
  const retry = () => {
    reset?.();
    void router.invalidate();
  };
  return (
    <div className="page">
      <ErrorPanel
        error={error instanceof RpcError || error instanceof Error ? error : new Error(String(error))}
        retry={retry}
      />
    </div>
  );
}
