import { takeEarly } from "~/api/early";
import type { Methods } from "~/api/types.gen";
import { whole } from "~/api/whole";

export type MethodName = keyof Methods;
export type Ask<M extends MethodName> = Methods[M]["request"];
export type Reply<M extends MethodName> = Methods[M]["reply"];

/** An answer of the server other than success, or no answer at all (code 0). */
export class RpcError extends Error {
  constructor(
    readonly method: string,
    readonly code: number,
    readonly subcode: number,
    message: string,
    readonly requestId: string,
  ) {
    super(message);
    this.name = "RpcError";
  }

  /** True when nobody is logged in (any more). */
  get loggedOut(): boolean {
    return this.code === 401;
  }

  /** What a person reads first; the server's own message follows it. */
  get headline(): string {
    if (this.code === 0) return "The server cannot be reached";
    if (this.code === 401) return "You are not logged in";
    if (this.code === 403) return "You may not do this";
    if (this.code === 404 || NOT_FOUND.has(this.subcode)) return "Not found";
    if (this.code >= 500) return "The server failed";
    return "The server refused";
  }

  /** True for the codes that say that the named object does not exist. */
  get missing(): boolean {
    return this.code === 404 || (this.code === 400 && NOT_FOUND.has(this.subcode));
  }
}

const NOT_FOUND = new Set([101, 201, 401, 701]);

interface Meta {
  id?: string;
  result_code?: number;
  result_subcode?: number;
  result_msg?: string;
}

// A browser session may only POST, and with this header: a link or a foreign form cannot set it.
export const SESSION_HEADERS = { "X-Trialbook-Web": "1" };

let onLoggedOut: (() => void) | null = null;

/** Says what to do when any call finds that the session is over. */
export function whenLoggedOut(action: () => void): void {
  onLoggedOut = action;
}

async function post(method: string, params: unknown, accept: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  const body = JSON.stringify(params);
  try {
    response = await (takeEarly(method, body) ??
      fetch(`/${method}`, {
        method: "POST",
        headers: { ...SESSION_HEADERS, "Content-Type": "application/json", Accept: accept },
        body,
        credentials: "same-origin",
        // A choice made right before the page is left must still arrive.
        keepalive: method === "users.set_preferences",
        signal,
      }));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new RpcError(method, 0, 0, "No answer came back. Is the server still running?", "");
  }
  if (response.ok) return response;
  const meta = await readMeta(response);
  const code = meta.result_code ?? response.status;
  const problem = new RpcError(
    method,
    code,
    meta.result_subcode ?? 0,
    meta.result_msg ?? response.statusText,
    meta.id ?? "",
  );
  if (problem.loggedOut && !method.startsWith("auth.")) onLoggedOut?.();
  throw problem;
}

async function readMeta(response: Response): Promise<Meta> {
  const text = await response.text();
  try {
    return (JSON.parse(text) as { meta?: Meta }).meta ?? {};
  } catch {
    return { result_msg: text.slice(0, 200) || response.statusText };
  }
}

/** Calls a method of the server and returns its `data`. */
export async function call<M extends MethodName>(method: M, params: Ask<M>, signal?: AbortSignal): Promise<Reply<M>> {
  const response = await post(method, params, "application/json", signal);
  const { data } = (await response.json()) as { data: unknown };
  return whole(method, data, "only_fields" in params && params.only_fields !== undefined) as Reply<M>;
}

/** Calls a method whose answer is not JSON. */
export async function callForBytes<M extends MethodName>(
  method: M,
  params: unknown,
  accept: string,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  const response = await post(method, params, accept, signal);
  return response.arrayBuffer();
}
