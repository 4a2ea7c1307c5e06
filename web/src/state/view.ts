import { useRouter, useRouterState } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

import type { Fields, RawSearch, ViewOf } from "~/state/codec";
import { decodeView, encodeView, parseSearch, stringifySearch } from "~/state/codec";

export type SetView<F extends Fields> = (change: Partial<ViewOf<F>>, how?: "push" | "replace") => void;

/** The part of the address that `fields` describe, and how to change it. The address is the only copy. */
export function useView<F extends Fields>(fields: F): [ViewOf<F>, SetView<F>] {
  const router = useRouter();
  const search = useRouterState({ select: (state) => state.location.searchStr });
  const view = useMemo(() => decodeView(fields, parseSearch(search)), [fields, search]);
  const set = useCallback<SetView<F>>(
    (change, how = "replace") => {
      const { pathname, search: now } = router.history.location;
      const raw: RawSearch = parseSearch(now);
      const next = encodeView(fields, { ...decodeView(fields, raw), ...change }, raw);
      const href = pathname + stringifySearch(next);
      if (href === pathname + now) return;
      if (how === "push") router.history.push(href);
      else router.history.replace(href);
    },
    [fields, router],
  );
  return [view, set];
}
