import { describe, expect, it } from "vitest";

import type { ServerInfo } from "~/api/types.gen";
import { handedOut } from "~/pages/settings/NewKey";

const server = (address: string, listens: string) => ({ address, listens }) as ServerInfo;
const page = (hostname: string) => ({ hostname, origin: `http://${hostname}:8008` });

describe("the address that is handed out with a key", () => {
  it("is the one that the server was given, wherever the page is", () => {
    expect(handedOut(server("https://books.example", "http://10.0.0.7:8008"), page("127.0.0.1"))).toBe(
      "https://books.example",
    );
  });

  it.each(["localhost", "127.0.0.1", "127.4.5.6", "[::1]"])("is where the server listens for a page at %s", (here) => {
    expect(handedOut(server("", "http://10.0.0.7:8008"), page(here))).toBe("http://10.0.0.7:8008");
  });

  it.each(["books.example", "10.0.0.7", "127.0.0.1.example"])(
    "is that of a page at %s, which others reach as well",
    (there) => {
      expect(handedOut(server("", "http://10.0.0.9:1"), page(there))).toBe(`http://${there}:8008`);
      expect(handedOut(undefined, page(there))).toBe(`http://${there}:8008`);
    },
  );
});
