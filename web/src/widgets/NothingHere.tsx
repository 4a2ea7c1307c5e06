import type { ReactNode } from "react";

import { Empty } from "~/widgets/states";

interface Props {
  noun: string;
  filtered: boolean;
  clear: () => void;
  /** How the first one is made. */
  children: ReactNode;
}

/** An empty list: because of its filters, which can be cleared, or because there is nothing yet. */
export function NothingHere({ noun, filtered, clear, children }: Props) {
  if (!filtered) return <Empty title={`No ${noun} yet`}>{children}</Empty>;
  return (
    <Empty title={`No ${noun} passes the filters`}>
      <button type="button" className="button" onClick={clear}>
        Clear filters
      </button>
    </Empty>
  );
}
