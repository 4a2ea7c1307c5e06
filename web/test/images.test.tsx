// @vitest-environment happy-dom
import "./support/layout";

import { cleanup, fireEvent, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Task } from "~/api/types.gen";
import { TaskProvider } from "~/pages/task/context";
import Images from "~/pages/task/tabs/Images";

import { Server, show } from "./support/served";

const REPORTED: Record<string, number[]> = { often: [0, 5, 10], once: [3], early: [0, 1] };

function Page() {
  return (
    <TaskProvider value={{ id: "t", project: "p" } as Task}>
      <Images />
    </TaskProvider>
  );
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function open(variant: string, more = "") {
  const events = Object.entries(REPORTED).flatMap(([name, iters]) =>
    iters.map((iter) => ({ metric: "pictures", variant: name, iter, url: `http://x/${name}${iter}.png` })),
  );
  new Server({ "events.debug_images": () => ({ metrics: [{ task: "t", iterations: [{ iter: 0, events }] }] }) });
  const page = show(Page, "/images", `/images?img=pictures/${variant}${more}`);
  await waitFor(() => expect(document.querySelector(".viewer")).not.toBeNull());
  return page;
}

const at = () => document.querySelector(".viewer header .num")?.textContent;
const button = (name: string) =>
  [...document.querySelectorAll<HTMLButtonElement>(".viewer button")].find(
    (one) => one.textContent === name,
  ) as HTMLButtonElement;

describe("one image that is looked at", () => {
  it("is turned through its own iterations, whatever others have, and says where they end", async () => {
    const page = await open("often");
    expect(at()).toBe("iteration 10");
    expect(button("→").disabled).toBe(true);
    fireEvent.click(button("←"));
    await waitFor(() => expect(at()).toBe("iteration 5"));
    expect(page.address()).toContain("i=5");
    fireEvent.keyDown(document.body, { key: "ArrowLeft", bubbles: true });
    await waitFor(() => expect(at()).toBe("iteration 0"));
    expect(button("←").disabled).toBe(true);
    fireEvent.keyDown(document.body, { key: "ArrowLeft", bubbles: true });
    expect(at()).toBe("iteration 0");
    fireEvent.click(button("→"));
    fireEvent.click(button("→"));
    await waitFor(() => expect(at()).toBe("iteration 10"));
    // The newest is followed, not numbered.
    expect(page.address()).not.toContain("i=");
  });

  it.each([
    ["once", "", "iteration 3"],
    ["once", "&i=0", "iteration 3"],
    ["early", "", "iteration 1"],
    ["early", "&i=0", "iteration 0"],
  ])("%s%s stands at %s", async (variant, more, place) => {
    await open(variant, more);
    expect(at()).toBe(place);
    const iters = REPORTED[variant] as number[];
    expect([button("←").disabled, button("→").disabled]).toEqual([
      place.endsWith(String(iters[0])),
      place.endsWith(String(iters[iters.length - 1])),
    ]);
  });
});
