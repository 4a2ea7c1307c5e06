import { Component, type ReactNode } from "react";

import { ErrorPanel } from "~/widgets/states";

/** Keeps a failing part from taking the page with it; it can be tried again in its place. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <div className="page">
        <ErrorPanel error={this.state.error} retry={() => this.setState({ error: null })} />
      </div>
    );
  }
}
