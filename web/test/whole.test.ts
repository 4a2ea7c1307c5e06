import { describe, expect, it } from "vitest";

import { whole } from "~/api/whole";
import type { Task } from "~/api/types.gen";

const task = (document: unknown): Task => (whole("tasks.get_by_id", { task: document }) as { task: Task }).task;

describe("an answer at the border", () => {
  it.each([{}, { script: {} }, { script: null }, { script: { requirements: null } }, { script: [] }, null])(
    "W3: a task that is only %j has empty parts",
    (document) => {
      const made = task(document);
      expect(made.script.requirements["pip"]).toBeUndefined();
      expect(made.script.diff).toBe("");
      expect(made.tags.join()).toBe("");
      expect(made.hyperparams).toEqual({});
      expect(made.user).toBeNull();
    },
  );

  it("W3: leaves alone what is well, and documents that were asked for in part", () => {
    const given = { id: "a", script: { version_num: "1" }, tags: ["x"] };
    expect(task({ ...given }).tags).toEqual(["x"]);
    const some = whole("tasks.get_all_ex", { tasks: [structuredClone(given)] }, true) as { tasks: unknown[] };
    expect(some.tasks).toEqual([given]);
  });
});
