import { Outlet } from "@tanstack/react-router";

/** The frame around what is embedded in other pages: none that is seen. */
export function Bare() {
  return (
    <main className="bare">
      <h1 className="hidden-text">Trialbook chart</h1>
      <Outlet />
    </main>
  );
}
