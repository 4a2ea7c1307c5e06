/*
 * Plotly draws a little markup in its texts and drops every other tag without a word. A figure may come from anyone: a
 * token that is called `<s>` has to be read on its axis, links have to go, and formatting stays only where it is one.
 */
const FORMS = ["b", "i", "em", "strong", "sub", "sup", "u"];
const CARRIERS = ["a", "span"];
const TAG = /<(\/?)([a-z]+)(\s[^<>]*)?\/?>|</gi;
const ENTITIES: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** Tags that are opened and closed in this text; one alone is a word. */
function paired(text: string): Set<string> {
  const has = (form: string) =>
    text.search(new RegExp(`<${form}\\s*>`, "i")) >= 0 && text.search(new RegExp(`</${form}\\s*>`, "i")) >= 0;
  return new Set(FORMS.filter(has));
}

function carries(text: string, name: string): boolean {
  return CARRIERS.includes(name) && new RegExp(`<${name}\\s[^<>]*>`, "i").test(text);
}

/** A text of a figure for Plotly; `extra`: the box beside a hover label may be said. */
export function drawnText(text: string, extra = false): string {
  if (!text.includes("<")) return text;
  const forms = paired(text);
  return text.replace(
    TAG,
    (all: string, close: string | undefined, tag: string | undefined, more: string | undefined) => {
      const name = (tag ?? "").toLowerCase();
      if (name === "br") return "<br>";
      if (forms.has(name) && !more?.trim()) return `<${close ?? ""}${name === "strong" ? "b" : name}>`;
      if (extra && name === "extra") return all;
      return carries(text, name) ? "" : all.replace("<", "&lt;").replace(">", "&gt;");
    },
  );
}

/** The same as the words that are read: for what Plotly does not draw. */
export function plainText(text: string): string {
  const forms = paired(text);
  const bare = text.replace(
    TAG,
    (all: string, _close: string | undefined, tag: string | undefined, more: string | undefined) => {
      const name = (tag ?? "").toLowerCase();
      if (name === "br") return " ";
      return (forms.has(name) && !more?.trim()) || carries(text, name) ? "" : all;
    },
  );
  return bare.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
