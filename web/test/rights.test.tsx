// @vitest-environment happy-dom
import "./support/layout";

import { BroadcastChannel } from "node:worker_threads";

import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";

import { PERMITS } from "~/api/permits.gen";
import type { MethodName } from "~/api/rpc";
import { currentUser, forgetSession, openSession, tellLoggedOut, whenOthersLogOut } from "~/state/session";
import { ACTIONS, type ActionName } from "~/state/actions";
import { MODEL_ACTIONS, type ModelActionName } from "~/state/modelActions";
import { notAllowed } from "~/state/rights";
import { Dialog } from "~/widgets/Dialog";
import { EditableText } from "~/widgets/EditableText";
import { NameField, Tags } from "~/widgets/head";
import { SelectionBar } from "~/widgets/SelectionBar";

import { Server } from "./support/served";

const nobody = async () => undefined;

async function logIn(role: string): Promise<Server> {
  forgetSession();
  const server = new Server({
    "users.whoami": () => ({
      user: {
        id: "u",
        name: "n",
        role,
        disabled: false,
        company: { id: "c", name: "c" },
        created: "2026-01-01T00:00:00+00:00",
      },
      local_login: false,
    }),
    "users.get_preferences": () => ({ preferences: {} }),
  });
  expect(await openSession()).toBe(true);
  return server;
}

afterEach(() => {
  cleanup();
  forgetSession();
  vi.unstubAllGlobals();
});

const HELD: Record<string, string[]> = {
  admin: ["work", "write", "admin"],
  user: ["work", "write"],
  worker: ["work"],
  "read-only": [],
  "of a newer server": ["work", "write", "admin"],
};

describe("W4: what a role may not do", () => {
  for (const [role, held] of Object.entries(HELD)) {
    it(`is disabled with the reason for ${role}`, async () => {
      await logIn(role);
      for (const [method, needed] of Object.entries(PERMITS)) {
        expect(notAllowed(method as MethodName) === null, method).toBe(held.includes(needed));
      }
      const bars: [Record<string, { verb: string; method: MethodName }>, MethodName, JSX][] = [
        [
          ACTIONS,
          "tasks.edit",
          <SelectionBar
            key="t"
            noun="tasks"
            things={[{ id: "1" }]}
            able={Object.keys(ACTIONS) as ActionName[]}
            actions={ACTIONS}
            tagMethod="tasks.edit"
            saveTags={nobody}
            clear={() => undefined}
            dialog={() => null}
          />,
        ],
        [
          MODEL_ACTIONS,
          "models.edit",
          <SelectionBar
            key="m"
            noun="models"
            things={[{ id: "1" }]}
            able={Object.keys(MODEL_ACTIONS) as ModelActionName[]}
            actions={MODEL_ACTIONS}
            tagMethod="models.edit"
            saveTags={nobody}
            clear={() => undefined}
            dialog={() => null}
          />,
        ],
      ];
      for (const [actions, tags, bar] of bars) {
        render(bar);
        const expected = [["Tags", tags], ...Object.values(actions).map((one) => [one.verb, one.method])] as [
          string,
          MethodName,
        ][];
        for (const [verb, method] of expected) {
          const button = screen.getByText(verb, { selector: "button" }) as HTMLButtonElement;
          const may = held.includes(PERMITS[method] as string);
          expect([verb, button.disabled]).toEqual([verb, !may]);
          if (!may) expect(button.title).toContain(role);
        }
        cleanup();
      }
      render(
        <>
          <NameField name="a name" method="tasks.edit" save={nobody} />
          <Tags tags={["t"]} method="tasks.edit" save={nobody} />
          <EditableText label="Comment" text="c" method="tasks.edit" save={nobody} />
        </>,
      );
      const may = held.includes("work");
      expect(screen.getByLabelText<HTMLInputElement>("Name").readOnly).toBe(!may);
      for (const text of ["+ tag", "Edit"]) expect(screen.getByText<HTMLButtonElement>(text).disabled).toBe(!may);
    });
  }

  it("is left to the server before it is known who is there", () => {
    expect(notAllowed("tasks.delete_many")).toBeNull();
  });
});

type JSX = React.JSX.Element;

describe("W4: a session", () => {
  it("is asked for without an error where there is none", async () => {
    forgetSession();
    const server = new Server({ "users.whoami": () => ({ user: null, local_login: false }) });
    expect(await openSession()).toBe(false);
    expect(server.asked.map(({ method }) => method)).toEqual(["users.whoami"]);
  });

  it("that ends in one window ends in all, and not for who is logged in nowhere", async () => {
    await logIn("user");
    vi.stubGlobal("BroadcastChannel", BroadcastChannel);
    const other = new BroadcastChannel("trialbook.session") as unknown as EventTarget & {
      postMessage: (text: string) => void;
      close: () => void;
    };
    const left = vi.fn();
    const stop = whenOthersLogOut(left);
    // Not in the window that says so.
    const heard = new Promise((resolve) => other.addEventListener("message", resolve, { once: true }));
    tellLoggedOut();
    await heard;
    expect(left).not.toHaveBeenCalled();
    other.postMessage("out");
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1));
    expect(currentUser()?.name).toBe("n");
    forgetSession();
    other.postMessage("out");
    const last = new Promise((resolve) => other.addEventListener("message", resolve, { once: true }));
    tellLoggedOut();
    await last;
    expect(left).toHaveBeenCalledTimes(1);
    stop();
    other.close();
  });
});

describe("W4: a dialog", () => {
  it("that tells what has happened offers nothing to cancel, and its long title is whole as a tip", () => {
    const title = `Deleted ${"n".repeat(200)}`;
    render(<Dialog title={title} close={() => undefined} verb="Done" past submit={() => undefined} />);
    expect(screen.getByText("Done")).toBeTruthy();
    expect(screen.queryByText("Cancel")).toBeNull();
    expect(screen.getByText(title).title).toBe(title);
    cleanup();
    render(<Dialog title="Delete it?" close={() => undefined} verb="Delete" submit={() => undefined} />);
    expect(screen.getByText("Cancel")).toBeTruthy();
  });
});
