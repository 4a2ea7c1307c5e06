/**
 * What is cut (`.cut` in `theme/base.css`) shows the whole as a tip when the pointer comes to it, wherever it is, unless
 * it, or what it lies in, has a tip that says more.
 */
export function watchCutTexts(): void {
  document.addEventListener("pointerover", ({ target }) => {
    const text = target instanceof Element ? target.closest<HTMLElement>(".cut") : null;
    if (!text) return;
    if ("tip" in text.dataset) {
      text.removeAttribute("title");
      delete text.dataset["tip"];
    }
    if (text.scrollWidth <= text.clientWidth || text.closest("[title]")) return;
    text.title = text.textContent ?? "";
    text.dataset["tip"] = "";
  });
}
