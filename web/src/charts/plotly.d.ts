interface PlotlyBundle {
  react: (root: HTMLElement, data: unknown[], layout: unknown, config: unknown) => Promise<unknown>;
  purge: (root: HTMLElement) => void;
  downloadImage: (
    root: HTMLElement,
    options: { format: "png" | "svg"; filename: string; width: number; height: number },
  ) => Promise<unknown>;
}

declare module "plotly.js-cartesian-dist-min" {
  const bundle: PlotlyBundle;
  export default bundle;
}

declare module "plotly.js-gl3d-dist-min" {
  const bundle: PlotlyBundle;
  export default bundle;
}
