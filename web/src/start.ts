// The set-up wizard of some clients prints links such as //settings/workspace-configuration. The address must be
// right before the router reads it, so this module is imported first.
if (location.pathname.includes("//")) {
  history.replaceState(null, "", location.pathname.replace(/\/{2,}/g, "/") + location.search + location.hash);
}
