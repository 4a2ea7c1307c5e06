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

/** True with a session. Opens one by itself where the server says that this machine may. */
export async function openSession(): Promise<boolean> {
  const link = takeLink();
  if (user) return true;
  if (await whoami()) return true;
  dropEarly();
  if (link) {
    await call("auth.login_link", { link });
    return whoami();
  }
  try {
    const info = await call("server.info", {});
    if (!info.local_login || new URLSearchParams(location.search).has("stay")) return false;
    await call("auth.login_local", {});
  } catch (error) {
    if (error instanceof RpcError && error.code !== 0) return false;
    throw error;
  }
  return whoami();
}

/** The secret of a link that logs in once. It stood behind the #, which no server or proxy sees, and leaves the address. */
function takeLink(): string | null {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (link) history.replaceState(history.state, "", location.pathname + location.search);
  return link;
}

async function whoami(): Promise<boolean> {
  try {
    user = (await call("users.get_current_user", {})).user;
  } catch (error) {
    if (error instanceof RpcError && (error.code === 401 || error.code === 403)) return false;
    throw error;
  }
  void loadPreferences().catch(() => undefined);
  return true;
}

/** Logs in with a key; throws what the server answers. */
export async function logIn(access_key: string, secret_key: string): Promise<void> {
  await call("auth.login", { access_key, secret_key });
  if (!(await whoami())) throw new Error("The server accepted the key but set no session. Are cookies blocked?");
}

export function forgetSession(): void {
  user = null;
}

whenLoggedOut(() => {
  if (!user) return;
  user = null;
  const back = location.pathname + location.search;
  location.assign(`/login${stringifySearch({ redirect: back })}`);
});
