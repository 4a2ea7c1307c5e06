import { PERMITS } from "~/api/permits.gen";
import type { MethodName } from "~/api/rpc";
import { currentUser } from "~/state/session";

/** What each role holds beside reading, as `services/accounts.py` says. */
const HOLDS: Record<string, readonly string[]> = {
  admin: ["work", "write", "admin"],
  user: ["work", "write"],
  worker: ["work"],
  "read-only": [],
};

/**
 * Why who is logged in may not call a method, or null. The server decides; this is for controls, which say so before
 * somebody has chosen and typed. Of a role that is not known here the server is asked.
 */
export function notAllowed(method: MethodName): string | null {
  const role = currentUser()?.role;
  const needed = PERMITS[method];
  const held = role === undefined ? undefined : HOLDS[role];
  if (!needed || !held || held.includes(needed)) return null;
  return `Your role is ${role}: ${needed === "admin" ? "only administrators may do this" : "it may not change this"}`;
}

/** The attributes of a control that calls a method: disabled, with the reason, where the role does not allow it. */
export function control(method: MethodName): { disabled?: boolean; title?: string } {
  const why = notAllowed(method);
  return why ? { disabled: true, title: why } : {};
}

/** The same for an entry of a menu. */
export function allowed(method: MethodName): { disabled?: boolean; why?: string } {
  const why = notAllowed(method);
  return why ? { disabled: true, why } : {};
}
