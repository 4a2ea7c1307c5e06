// @vitest-environment happy-dom
import "./support/layout";

import { BroadcastChannel as Channel } from "node:worker_threads";

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

// What one window of the browser tells the others; the page opens its channel when it is first needed.
vi.stubGlobal("BroadcastChannel", Channel);

import { queryClient } from "~/api/client";
import { RpcError } from "~/api/rpc";
import { LoginPage } from "~/pages/login/LoginPage";
import { Shell } from "~/shell/Shell";
import { currentUser, forgetSession, openSession } from "~/state/session";

import { type Methods, Server, show } from "./support/served";

const refusal = (code: number, words: string) => new RpcError("", code, 0, words, "");
const USER = { id: "u", name: "Ada", role: "user" };
let somebody: boolean;
let local: boolean;
let refuse: RpcError | null;
let server: Server;
let away: string[];
let other: Channel;
let heard: unknown[];

const METHODS: Methods = {
  "users.whoami": () => ({ user: somebody ? USER : null, local_login: local }),
  "users.get_preferences": () => ({ preferences: {} }),
  "users.set_preferences": () => ({}),
  "auth.login_local": () => {
    somebody = true;
    return {};
  },
  "auth.login_link": ({ link }) => {
    if (link !== "once") throw refusal(401, "this link has been used");
    somebody = true;
    return {};
  },
  "auth.login": ({ secret_key }) => {
    if (secret_key !== "right") throw refusal(401, "no");
    somebody = true;
    return {};
  },
  "auth.logout": () => {
    if (refuse) throw refuse;
    somebody = false;
    return {};
  },
};

beforeEach(() => {
  [somebody, local, refuse, away, heard] = [false, false, null, [], []];
  server = new Server(METHODS);
  forgetSession();
  vi.spyOn(window.location, "assign").mockImplementation((to) => void away.push(String(to)));
  other = new Channel("trialbook.session");
  other.onmessage = (event) => void heard.push((event as MessageEvent).data);
});

afterEach(() => {
  cleanup();
  other.close();
  vi.restoreAllMocks();
});

async function framed() {
  somebody = true;
  await openSession();
  const view = show(Shell, "/dashboard", "/dashboard");
  await screen.findByLabelText("Main");
  return view;
}

function choose(label: string) {
  fireEvent.click(screen.getByLabelText("More"));
  fireEvent.click(screen.getByText(label));
}

describe("logging out", () => {
  it("leaves nothing of the session in this window, and tells the others", async () => {
    const { address } = await framed();
    queryClient.setQueryData(["secret"], 1);
    choose("Log out");
    await waitFor(() => expect(address()).toBe("/login?stay=1"));
    expect(currentUser()).toBe(null);
    expect(queryClient.getQueryData(["secret"])).toBe(undefined);
    await waitFor(() => expect(heard).toEqual(["out"]));
  });

  it("that fails is told, and the session stays", async () => {
    const { address } = await framed();
    refuse = refusal(500, "the disk of the server is full");
    choose("Log out");
    expect((await screen.findByRole("status")).textContent).toContain("the disk of the server is full");
    expect(address()).toBe("/dashboard");
    expect(currentUser()?.name).toBe("Ada");
    expect(heard).toEqual([]);
  });

  it("in another window takes everything from this one's screen", async () => {
    await framed();
    queryClient.setQueryData(["secret"], 1);
    other.postMessage("out");
    await waitFor(() => expect(away).toEqual([expect.stringContaining("/login?stay=1")]));
    expect(screen.queryByLabelText("Main")).toBe(null);
    expect(queryClient.getQueryData(["secret"])).toBe(undefined);
    expect(currentUser()).toBe(null);
  });
});

describe("the frame", () => {
  it("takes a place by two keys, and only by two", async () => {
    const { address } = await framed();
    fireEvent.keyDown(document.body, { key: "d" });
    expect(address()).toBe("/dashboard");
    fireEvent.keyDown(document.body, { key: "g" });
    fireEvent.keyDown(document.body, { key: "d" });
    await waitFor(() => expect(address()).toBe("/datasets"));
  });

  it("turns the theme round, and the height of rows", async () => {
    await framed();
    const theme = () => screen.getByLabelText(/^Theme:/);
    const seen = [1, 2, 3].map(() => {
      fireEvent.click(theme());
      return theme().title;
    });
    expect(new Set(seen)).toEqual(new Set(["Theme: light", "Theme: dark", "Theme: system"]));
    choose("Rows: normal");
    await waitFor(() => expect(document.documentElement.dataset["density"]).toBe("roomy"));
  });
});

describe("the log-in", () => {
  const fill = (key: string, secret: string) => {
    fireEvent.change(screen.getByLabelText("Access key"), { target: { value: key } });
    fireEvent.change(screen.getByLabelText("Secret"), { target: { value: secret } });
    fireEvent.submit(document.querySelector("form") as HTMLElement);
  };

  it.each([
    ["/login?redirect=/projects/p/tasks?columns%3Dname", "/projects/p/tasks?columns=name"],
    ["/login?redirect=//elsewhere.example/x", "/dashboard"],
    ["/login?redirect=https://elsewhere.example", "/dashboard"],
    ["/login", "/dashboard"],
  ])("by a key at %s leads to %s", async (at, to) => {
    const { address } = show(LoginPage, "/login", at);
    await screen.findByLabelText("Secret");
    fill(" key ", " right ");
    await waitFor(() => expect(address()).toBe(to));
    expect(server.asks("auth.login")).toEqual([{ access_key: "key", secret_key: "right" }]);
  });

  it("with a wrong secret says so, and can be tried again", async () => {
    const { address } = show(LoginPage, "/login", "/login");
    await screen.findByLabelText("Secret");
    fill("key", "wrong");
    expect((await screen.findByRole("alert")).textContent).toContain("do not match");
    expect(address()).toBe("/login");
    fill("key", "right");
    await waitFor(() => expect(address()).toBe("/dashboard"));
  });

  it("passes by itself where the server lets it, but not for who has just logged out", async () => {
    local = true;
    const { address } = show(LoginPage, "/login", "/login");
    await waitFor(() => expect(address()).toBe("/dashboard"));
    forgetSession();
    somebody = false;
    window.history.replaceState(null, "", "/login?stay=1");
    expect(await openSession()).toBe(false);
    expect(currentUser()).toBe(null);
    window.history.replaceState(null, "", "/");
  });

  it("by a link is done once, and the secret leaves the address", async () => {
    window.history.replaceState(null, "", "/login?x=1#link=once");
    expect(await openSession()).toBe(true);
    expect(window.location.hash).toBe("");
    expect(window.location.search).toBe("?x=1");
    forgetSession();
    somebody = false;
    window.history.replaceState(null, "", "/#link=twice");
    await act(async () => await expect(openSession()).rejects.toThrow("has been used"));
    expect(window.location.hash).toBe("");
  });
});
