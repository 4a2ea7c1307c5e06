// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";

import { maskedText } from "~/state/secretText";
import { EditableText } from "~/widgets/EditableText";
import { HiddenText, HiddenValue } from "~/widgets/HiddenText";

afterEach(cleanup);

describe("hidden texts", () => {
  it("S13: show a named value of a text when somebody asks, and hide it again", () => {
    const { container } = render(<HiddenText text={"db:\n  user: joe\n  password: swordfish"} />);
    expect(container.textContent).toContain("user: joe");
    expect(container.textContent).not.toContain("swordfish");
    fireEvent.click(screen.getByRole("button", { name: "Show secrets" }));
    expect(container.textContent).toContain("password: swordfish");
    fireEvent.click(screen.getByRole("button", { name: "Hide secrets" }));
    expect(container.textContent).not.toContain("swordfish");
  });

  it("S13: have no button where nothing is hidden", () => {
    const { container } = render(<HiddenText text="lr: 0.1" />);
    expect(container.textContent).toBe("lr: 0.1");
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("S13: of a comment are hidden until it is asked for or edited", () => {
    const comment = "Trained with https://joe:hunter22@example.com/data, Passwort: geheim12.";
    const { container } = render(
      <EditableText label="Comment" text={comment} method="tasks.edit" save={() => Promise.resolve()} />,
    );
    expect(container.textContent).toContain("Trained with https://joe:");
    expect(container.textContent).not.toMatch(/hunter22|geheim12/);
    fireEvent.click(screen.getByRole("button", { name: "Show secrets" }));
    expect(container.textContent).toContain(comment);
    fireEvent.click(screen.getByRole("button", { name: "Edit" }));
    expect(screen.getByLabelText<HTMLTextAreaElement>("Comment").value).toBe(comment);
  });

  it("S13: of source keep what is no value there", () => {
    const { container } = render(
      <HiddenText text={'def f(password: str): ...\ntoken = settings\napi_key = "a1b2c3"'} mask={maskedText} />,
    );
    expect(container.textContent).toContain("def f(password: str): ...\ntoken = settings\napi_key = ");
    expect(container.textContent).not.toContain("a1b2c3");
  });

  it("S13: are hidden by a name, or by their own form", () => {
    const { container } = render(
      <>
        <HiddenValue name="db_password" value="x" />
        <HiddenValue name="" value="-e DB_PASSWORD=hunter22 --ipc=host" />
        <HiddenValue name="lr" value="0.1" />
      </>,
    );
    expect(container.textContent).toMatch(/--ipc=host0\.1$/);
    expect(container.textContent).not.toMatch(/hunter22|x/);
  });
});
