// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { readStored, writeStored } from "~/state/stored";

import { Server } from "./support/served";

/** The module as a page that was just opened has it. */
async function opened() {
  vi.resetModules();
  const all = await import("~/state/preferences");
  all.startPreferences();
  const Shown = () => {
    const { theme, density } = all.usePreferences();
    return <output>{`${theme} ${density} ${all.useTheme()}`}</output>;
  };
  const view = render(<Shown />);
  const shown = async (text: string) => expect((await screen.findByText(text)).textContent).toBe(text);
  return { ...all, ...view, shown };
}

/** A browser without room left. */
function keepNothing(): void {
  const setItem = () => {
    throw new DOMException("no room", "QuotaExceededError");
  };
  vi.stubGlobal("localStorage", { getItem: () => null, setItem });
}

const KEY = "trialbook.preferences";
let stored: Record<string, unknown>;
let away: boolean;
let server: Server;

beforeEach(() => {
  localStorage.clear();
  stored = {};
  away = false;
  server = new Server({
    "users.get_preferences": () => ({ preferences: stored }),
    "users.set_preferences": ({ preferences }) => {
      if (away) throw new TypeError("away");
      Object.assign(stored, preferences);
      return {};
    },
  });
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("what the browser keeps", () => {
  it.each([[{ a: [1, "ü"] }], [3], [""], [null], [false]])("is read as it was written: %j", (value) => {
    writeStored("x", value);
    expect(readStored("x")).toEqual(value);
  });

  it.each(["", "{", "undefined", "\u0000"])("is nothing when it cannot be read: %j", (text) => {
    localStorage.setItem("x", text);
    expect(readStored("x")).toBe(null);
    expect(readStored("never written")).toBe(null);
  });

  it("may be nothing at all: the page does without", () => {
    keepNothing();
    writeStored("x", 1);
    expect(readStored("x")).toBe(null);
    vi.stubGlobal("localStorage", undefined);
    writeStored("x", 1);
    expect(readStored("x")).toBe(null);
  });
});

describe("how a person wants the page", () => {
  it("holds at once, on the server and for the next visit", async () => {
    const first = await opened();
    await first.shown("system normal light");
    first.setPreferences({ theme: "dark" });
    first.setPreferences({ density: "roomy" });
    await first.shown("dark roomy dark");
    expect(document.documentElement.dataset["theme"]).toBe("dark");
    expect(document.documentElement.dataset["density"]).toBe("roomy");
    expect(server.asks("users.set_preferences").at(-1)).toEqual({
      preferences: { trialbook_web: { theme: "dark", density: "roomy" } },
    });
    first.unmount();
    await (await opened()).shown("dark roomy dark");
  });

  it("comes from the server into another browser", async () => {
    stored = { trialbook_web: { theme: "dark", density: "compact" }, other: 1 };
    const page = await opened();
    await page.loadPreferences();
    await page.shown("dark compact dark");
    expect(readStored(KEY)).toEqual({ theme: "dark", density: "compact" });
  });

  it("is what was chosen here, though an older answer comes late or the server is away", async () => {
    stored = { trialbook_web: { theme: "dark", density: "compact" } };
    const page = await opened();
    const loading = page.loadPreferences();
    away = true;
    page.setPreferences({ theme: "light" });
    await loading;
    await page.shown("light normal light");
  });

  it.each(['{"theme": "purple", "density": 7}', '{"theme": null}', '"dark"', "[]", "null", "7", "{"])(
    "is the usual one where %s is kept",
    async (text) => {
      localStorage.setItem(KEY, text);
      await (await opened()).shown("system normal light");
      expect(document.documentElement.dataset["theme"]).toBe("light");
    },
  );

  it("is the usual one for what another version of the page has told the server", async () => {
    stored = { trialbook_web: { theme: "sepia", density: "roomy", font: "big" } };
    const page = await opened();
    await page.loadPreferences();
    await page.shown("system roomy light");
  });

  it("holds until the page is left when the browser keeps nothing", async () => {
    const page = await opened();
    keepNothing();
    page.setPreferences({ theme: "dark" });
    await page.shown("dark normal dark");
    expect(server.asks("users.set_preferences").length).toBe(1);
  });
});
