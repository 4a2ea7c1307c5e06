import { useQuery, useQueryClient } from "@tanstack/react-query";

import { call } from "~/api/rpc";
import { tellLoggedOut } from "~/state/session";
import { formatAgo, parseTime } from "~/state/format";
import { toast, toastError } from "~/state/toasts";
import { ErrorPanel } from "~/widgets/states";

const HOW: Record<string, string> = { link: "a link", local: "this machine" };

/** Browsers that are logged in without a key; those with one end with it. `user`: somebody else's, for administrators. */
export function Browsers({ user }: { user?: string }) {
  const client = useQueryClient();
  const open = useQuery({
    queryKey: ["sessions", user],
    queryFn: ({ signal }) => call("auth.get_sessions", { user }, signal),
  });
  const end = (session: string, current: boolean) => {
    call("auth.end_session", { session, user }).then(() => {
      // On the server's machine the page would log in again by itself.
      if (current) {
        tellLoggedOut();
        return location.assign("/login?stay=1");
      }
      toast("The browser is logged out.");
      return client.invalidateQueries({ queryKey: ["sessions"] });
    }, toastError);
  };
  if (open.isError) return <ErrorPanel error={open.error} retry={() => void open.refetch()} />;
  return (
    <>
      <h2>Browsers</h2>
      <p className="muted">
        Logged in without a key, by a link or on the server’s machine. One that logged in with a key goes when the key
        is revoked.
      </p>
      <div className="panel" style={{ overflowX: "auto" }}>
        <table className="plain" aria-label="Browsers">
          <thead>
            <tr>
              <th>Logged in by</th>
              <th>From</th>
              <th>Since</th>
              <th>Until</th>
              <th>
                <span className="hidden-text">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {(open.data?.sessions ?? []).map((one) => (
              <tr key={one.id}>
                <td>
                  {HOW[one.method] ?? one.method}
                  {one.current && (
                    <span className="chip" style={{ marginLeft: 8 }}>
                      this browser
                    </span>
                  )}
                </td>
                <td>
                  <code>{one.origin || "–"}</code>
                </td>
                <td>{formatAgo(one.created)}</td>
                <td>{new Date(1000 * (parseTime(one.expires) ?? 0)).toLocaleDateString()}</td>
                <td className="right">
                  <button type="button" className="button danger" onClick={() => end(one.id, one.current)}>
                    Log out
                  </button>
                </td>
              </tr>
            ))}
            {open.data?.sessions.length === 0 && (
              <tr>
                <td colSpan={5} className="muted">
                  No browser
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </>
  );
}
