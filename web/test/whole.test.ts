import { describe, expect, it } from "vitest";

import { ANSWERS } from "~/api/shapes.gen";
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

  it.each([null, undefined, "7", {}])("W3: a number that is %j is not a 0, a truth is not a no", (value) => {
    const made = task({ last_iteration: value, last_metrics: { loss: { train: { value, count: value } } } });
    expect([null, undefined]).toContainEqual(made.last_iteration);
    expect([null, undefined]).toContainEqual(made.last_metrics.loss?.train?.count);
    const dataset = whole("datasets.get_all", { versions: [{ archived: value }] }) as {
      versions: { archived?: boolean }[];
    };
    expect(dataset.versions[0]?.archived).not.toBe(false);
  });

  it("W3: a method of which nothing is known, and every answer that is nothing, break nothing", () => {
    expect(whole("no.such_method", { a: 1 })).toEqual({ a: 1 });
    for (const [method, shape] of Object.entries(ANSWERS)) {
      if (!shape.startsWith("@")) continue;
      for (const data of [null, undefined, {}, [], "text", 7]) expect(typeof whole(method, data)).toBe("object");
    }
  });
});
