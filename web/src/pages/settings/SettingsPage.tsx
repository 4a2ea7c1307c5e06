import { useParams } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";

import { call } from "~/api/rpc";
import { currentUser } from "~/state/session";
import { Browsers } from "~/pages/settings/Browsers";
import { Keys } from "~/pages/settings/Keys";
import { People } from "~/pages/settings/People";
import { useCrumbTrail } from "~/state/crumbs";
import { setPreferences, usePreferences } from "~/state/preferences";
import { Go } from "~/widgets/Go";

const SECTIONS = [
  { path: "profile", label: "Profile" },
  { path: "webapp-configuration", label: "Preferences" },
  { path: "workspace-configuration", label: "API keys" },
  { path: "users", label: "People", admin: true },
];

export function SettingsPage() {
  const { section = "profile" } = useParams({ strict: false });
  const sections = SECTIONS.filter((one) => !one.admin || currentUser()?.role === "admin");
  const known = sections.some((one) => one.path === section) ? section : "profile";
  useCrumbTrail([{ label: "Settings" }, { label: SECTIONS.find((one) => one.path === known)?.label ?? "" }]);
  return (
    <div className="scroll">
      <div className="page stack" style={{ maxWidth: 860 }}>
        <h1>Settings</h1>
        <nav className="segments" style={{ alignSelf: "flex-start" }}>
          {sections.map((one) => (
            <Go
              key={one.path}
              to={`/settings/${one.path}`}
              className="button"
              aria-current={one.path === known ? "page" : undefined}
              style={{ border: 0, borderRadius: 0, color: one.path === known ? "var(--accent)" : "var(--muted)" }}
            >
              {one.label}
            </Go>
          ))}
        </nav>
        {known === "profile" && <Profile />}
        {known === "webapp-configuration" && <LookAndFeel />}
        {known === "workspace-configuration" && (
          <>
            <Keys />
            <Browsers />
          </>
        )}
        {known === "users" && <People />}
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
        <dd>
          <code>{user?.id}</code>
        </dd>
        <dt>Server</dt>
        <dd className="num">{info.data ? `Trialbook ${info.data.version}, protocol ${info.data.api_version}` : "…"}</dd>
      </dl>
    </div>
  );
}

function Choices<T extends string>({
  label,
  value,
  options,
  set,
}: {
  label: string;
  value: T;
  options: readonly T[];
  set: (value: T) => void;
}) {
  return (
    <div className="row">
      <span style={{ width: 120 }} className="muted">
        {label}
      </span>
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
        <Choices
          label="Theme"
          value={theme}
          options={["light", "dark", "system"] as const}
          set={(next) => setPreferences({ theme: next })}
        />
        <Choices
          label="Rows"
          value={density}
          options={["compact", "normal", "roomy"] as const}
          set={(next) => setPreferences({ density: next })}
        />
      </div>
    </div>
  );
}
