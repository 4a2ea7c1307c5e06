import { isSecret, MASK } from "~/state/secretNames";
import { maskedSettings } from "~/state/secretSettings";
import { maskedOutput } from "~/state/secretText";

export { isSecret, MASK };

/** A value as a screen or a file may show it: parameters are kept as they are, because another machine needs them. */
export function shownValue(name: string, value: string): string {
  return isSecret(name) && value !== "" ? MASK : masked(value);
}

/** Any text without its secrets: what the SDK masks, and the values of secret names in a file of settings. */
export function masked(text: string): string {
  return maskedSettings(maskedOutput(text));
}
