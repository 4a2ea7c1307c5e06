import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import { currentUser } from "~/state/session";
import type { NewCredential } from "~/api/types.gen";
import { NewKey } from "~/pages/settings/NewKey";
import { MAY, type Role, RoleChoice, ROLES } from "~/pages/settings/roles";
import { formatAgo } from "~/state/format";
import { control } from "~/state/rights";
import { toast, toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";
import { CopyButton, ErrorPanel, Skeleton } from "~/widgets/states";

/** The caller's access keys: make and end them. */
export function Keys() {
  const client = useQueryClient();
  const own = currentUser()?.role ?? "user";
  const [made, setMade] = useState<NewCredential | null>(null);
  const [label, setLabel] = useState("");
  // A machine seldom looks after people, so an administrator chooses that right, and does not have to think of leaving it out.
  const [role, setRole] = useState<Role>(own !== "admin" && ROLES.includes(own as Role) ? (own as Role) : "user");
  const create = () => {
    call("auth.create_credentials", { label: label.trim(), role }).then((reply) => {
      setMade(reply.credentials);
      setLabel("");
      return client.invalidateQueries({ queryKey: ["credentials"] });
    }, toastError);
  };
  return (
    <>
      <p className="muted">
        A training machine logs in with an access key and its secret. The secret is shown once, when the key is made.
      </p>
      <form
        className="row wrap"
        onSubmit={(event) => {
          event.preventDefault();
          create();
        }}
      >
        <input
          className="input"
          style={{ width: 260 }}
          placeholder="What is the key for?"
          aria-label="Label"
          value={label}
          onChange={(event) => setLabel(event.target.value)}
        />
        <RoleChoice label="Role of the key" value={role} set={setRole} most={own} />
        <button type="submit" className="button primary" {...control("auth.create_credentials")}>
          Create a key
        </button>
        <span className="caption">{MAY[role]}</span>
      </form>
      {made && <NewKey made={made} title="Your new key: copy it now" />}
      <KeyTable />
    </>
  );
}

/** Keys without their secrets, each with a button that ends it. `user`: somebody else's, for administrators. */
export function KeyTable({ user }: { user?: string }) {
  const client = useQueryClient();
  const keys = useQuery({
    queryKey: ["credentials", user],
    queryFn: ({ signal }) => call("auth.get_credentials", { user }, signal),
  });
  const [revoking, setRevoking] = useState<string | null>(null);
  const revoke = (key: string) => {
    call("auth.revoke_credentials", { access_key: key, user }).then(() => {
      setRevoking(null);
      toast("The key is revoked.");
      return client.invalidateQueries({ queryKey: ["credentials"] });
    }, toastError);
  };
  return (
    <>
      {keys.isPending && <Skeleton height={80} />}
      {keys.isError && <ErrorPanel error={keys.error} retry={() => void keys.refetch()} />}
      <div className="panel" style={{ overflowX: "auto" }}>
        <table className="plain" aria-label="Access keys">
          <thead>
            <tr>
              <th>Access key</th>
              <th>Label</th>
              <th>Role</th>
              <th>Created</th>
              <th>Last used</th>
              <th>
                <span className="hidden-text">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {(keys.data?.credentials ?? []).map((key) => (
              <tr key={key.access_key}>
                <td>
                  <span className="row">
                    <code>{key.access_key}</code>
                    <CopyButton text={key.access_key} label="Copy the access key" />
                  </span>
                </td>
                <td>{key.label || "–"}</td>
                <td>{key.role}</td>
                <td>{formatAgo(key.created)}</td>
                <td title={key.last_used_from ?? undefined}>{formatAgo(key.last_used)}</td>
                <td className="right">
                  <button
                    type="button"
                    className="button danger"
                    {...control("auth.revoke_credentials")}
                    onClick={() => setRevoking(key.access_key)}
                  >
                    Revoke
                  </button>
                </td>
              </tr>
            ))}
            {keys.data?.credentials.length === 0 && (
              <tr>
                <td colSpan={6} className="muted">
                  No key
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
      {revoking && (
        <Dialog
          title="Revoke this key?"
          close={() => setRevoking(null)}
          verb="Revoke"
          danger
          submit={() => revoke(revoking)}
        >
          <p>
            Machines that use <code>{revoking}</code> are logged out at once.
          </p>
        </Dialog>
      )}
    </>
  );
}
