// @vitest-environment happy-dom
import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { Task } from "~/api/types.gen";
import { Details } from "~/pages/compare/Details";
import { differencesOf } from "~/pages/compare/differences";
import { columnOf, parameterColumn, type Row } from "~/pages/tasks/columns";
import { isSecret, MASK, masked, shownValue } from "~/state/secrets";

// No key of anybody: the shape is what counts.
const KEY = `hf_${"x".repeat(34)}`;
const PARAMETERS: Record<string, string> = {
  password: "hunter22",
  dbPassword: "hunter22",
  HF_TOKEN: "hunter22",
  "api-key": "hunter22",
  auth_key: "hunter22",
  passphrase: "hunter22",
  "aws.secret": "hunter22",
  url: "https://joe:hunter22@example.com/x",
  db: "x://j:hunter22@h",
  anything: `see ${KEY}`,
  yaml: "db:\n  user: joe\n  password: hunter22",
};

function run(id: string, tail: string): Task {
  const items = Object.fromEntries(
    Object.entries(PARAMETERS).map(([name, value]) => [name, { section: "Args", name, value: value + tail }]),
  );
  const script = {
    repository: "",
    branch: "",
    version_num: "",
    entry_point: "",
    binary: "",
    diff: "",
    requirements: {},
  };
  const task = {
    id,
    name: "run",
    type: "training",
    status: "completed",
    tags: [],
    last_iteration: 1,
    script,
    configuration: {},
  };
  return { ...task, hyperparams: { Args: items } } as unknown as Task;
}

const NO_CONTEXT = { user: new Map<string, string>(), project: new Map<string, string>(), now: 0 };

describe("secrets", () => {
  it("S13: are known by the names that the SDK knows", () => {
    for (const name of [
      "HF_TOKEN",
      "dbPassword",
      "api-key",
      "apikey",
      "account_key",
      "private.key",
      "my secrets",
      "PGPASSWORD",
      "DB_PASS",
    ]) {
      expect(isSecret(name), name).toBe(true);
    }
    for (const name of ["max_tokens", "tokenizer", "key", "api", "monkey", "passes", "forward_pass", ""])
      expect(isSecret(name), name).toBe(false);
    expect(shownValue("password", "")).toBe("");
    expect(masked("https://joe@example.com and user:pass, 1:2@3")).toBe("https://joe@example.com and user:pass, 1:2@3");
  });

  it("S13: stay hidden in a column and in what is exported of it", () => {
    const row = run("a", "") as unknown as Row;
    for (const name of Object.keys(PARAMETERS)) {
      const column = columnOf(parameterColumn("Args", name));
      for (const shown of [column?.plain(row, NO_CONTEXT), String(column?.cell(row, NO_CONTEXT))]) {
        expect(shown).toContain(MASK);
        expect(shown).not.toMatch(/hunter22|xxxx/);
      }
    }
  });

  it("S13: stay hidden in a comparison, which still says that they differ", () => {
    const tasks = [run("a", ""), run("b", "!"), run("c", "")];
    const labels = new Map(tasks.map((task) => [task.id, task.id]));
    const { container } = render(
      <Details tasks={tasks} labels={labels} onlyDifferent setOnlyDifferent={() => undefined} />,
    );
    expect(container.textContent).toContain("dbPassword");
    expect(container.textContent).not.toMatch(/hunter22|xxxx/);
    expect(container.querySelectorAll("td.differs")).toHaveLength(Object.keys(PARAMETERS).length);
    const told = JSON.stringify([...differencesOf(tasks)]);
    expect(told).toContain("x://j:");
    expect(told).not.toMatch(/hunter22|xxxx/);
  });
});
