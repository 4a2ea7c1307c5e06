/** Whether a stored address can be opened by this page, and how. */
export interface FilePlace {
  /** Address on this server, when the file lies on it. */
  href: string | null;
  /** Why it cannot be opened here. */
  why: string;
}

/**
 * Files are fetched through this server with the page's session. The stored address names the server as the training
 * machine saw it, so only the path counts; addresses of other stores are shown, not followed.
 */
export function filePlace(uri: string | null | undefined): FilePlace {
  if (!uri) return { href: null, why: "no address was recorded" };
  if (uri.startsWith("data:image/")) return { href: uri, why: "" };
  if (/^(file:|\/)/.test(uri)) return { href: null, why: "it lies on the machine that wrote it" };
  if (!/^https?:/.test(uri)) return { href: null, why: `it lies in ${uri.split(":")[0] ?? "another"} storage` };
  let url: URL;
  try {
    url = new URL(uri);
  } catch {
    return { href: null, why: "its address is malformed" };
  }
  const at = url.pathname.indexOf("/files/");
  if (at < 0) return { href: null, why: `it lies on ${url.host}` };
  return { href: url.pathname.slice(at), why: "" };
}

export function downloadHref(href: string): string {
  return href.startsWith("data:") ? href : `${href}?download=1`;
}
