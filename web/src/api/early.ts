/** What `boot.ts` has asked for before the page was there. */
export interface Early {
  answers: Map<string, Promise<Response>>;
  until: number;
}

declare global {
  interface Window {
    trialbookEarly?: Early;
  }
}

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
