import "~/shell/shell.css";

import { Outlet, useRouter, useRouterState } from "@tanstack/react-router";
import { useQueryClient } from "@tanstack/react-query";
import { type MouseEvent, Suspense, useEffect, useState } from "react";

import { call } from "~/api/rpc";
import { forgetSession, loginPath, tellLoggedOut, whenOthersLogOut } from "~/state/session";
import { KeySheet } from "~/shell/KeySheet";
import { LiveLight, LiveStrip } from "~/shell/LiveLight";
import { Palette } from "~/shell/Palette";
import { useCrumbs } from "~/state/crumbs";
import { useKeys } from "~/state/keys";
import { legible } from "~/state/names";
import { setPreferences, usePreferences } from "~/state/preferences";
import { toastError } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { DropMenu } from "~/widgets/DropMenu";
import { Go } from "~/widgets/Go";
import { ProgressLine, Toasts } from "~/widgets/states";

const PLACES = [
  { to: "/dashboard", icon: "home", label: "Home", owns: /^\/dashboard/ },
  { to: "/projects", icon: "folder", label: "Projects", owns: /^\/projects(?!\/(\*|%2A)\/|\/[^/]+\/models)/ },
  { to: "/projects/*/tasks", icon: "list", label: "Tasks", owns: /^\/projects\/(\*|%2A)\/(?!models)/ },
  { to: "/projects/*/models", icon: "model", label: "Models", owns: /^\/projects\/[^/]+\/models/ },
  { to: "/datasets", icon: "dataset", label: "Datasets", owns: /^\/datasets/ },
  { to: "/settings/workspace-configuration", icon: "settings", label: "Settings", owns: /^\/settings/ },
];
const NEXT_THEME = { light: "dark", dark: "system", system: "light" } as const;
const THEME_ICON = { light: "sun", dark: "moon", system: "system" } as const;
const GO_TO: Record<string, string> = {
  h: "/dashboard",
  p: "/projects",
  t: "/projects/*/tasks",
  m: "/projects/*/models",
  d: "/datasets",
  s: "/settings/workspace-configuration",
};

function Crumbs() {
  const crumbs = useCrumbs();
  return (
    <nav className="crumbs" aria-label="Path">
      {crumbs.map((crumb, i) => (
        <span key={crumb.to ?? crumb.label} className="row cut" style={{ gap: 6 }}>
          {i > 0 && <span className="slash">/</span>}
          {crumb.to && i < crumbs.length - 1 ? (
            <Go to={crumb.to} className="cut" title={legible(crumb.label)}>
              {legible(crumb.label)}
            </Go>
          ) : (
            <span className="cut" title={legible(crumb.label)}>
              {legible(crumb.label)}
            </span>
          )}
        </span>
      ))}
    </nav>
  );
}

/** What the page is called, for those who cannot see it; the style sheet drops it where a page has a heading of its own. */
function Heading() {
  const crumbs = useCrumbs();
  return <h1 className="page-heading hidden-text">{crumbs[crumbs.length - 1]?.label ?? "Trialbook"}</h1>;
}

/** The address holds the view, so the link's own # must not get into it. */
function toContent(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

/** The frame around every page. */
export function Shell() {
  const router = useRouter();
  const client = useQueryClient();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { theme, density } = usePreferences();
  const [open, setOpen] = useState<"palette" | "keys" | null>(null);
  const [going, setGoing] = useState(false);
  useEffect(() => {
    if (!going) return;
    const timer = setTimeout(() => setGoing(false), 1200);
    return () => clearTimeout(timer);
  }, [going]);
  const goTo = (key: string) => () => {
    setGoing(false);
    router.history.push(GO_TO[key] as string);
  };
  useKeys({ "mod+k": () => setOpen("palette"), "?": () => setOpen("keys") });
  // "g" arms the next key only; at all other times the letters belong to the page.
  useKeys({ g: () => setGoing(true) });
  useKeys(Object.fromEntries(Object.keys(GO_TO).map((key) => [key, goTo(key)])), going);
  const [out, setOut] = useState(false);
  useEffect(
    () =>
      whenOthersLogOut(() => {
        // What is on the screen goes at once, before the next page has come.
        setOut(true);
        client.clear();
        forgetSession();
        location.assign(loginPath(true));
      }),
    [client],
  );
  const logOut = () => {
    call("auth.logout", {}).then(() => {
      tellLoggedOut();
      client.clear();
      forgetSession();
      router.history.push("/login?stay=1");
    }, toastError);
  };
  if (out) return <ProgressLine active />;
  return (
    <div className="shell">
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to the content; the click only spares the address the #. */}
      <a className="skip" href="#content" onClick={toContent}>
        Skip to the content
      </a>
      <header className="topbar">
        <Go to="/dashboard" className="brand" aria-label="Trialbook, home">
          <img src="/favicon.svg" width={22} height={22} alt="" />
          Trialbook
        </Go>
        <Crumbs />
        <button type="button" className="jump" aria-label="Go to… Ctrl K" onClick={() => setOpen("palette")}>
          <Icon name="search" size={14} />
          <span className="grow" style={{ textAlign: "left" }}>
            Go to…
          </span>
          <kbd className="kbd">Ctrl K</kbd>
        </button>
        <LiveLight />
        <button
          type="button"
          className="icon-button"
          title={`Theme: ${theme}`}
          aria-label={`Theme: ${theme}`}
          onClick={() => setPreferences({ theme: NEXT_THEME[theme] })}
        >
          <Icon name={THEME_ICON[theme]} />
        </button>
        <DropMenu
          target={
            <button type="button" className="icon-button" aria-label="More">
              <Icon name="more" />
            </button>
          }
          entries={[
            { label: "Keys", icon: "help", run: () => setOpen("keys") },
            { label: `Rows: ${density}`, icon: "list", run: () => setPreferences({ density: nextDensity(density) }) },
            { label: "API keys", icon: "lock", run: () => router.history.push("/settings/workspace-configuration") },
            { label: "API reference", icon: "link", run: () => window.location.assign("/api") },
            null,
            { label: "Log out", run: logOut },
          ]}
        />
      </header>
      <nav className="rail" aria-label="Main">
        {PLACES.map((place) => (
          <Go key={place.to} to={place.to} aria-current={place.owns.test(path) ? "page" : undefined}>
            <Icon name={place.icon} size={18} />
            {place.label}
          </Go>
        ))}
      </nav>
      <main className="main" id="content" tabIndex={-1}>
        <Heading />
        <LiveStrip />
        <Suspense fallback={<ProgressLine active />}>
          <Outlet />
        </Suspense>
      </main>
      {open === "palette" && <Palette close={() => setOpen(null)} />}
      {open === "keys" && <KeySheet close={() => setOpen(null)} />}
      <Toasts />
    </div>
  );
}

function nextDensity(now: "compact" | "normal" | "roomy"): "compact" | "normal" | "roomy" {
  return now === "compact" ? "normal" : now === "normal" ? "roomy" : "compact";
}
