// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import fc from "fast-check";
import { useRef } from "react";
import { afterEach, describe, expect, it } from "vitest";

import { formatParameter } from "~/state/format";
import type { GridRows } from "~/widgets/gridRows";
import { useGridSelection } from "~/widgets/gridSelection";
import { NameField } from "~/widgets/head";
import { rowsNear, useViewport } from "~/widgets/scroll";

afterEach(cleanup);

function rowsOf(n: number): GridRows<{ id: string }> {
  const rows = Array.from({ length: n }, (_, i) => ({ id: `r${i}` }));
  return {
    total: n,
    at: (place) => rows[place],
    loaded: () => rows,
    span: async (from, to) => rows.slice(from, to + 1),
    pending: false,
    fetching: false,
    error: null,
    retry: () => undefined,
    waiting: 0,
    applyWaiting: () => undefined,
    touched: new Map(),
  };
}

const opened: string[] = [];

function Selecting() {
  const box = useRef<HTMLDivElement>(null);
  const rows = rowsOf(10);
  const { selected, toggle, at } = useGridSelection(box, rows, 30, (row) => opened.push(row.id));
  return (
    <div ref={box}>
      <output>{`${at} ${[...selected.keys()].join(",")}`}</output>
      {[2, 5].map((i) => (
        <button
          type="button"
          key={i}
          onClick={(event) => toggle(rows.at(i) as { id: string }, i, event.shiftKey)}
        >{`row ${i}`}</button>
      ))}
    </div>
  );
}

describe("the selection of a table", () => {
  const key = (name: string) => fireEvent.keyDown(document.body, { key: name, bubbles: true });

  it("follows keys and ranges, and Escape empties it", () => {
    render(<Selecting />);
    const state = () => screen.getByRole("status").textContent;
    expect(state()).toBe("-1 ");
    key("j");
    key("j");
    key("x");
    expect(state()).toBe("1 r1");
    fireEvent.click(screen.getByText("row 5"), { shiftKey: true });
    expect(state()).toBe("1 r1,r2,r3,r4,r5");
    fireEvent.click(screen.getByText("row 2"));
    expect(state()).toBe("1 r1,r3,r4,r5");
    key("Enter");
    expect(opened).toEqual(["r1"]);
    key("Escape");
    expect(state()).toBe("1 ");
  });
});

function Measured({ full }: { full: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const view = useViewport(box);
  return (
    <>
      <output>{view.height}</output>
      {full && (
        <div
          ref={(element) => {
            if (element) Object.defineProperty(element, "clientHeight", { value: 420, configurable: true });
            box.current = element;
          }}
        />
      )}
    </>
  );
}

describe("the measure of a list", () => {
  it("W1: is taken when the list appears, and again when another takes its place", () => {
    const { rerender } = render(<Measured full={false} />);
    const height = () => screen.getByRole("status").textContent;
    expect(height()).toBe("0");
    act(() => rerender(<Measured full />));
    expect(height()).toBe("420");
    rerender(<Measured full={false} />);
    act(() => rerender(<Measured key="another" full />));
    expect(height()).toBe("420");
  });
});

describe("the rows near the view", () => {
  const at = (top: number, height = 300) => ({ top, height, left: 0, width: 0 });

  it("hold every row that is seen, few others, and none that is not there", () => {
    const size = fc.integer({ min: 1, max: 200 });
    const few = fc.integer({ min: 0, max: 20 });
    const far = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(far, size, far, size, few, few, (top, tall, total, height, spare, rows) => {
        const head = rows * 3;
        const [first, last] = rowsNear(at(top, tall), { total, height, head, spare });
        expect(0 <= first && first <= last && last <= total).toBe(true);
        expect(last - first).toBeLessThanOrEqual(Math.ceil((tall + head) / height) + 2 * spare + 2);
        const seen = [Math.floor((top - head) / height), Math.floor((top + tall - head - 1) / height)];
        for (const row of seen) if (row >= 0 && row < total) expect(first <= row && row < last).toBe(true);
      }),
    );
  });

  it("are those of a whole screen before it is measured, and none below a list that became shorter", () => {
    expect(rowsNear(at(0, 0), { total: 1000, height: 20, spare: 0, unmeasured: 200 })).toEqual([0, 10]);
    expect(rowsNear(at(20_000), { total: 5, height: 20 })).toEqual([5, 5]);
  });
});

describe("a parameter in a table", () => {
  it.each([
    ["0.0025118864315095794", "0.002512"],
    ["-0.0025118864315095794", "−0.002512"],
    ["2.5118864315095794e-05", "2.512e-5"],
    ["123.456789", "123.5"],
    ["0.30000000000000004", "0.3"],
    ["0.1", "0.1"],
    ["1e-3", "1e-3"],
    ["12345678901", "12345678901"],
    ["2026.11.20", "2026.11.20"],
    ["1.2.3-rc.4", "1.2.3-rc.4"],
    ["resnet50-0.25", "resnet50-0.25"],
    ["", ""],
    ["3.0000000", "3.0000000"],
  ])("W5: %s is shown as %s", (text, shown) => expect(formatParameter(text)).toBe(shown));
});

describe("a name that is edited in place", () => {
  const saved: string[] = [];
  const save = (answer: "taken" | "refused") => async (name: string) => {
    saved.push(name);
    if (answer === "refused") throw new Error("no such name");
  };
  const field = () => screen.getByLabelText("Name") as HTMLInputElement;
  const type = (text: string) => {
    field().focus();
    fireEvent.change(field(), { target: { value: text } });
  };
  const press = (key: string) => fireEvent.keyDown(field(), { key });
  afterEach(() => saved.splice(0));

  it("is saved by Enter and by leaving it, and taken back by Escape", () => {
    render(<NameField name="old" method="tasks.edit" save={save("taken")} />);
    type(" new ");
    press("Enter");
    expect(saved).toEqual(["new"]);
    type("newer");
    act(() => field().blur());
    expect(saved).toEqual(["new", "newer"]);
    type("a mistake");
    press("Escape");
    expect(field().value).toBe("old");
    type("   ");
    press("Enter");
    expect(field().value).toBe("old");
    expect(saved.length).toBe(2);
  });

  it("comes back when it is refused", async () => {
    render(<NameField name="old" method="tasks.edit" save={save("refused")} />);
    type("new");
    await act(async () => void press("Enter"));
    expect(saved).toEqual(["new"]);
    expect(field().value).toBe("old");
  });

  it("is not lost when somebody else renames the thing meanwhile", () => {
    const { rerender } = render(<NameField name="old" method="tasks.edit" save={save("taken")} />);
    type("mine");
    rerender(<NameField name="theirs" method="tasks.edit" save={save("taken")} />);
    expect(field().value).toBe("mine");
    press("Escape");
    expect(field().value).toBe("theirs");
    rerender(<NameField name="theirs again" method="tasks.edit" save={save("taken")} />);
    expect(field().value).toBe("theirs again");
    expect(saved).toEqual([]);
  });
});
