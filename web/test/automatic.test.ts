import { describe, expect, it } from "vitest";

import { chooseMetrics, chooseParameters, statOf } from "~/pages/tasks/automatic";
import type { Row } from "~/pages/tasks/columns";

type Metric = [metric: string, variant: string];

function run(id: string, metrics: Metric[], parameters: Record<string, string> = {}): Row {
  const last: Record<string, Record<string, unknown>> = {};
  for (const [metric, variant] of metrics) (last[metric] ??= {})[variant] = { metric, variant, value: 1 };
  const items = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, { section: "Args", name, value }]),
  );
  return { id, last_metrics: last, hyperparams: { Args: items } } as unknown as Row;
}

describe("the columns that a table chooses", () => {
  const common: Metric[] = [
    ["loss", "train"],
    ["loss", "validation"],
    ["accuracy", "validation"],
    ["lr", "lr"],
    [":monitor:gpu", "use"],
  ];

  it("takes what most runs share and puts held-out goals first", () => {
    const rows = [run("a", common), run("b", common), run("c", [...common, ["odd", "one"]])];
    expect(chooseMetrics(rows)).toEqual([
      "m:max:accuracy:validation",
      "m:min:loss:validation",
      "m:min:loss:train",
      "m:last:lr:lr",
    ]);
  });

  it("does not count runs that have reported nothing", () => {
    expect(chooseMetrics([run("a", [["loss", "train"]]), run("b", []), run("c", [[":monitor:gpu", "use"]])])).toEqual([
      "m:min:loss:train",
    ]);
    expect(chooseMetrics([])).toEqual([]);
  });

  it("knows in which direction a metric is better", () => {
    expect(statOf("val_loss")).toBe("min");
    expect(statOf("mAP50")).toBe("max");
    expect(statOf("macro F1")).toBe("max");
    expect(statOf("learning rate")).toBe("last");
  });

  it("shows the parameters that differ, and never a secret", () => {
    const rows = [
      run("a", [], { lr: "0.1", batch: "64", api_token: "x", note: "l".repeat(60) }),
      run("b", [], { lr: "0.2", batch: "64", api_token: "y", note: "m" }),
    ];
    expect(chooseParameters(rows)).toEqual(["h:Args:lr"]);
  });
});
