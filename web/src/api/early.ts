import type {} from "~/boot";

/** The answer to this very call when `boot.ts` has already asked for it; each can be taken once. */
export function takeEarly(method: string, body: string): Promise<Response> | undefined {
  const early = window.trialbookEarly;
  if (!early || performance.now() > early.until) return undefined;
  const key = `${method} ${body}`;
  const answer = early.answers.get(key);
  early.answers.delete(key);
  return answer;
}

/** Forgets what was asked without a session. */
export function dropEarly(): void {
  window.trialbookEarly?.answers.clear();
}
