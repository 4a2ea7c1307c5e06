/**
 * Runs before the rest of the page has arrived: asks for what the first screen will need, its code and its data, so
 * that nothing waits for the main bundle to be read. It stands alone; `vite.config.ts` builds and names it. What is
 * asked here is taken by `api/early.ts`, and an answer that nobody takes is dropped.
 */

import type { Early } from "~/api/early";

const TASK = /^\/projects\/[^/]+\/tasks\/([0-9a-f]{32})\/?(.*)$/;
const PAGES: [RegExp, string][] = [
  [/^\/(dashboard)?$/, "home"],
  [/^\/projects(\/[^/]+\/projects)?\/?$/, "projects"],
  [/^\/projects\/[^/]+\/tasks\/?$/, "tasks"],
  [/^\/projects\/[^/]+\/compare-tasks/, "compare"],
  [/^(\/projects\/[^/]+)?\/models\/?$/, "models"],
  [/^(\/projects\/[^/]+)?\/models\/[0-9a-f]{32}/, "model"],
  [/^\/datasets(\/simple)?\/?$/, "datasets"],
  [/^\/datasets\/.*[0-9a-f]{32}/, "dataset"],
];
const FIRST_TAB = "output/metrics/scalar";
// Whoever comes later than this wants newer data.
const LIFETIME = 4000;

const answers = new Map<string, Promise<Response>>();

/** Asks, or promises to ask as soon as somebody is known: who calls for it meanwhile waits for the same answer. */
function ask(method: string, params: object, who?: Promise<boolean>): Promise<Response> {
  const body = JSON.stringify(params);
  const key = `${method} ${body}`;
  const send = () =>
    fetch(`/${method}`, {
      method: "POST",
      headers: { "X-Trialbook-Web": "1", "Content-Type": "application/json", Accept: "application/json" },
      body,
      credentials: "same-origin",
    });
  const answer =
    who !== undefined
      ? who.then((somebody) => {
          if (somebody) return send();
          answers.delete(key);
          throw new Error("nobody is logged in");
        })
      : send();
  // The failure belongs to whoever takes the answer.
  answer.catch(() => undefined);
  answers.set(key, answer);
  return answer;
}

/** Whether somebody is logged in. Data is asked for only then: a refusal would stand in the browser's console. */
async function known(answer: Promise<Response>): Promise<boolean> {
  const { data } = (await (await answer).clone().json()) as { data?: { user?: unknown } };
  return Boolean(data?.user);
}

function load(pages: string[]): void {
  const known = document.querySelector<HTMLMetaElement>("meta[name=trialbook-chunks]")?.content ?? "{}";
  const chunks = JSON.parse(known) as Record<string, string[]>;
  for (const name of new Set(pages.flatMap((page) => chunks[page] ?? []))) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = name;
    document.head.append(link);
  }
}

const path = location.pathname;
const task = TASK.exec(path);
const who = path.startsWith("/login") ? undefined : known(ask("users.whoami", {})).catch(() => false);
if (task) {
  const id = task[1] as string;
  const tab = task[2] || FIRST_TAB;
  void ask("tasks.get_by_id", { task: id }, who);
  if (tab === FIRST_TAB) void ask("series.catalog", { tasks: [id] }, who);
  load(["task", tab]);
} else {
  load(PAGES.filter(([shape]) => shape.test(path)).map(([, page]) => page));
}
const early: Early = { answers, until: performance.now() + LIFETIME };
window.trialbookEarly = early;
