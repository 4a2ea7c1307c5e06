import { toast } from "~/state/toasts";

/**
 * Puts a text into the clipboard. Over plain HTTP from another machine the browser hands no clipboard to a page; there
 * the text is selected and copied as a person would.
 *
 * Returns whether it is copied; if not, the person is told.
 */
export async function copyText(text: string): Promise<boolean> {
  const copied = (await viaBrowser(text)) || bySelection(text);
  if (!copied)
    toast("The browser does not let this page copy. Select the text and copy it by hand.", undefined, "error");
  return copied;
}

async function viaBrowser(text: string): Promise<boolean> {
  // Absent outside of secure contexts, whatever the types say.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (!clipboard) return false;
  return clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

function bySelection(text: string): boolean {
  const focus = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  field.style.opacity = "0";
  // Outside of an open dialog nothing can be selected.
  const dialogs = document.querySelectorAll("dialog[open]");
  (dialogs[dialogs.length - 1] ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (focus instanceof HTMLElement) focus.focus();
  return copied;
}
