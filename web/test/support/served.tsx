/* The page's parts in front of a server that the test plays: everything above `fetch` is the real thing. */

import { QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { act, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";

import { queryClient } from "~/api/client";
import { RpcError } from "~/api/rpc";
import { parseSearch, stringifySearch } from "~/state/codec";
import { setPlace } from "~/state/kept";

type Ask = Record<string, unknown>;
export type Methods = Record<string, (ask: Ask) => unknown>;

/** What was asked, and what the server says to those who listen. A handler that throws an `RpcError` refuses. */
export class Server {
  readonly asked: { method: string; ask: Ask }[] = [];
  private streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  private id = 0;

  constructor(private readonly methods: Methods) {
    vi.stubGlobal("fetch", (place: string, init: RequestInit) => this.answer(String(place), init));
  }

  private async answer(place: string, init: RequestInit): Promise<Response> {
    if (place === "/stream") {
      const body = new ReadableStream<Uint8Array>({ start: (stream) => void this.streams.push(stream) });
      init.signal?.addEventListener("abort", () => this.drop());
      return new Response(body);
    }
    const method = place.slice(1);
    const ask = JSON.parse(init.body as string) as Ask;
    this.asked.push({ method, ask });
    const handler = this.methods[method];
    if (!handler) throw new TypeError(`nobody answers ${method}`);
    let data: unknown;
    try {
      data = structuredClone(await handler(ask));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const meta = { result_code: error.code, result_subcode: error.subcode, result_msg: error.message };
      return Response.json({ meta, data: {} }, { status: error.code });
    }
    if (init.signal?.aborted) throw new DOMException("", "AbortError");
    return Response.json({ meta: { result_code: 200 }, data });
  }

  private drop(): void {
    this.streams = [];
  }

  /** The asks of one method, oldest first. */
  asks(method: string): Ask[] {
    return this.asked.filter((one) => one.method === method).map(({ ask }) => ask);
  }

  get connected(): boolean {
    return this.streams.length > 0;
  }

  async tell(topic: string, kind: string, ...keys: string[]): Promise<void> {
    this.id += 1;
    const text = `id: ${this.id}\nevent: change\ndata: ${JSON.stringify({ topic, kind, keys })}\n\n`;
    await act(async () => {
      for (const stream of this.streams) stream.enqueue(new TextEncoder().encode(text));
      await Promise.resolve();
    });
  }
}

let visits = 0;

/** Shows a component at an address, as the router does; a new visit, or again the last one ("back", a reload). */
export function show(Page: () => ReactNode, path: string, address: string, visit: "new" | "again" = "new") {
  queryClient.clear();
  if (visit === "new") visits += 1;
  setPlace(`${visits} ${address}`);
  const root = createRootRoute();
  const here = createRoute({ getParentRoute: () => root, path, component: Page });
  const elsewhere = createRoute({ getParentRoute: () => root, path: "$", component: () => null });
  const router = createRouter({
    routeTree: root.addChildren([here, elsewhere]),
    history: createMemoryHistory({ initialEntries: [address] }),
    parseSearch,
    stringifySearch,
  });
  const view = render(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return { ...view, router, address: () => router.history.location.href };
}
