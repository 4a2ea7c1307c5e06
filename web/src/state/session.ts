import { dropEarly } from "~/api/early";
import { call, RpcError, whenLoggedOut } from "~/api/rpc";
import type { User } from "~/api/types.gen";
import { stringifySearch } from "~/state/codec";
import { loadPreferences } from "~/state/preferences";

let user: User | null = null;

/** Who is logged in, once a page behind the log-in is shown. */
export function currentUser(): User | null {
  return user;
}

/** True with a session. Opens one by itself where the server says that this page may. */
export async function openSession(): Promise<boolean> {
  const link = takeLink();
  if (user) return true;
  const { found, local } = await whoami();
  if (found) return true;
  dropEarly();
  if (link) {
    await call("auth.login_link", { link });
    return (await whoami()).found;
  }
  if (!local || new URLSearchParams(location.search).has("stay")) return false;
  try {
    await call("auth.login_local", {});
  } catch (error) {
    if (error instanceof RpcError && error.code !== 0) return false;
    throw error;
  }
  return (await whoami()).found;
}

/** The secret of a link that logs in once. It stood behind the #, which no server or proxy sees, and leaves the address. */
function takeLink(): string | null {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (link) history.replaceState(history.state, "", location.pathname + location.search);
  return link;
}

/** Asked in a way that nobody's answer is not an error, which would stand in the browser's console. */
async function whoami(): Promise<{ found: boolean; local: boolean }> {
  try {
    const reply = await call("users.whoami", {});
    user = reply.user;
    if (user) void loadPreferences().catch(() => undefined);
    return { found: user !== null, local: reply.local_login };
  } catch (error) {
    if (error instanceof RpcError && (error.code === 401 || error.code === 403)) return { found: false, local: false };
    throw error;
  }
}

/** Logs in with a key; throws what the server answers. */
export async function logIn(access_key: string, secret_key: string): Promise<void> {
  await call("auth.login", { access_key, secret_key });
  if (!(await whoami()).found) throw new Error("The server accepted the key but set no session. Are cookies blocked?");
}

export function forgetSession(): void {
  user = null;
}

let windows: BroadcastChannel | null = null;

/** The other windows of this browser, which have the same session. */
function others(): BroadcastChannel | null {
  if (typeof BroadcastChannel !== "undefined") windows ??= new BroadcastChannel("trialbook.session");
  return windows;
}

/** The session is over for every window of this browser. */
export function tellLoggedOut(): void {
  others()?.postMessage("out");
}

/** Calls `leave` when another window has found or made the session over. Returns how to stop. */
export function whenOthersLogOut(leave: () => void): () => void {
  const channel = others();
  const heard = () => user && leave();
  channel?.addEventListener("message", heard);
  return () => channel?.removeEventListener("message", heard);
}

/** The address of the log-in, from which one comes back here. */
export function loginPath(stay = false): string {
  return `/login${stringifySearch({ stay: stay ? "1" : undefined, redirect: location.pathname + location.search })}`;
}

whenLoggedOut(() => {
  if (!user) return;
  user = null;
  tellLoggedOut();
  location.assign(loginPath());
});
