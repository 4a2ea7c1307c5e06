// @vitest-environment happy-dom
import "./support/layout";

import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { RpcError } from "~/api/rpc";
import { NewProject } from "~/pages/projects/NewProject";
import { Keys } from "~/pages/settings/Keys";
import { Toasts } from "~/widgets/states";

import { Server, show } from "./support/served";

let keys: { access_key: string; label: string; role: string }[];
let refuse: boolean;
let server: Server;
const refused = () => {
  if (refuse) throw new RpcError("", 400, 0, "the server says no", "");
};

beforeEach(() => {
  keys = [];
  refuse = false;
  server = new Server({
    "auth.get_credentials": () => ({ credentials: keys, additional_credentials: [] }),
    "auth.create_credentials": ({ label, role }) => {
      refused();
      keys = [...keys, { access_key: `KEY${keys.length}`, label: label as string, role: role as string }];
      return { credentials: { access_key: `KEY${keys.length - 1}`, secret_key: `SECRET${keys.length - 1}` } };
    },
    "auth.revoke_credentials": ({ access_key }) => {
      refused();
      keys = keys.filter((key) => key.access_key !== access_key);
      return { revoked: 1 };
    },
    "server.info": () => ({}),
    "projects.create": () => {
      refused();
      return { id: "p" };
    },
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const told = () => [...document.querySelectorAll(".toast .grow")].map((one) => one.textContent);

describe("access keys", () => {
  const Page = () => (
    <>
      <Keys />
      <Toasts />
    </>
  );

  it("are made with a label, their secret is shown once, and the list follows", async () => {
    show(Page, "/x", "/x");
    fireEvent.change(await screen.findByLabelText("Label"), { target: { value: " the lab " } });
    fireEvent.click(screen.getByText("Create a key"));
    await screen.findByText(/SECRET0/);
    expect((screen.getByLabelText("Label") as HTMLInputElement).value).toBe("");
    expect(server.asks("auth.create_credentials")).toEqual([{ label: "the lab", role: "user" }]);
    await waitFor(() => expect(screen.getByLabelText("Access keys").textContent).toContain("KEY0"));
    fireEvent.click(screen.getByText("Create a key"));
    await screen.findByText(/SECRET1/);
    expect(screen.queryByText(/SECRET0/)).toBe(null);
  });

  it("that are refused are told, and what was typed stays", async () => {
    refuse = true;
    show(Page, "/x", "/x");
    fireEvent.change(await screen.findByLabelText("Label"), { target: { value: "lab" } });
    fireEvent.click(screen.getByText("Create a key"));
    await waitFor(() => expect(told()).toContain("the server says no"));
    expect((screen.getByLabelText("Label") as HTMLInputElement).value).toBe("lab");
  });
});

describe("a new project", () => {
  it("needs a name; a refusal is told and the dialog stays", async () => {
    const close = vi.fn();
    refuse = true;
    show(
      () => (
        <>
          <NewProject close={close} />
          <Toasts />
        </>
      ),
      "/x",
      "/x",
    );
    const name = await screen.findByLabelText("Name");
    const create = screen.getByRole("button", { name: "Create" }) as HTMLButtonElement;
    fireEvent.change(name, { target: { value: "  " } });
    expect(create.disabled).toBe(true);
    fireEvent.change(name, { target: { value: " a/b " } });
    fireEvent.click(create);
    await waitFor(() => expect(told()).toContain("the server says no"));
    expect(close).not.toHaveBeenCalled();
    refuse = false;
    await waitFor(() => expect(create.disabled).toBe(false));
    fireEvent.click(create);
    await waitFor(() => expect(close).toHaveBeenCalledOnce());
    expect(server.asks("projects.create").at(-1)).toEqual({ name: "a/b", description: "" });
  });
});
