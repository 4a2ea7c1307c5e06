import { useParams } from "@tanstack/react-router";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import { currentUser } from "~/api/session";
import type { NewCredential } from "~/api/types.gen";
import { formatAgo } from "~/charts/format";
import { useCrumbTrail } from "~/shell/crumbs";
import { saveFile } from "~/state/download";
import { setPreferences, usePreferences } from "~/state/preferences";
import { toast, toastError } from "~/state/toasts";
import { Dialog } from "~/widgets/Dialog";
import { Go } from "~/widgets/Go";
import { CopyButton, ErrorPanel, Skeleton, Snippet } from "~/widgets/states";

const SECTIONS = [
  { path: "profile", label: "Profile" },
  { path: "webapp-configuration", label: "Preferences" },
  { path: "workspace-configuration", label: "API keys" },
];

export function SettingsPage() {
  const { section = "profile" } = useParams({ strict: false });
  const known = SECTIONS.some((one) => one.path === section) ? section : "profile";
  useCrumbTrail([{ label: "Settings" }, { label: SECTIONS.find((one) => one.path === known)?.label ?? "" }]);
  return (
    <div className="scroll">
      <div className="page stack" style={{ maxWidth: 860 }}>
        <h1>Settings</h1>
        <nav className="segments" style={{ alignSelf: "flex-start" }}>
          {SECTIONS.map((one) => (
            <Go key={one.path} to={`/settings/${one.path}`} className="button" aria-current={one.path === known ? "page" : undefined}
              style={{ border: 0, borderRadius: 0, color: one.path === known ? "var(--accent)" : "var(--muted)" }}>
              {one.label}
            </Go>
          ))}
        </nav>
        {known === "profile" && <Profile />}
        {known === "webapp-configuration" && <LookAndFeel />}
        {known === "workspace-configuration" && <Keys />}
      </div>
    </div>
  );
}

function Profile() {
  const user = currentUser();
  const info = useQuery({ queryKey: ["server"], queryFn: ({ signal }) => call("server.info", {}, signal) });
  return (
    <div className="panel">
      <dl className="facts body">
        <dt>Name</dt>
        <dd>{user?.name}</dd>
        <dt>Role</dt>
        <dd>{user?.role}</dd>
        <dt>Id</dt>
        <dd><code>{user?.id}</code></dd>
        <dt>Server</dt>
        <dd className="num">{info.data ? `Trialbook ${info.data.version}, protocol ${info.data.api_version}` : "…"}</dd>
      </dl>
    </div>
  );
}

function Choices<T extends string>({ label, value, options, set }: { label: string; value: T; options: readonly T[]; set: (value: T) => void }) {
  return (
    <div className="row">
      <span style={{ width: 120 }} className="muted">{label}</span>
      <span className="segments" role="group" aria-label={label}>
        {options.map((option) => (
          <button type="button" key={option} aria-pressed={option === value} onClick={() => set(option)}>
            {option}
          </button>
        ))}
      </span>
    </div>
  );
}

function LookAndFeel() {
  const { theme, density } = usePreferences();
  return (
    <div className="panel">
      <div className="body stack">
        <Choices label="Theme" value={theme} options={["light", "dark", "system"] as const} set={(next) => setPreferences({ theme: next })} />
        <Choices label="Rows" value={density} options={["compact", "normal", "roomy"] as const} set={(next) => setPreferences({ density: next })} />
      </div>
    </div>
  );
}

/** The configuration file of a training machine that uses this key. */
function configuration(key: NewCredential): string {
  return `api {
    web_server: "${location.origin}"
    api_server: "${location.origin}"
    files_server: "${location.origin}/files"
    credentials {
        "access_key" = "${key.access_key}"
        "secret_key" = "${key.secret_key}"
    }
}
`;
}

function Keys() {
  const client = useQueryClient();
  const keys = useQuery({ queryKey: ["credentials"], queryFn: ({ signal }) => call("auth.get_credentials", {}, signal) });
  const [made, setMade] = useState<NewCredential | null>(null);
  const [label, setLabel] = useState("");
  const [revoking, setRevoking] = useState<string | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ["credentials"] });
  const create = () => {
    call("auth.create_credentials", { label: label.trim() }).then((reply) => {
      setMade(reply.credentials);
      setLabel("");
      return refresh();
    }, toastError);
  };
  const revoke = (key: string) => {
    call("auth.revoke_credentials", { access_key: key }).then(() => {
      setRevoking(null);
      toast("The key is revoked.");
      return refresh();
    }, toastError);
  };
  return (
    <>
      <p className="muted">A training machine logs in with an access key and its secret. The secret is shown once, when the key is made.</p>
      <form className="row" onSubmit={(event) => { event.preventDefault(); create(); }}>
        <input className="input" style={{ width: 260 }} placeholder="What is the key for?" aria-label="Label" value={label}
          onChange={(event) => setLabel(event.target.value)} />
        <button type="submit" className="button primary">Create a key</button>
      </form>
      {made && (
        <div className="panel">
          <header>
            <h2 className="grow">Your new key: copy it now</h2>
            <button type="button" className="button" onClick={() => saveFile("trialbook.conf", configuration(made))}>
              Download trialbook.conf
            </button>
          </header>
          <div className="body stack">
            <Snippet code={configuration(made)} />
            <p className="caption">Save it as ~/trialbook.conf on the training machine, or set TRIALBOOK_API_ACCESS_KEY and TRIALBOOK_API_SECRET_KEY.</p>
          </div>
        </div>
      )}
      {keys.isPending && <Skeleton height={80} />}
      {keys.isError && <ErrorPanel error={keys.error} retry={() => void keys.refetch()} />}
      <div className="panel">
        <table className="plain">
          <thead>
            <tr>
              <th>Access key</th>
              <th>Label</th>
              <th>Created</th>
              <th>Last used</th>
              <th />
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
                <td>{formatAgo(key.created)}</td>
                <td title={key.last_used_from ?? undefined}>{formatAgo(key.last_used)}</td>
                <td className="right">
                  <button type="button" className="button danger" onClick={() => setRevoking(key.access_key)}>
                    Revoke
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {revoking && (
        <Dialog title="Revoke this key?" close={() => setRevoking(null)} verb="Revoke" danger submit={() => revoke(revoking)}>
          <p>
            Machines that use <code>{revoking}</code> are logged out at once.
          </p>
        </Dialog>
      )}
    </>
  );
}
