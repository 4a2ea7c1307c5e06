// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import { watchCutTexts } from "~/state/cutTexts";

describe("W4: a text that is cut", () => {
  it("is whole in its tip, as it reads now, where nothing else is said", () => {
    watchCutTexts();
    const long = "n".repeat(200);
    document.body.innerHTML = `<div class="cut" id="a"><a id="link">${long}</a></div><b class="cut" id="b">short</b>
      <p title="more"><i class="cut" id="c">${long}</i></p>`;
    const [cut, whole, told] = ["a", "b", "c"].map((id) => document.getElementById(id) as HTMLElement) as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    for (const one of [cut, told]) Object.defineProperty(one, "scrollWidth", { value: 900, configurable: true });
    const hover = (id: string) =>
      document.getElementById(id)?.dispatchEvent(new Event("pointerover", { bubbles: true }));
    for (const id of ["link", "b", "c"]) hover(id);
    expect([cut.title, whole.title, told.title]).toEqual([long, "", ""]);
    (document.getElementById("link") as HTMLElement).textContent = `renamed ${long}`;
    hover("link");
    expect(cut.title).toBe(`renamed ${long}`);
    Object.defineProperty(cut, "scrollWidth", { value: 0 });
    hover("link");
    expect(cut.title).toBe("");
  });
});
