import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import { currentUser } from "~/state/session";
import type { CreatedUser, EditUser, User } from "~/api/types.gen";
import { formatAgo } from "~/state/format";
import { Browsers } from "~/pages/settings/Browsers";
import { KeyTable } from "~/pages/settings/Keys";
import { NewKey } from "~/pages/settings/NewKey";
import { MAY, type Role, RoleChoice } from "~/pages/settings/roles";
import { toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";
import { ErrorPanel, Skeleton } from "~/widgets/states";

/** Who may use this server: for its administrators. */
export function People() {
  const client = useQueryClient();
  const people = useQuery({ queryKey: ["people"], queryFn: ({ signal }) => call("users.get_all", {}, signal) });
  const [made, setMade] = useState<CreatedUser | null>(null);
  const [disabling, setDisabling] = useState<User | null>(null);
  const [opened, setOpened] = useState<User | null>(null);
  const refresh = () =>
    Promise.all(
      [["people"], ["users"], ["credentials"], ["sessions"]].map((queryKey) => client.invalidateQueries({ queryKey })),
    );
  const edit = (ask: EditUser) => {
    call("users.edit", ask).then(() => {
      setDisabling(null);
      return refresh();
    }, toastError);
  };
  return (
    <>
      <AddPerson
        done={(added) => {
          setMade(added);
          void refresh();
        }}
      />
      {made && (
        <NewKey made={made.credentials} title={`Hand this to ${made.user.name}: the secret is shown this once`} />
      )}
      {people.isPending && <Skeleton height={80} />}
      {people.isError && <ErrorPanel error={people.error} retry={() => void people.refetch()} />}
      <div className="panel" style={{ overflowX: "auto" }}>
        <table className="plain" aria-label="People">
          <thead>
            <tr>
              <th>Name</th>
              <th>Role</th>
              <th>Added</th>
              <th>
                <span className="hidden-text">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {(people.data?.users ?? []).map((one) => (
              <tr key={one.id}>
                <td>
                  <span className={one.disabled ? "muted" : undefined}>{one.name}</span>
                  {one.disabled && (
                    <span className="chip" style={{ marginLeft: 8 }}>
                      disabled
                    </span>
                  )}
                  {one.id === currentUser()?.id && (
                    <span className="chip" style={{ marginLeft: 8 }}>
                      you
                    </span>
                  )}
                </td>
                <td>
                  <RoleChoice
                    label={`Role of ${one.name}`}
                    value={one.role as Role}
                    set={(role) => edit({ user: one.id, role })}
                  />
                </td>
                <td>{formatAgo(one.created)}</td>
                <td className="right">
                  <span className="row" style={{ justifyContent: "flex-end" }}>
                    <button
                      type="button"
                      className="button"
                      aria-pressed={opened?.id === one.id}
                      onClick={() => setOpened(opened?.id === one.id ? null : one)}
                    >
                      Keys and browsers
                    </button>
                    {one.disabled ? (
                      <button type="button" className="button" onClick={() => edit({ user: one.id, disabled: false })}>
                        Enable
                      </button>
                    ) : (
                      <button type="button" className="button danger" onClick={() => setDisabling(one)}>
                        Disable
                      </button>
                    )}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {disabling && (
        <Dialog
          title={`Disable ${disabling.name}?`}
          close={() => setDisabling(null)}
          verb="Disable"
          danger
          submit={() => edit({ user: disabling.id, disabled: true })}
        >
          <p>Keys and browsers of {disabling.name} are refused until you enable them again. What they made stays.</p>
        </Dialog>
      )}
      {opened && (
        <section className="stack" aria-label={`Keys and browsers of ${opened.name}`}>
          <h2>Keys of {opened.name}</h2>
          <KeyTable user={opened.id} />
          <Browsers user={opened.id} />
        </section>
      )}
    </>
  );
}

function AddPerson({ done }: { done: (added: CreatedUser) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("user");
  const add = () => {
    call("users.create", { name: name.trim(), role }).then((added) => {
      setName("");
      done(added);
    }, toastError);
  };
  return (
    <form
      className="row wrap"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <input
        className="input"
        style={{ width: 260 }}
        placeholder="Name"
        aria-label="Name"
        required
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <RoleChoice label="Role of the new person" value={role} set={setRole} />
      <button type="submit" className="button primary" disabled={name.trim() === ""}>
        Add a person
      </button>
      <span className="caption">{MAY[role]}</span>
    </form>
  );
}
