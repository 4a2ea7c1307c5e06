import { useEffect, useRef, useState } from "react";

import { type Figure, templateOf } from "~/charts/figure";
import { useTheme } from "~/state/preferences";
import { keepTrying } from "~/widgets/lazyPart";
import { ErrorPanel, Skeleton } from "~/widgets/states";

/** The bundle that draws this figure; three-dimensional traces have one of their own. */
export async function bundleFor(figure: Figure) {
  const module = figure.deep ? await import("plotly.js-gl3d-dist-min") : await import("plotly.js-cartesian-dist-min");
  return module.default;
}

interface Props {
  figure: Figure;
  onReady?: (save: (format: "png" | "svg", name: string) => void) => void;
}

const NEAR = "600px 0px";

/** Draws a figure while it is near the screen, and lets go of it when it is not. */
export function PlotlyHost({ figure, onReady }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const [near, setNear] = useState(false);
  const [drawn, setDrawn] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [away, setAway] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const box = root.current as HTMLDivElement;
    const watcher = new IntersectionObserver(([entry]) => setNear(entry?.isIntersecting ?? false), {
      rootMargin: NEAR,
    });
    watcher.observe(box);
    return () => watcher.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt is a new beginning.
  useEffect(() => {
    if (!near) return;
    let over = false;
    const box = root.current as HTMLDivElement;
    const canvas = box.firstElementChild as HTMLDivElement;
    let release = (): void => undefined;
    let bundle: Awaited<ReturnType<typeof bundleFor>> | null = null;
    const draw = async () => {
      const plotly = bundle;
      setAway(false);
      if (over || !plotly) return;
      const layout = { ...figure.layout, template: templateOf(theme), autosize: true, height: canvas.clientHeight };
      await plotly.react(canvas, figure.traces, layout, {
        displaylogo: false,
        responsive: true,
        displayModeBar: false,
      });
      release = () => plotly.purge(canvas);
      if (over) return release();
      setDrawn(true);
      onReady?.((format, filename) => {
        void plotly.downloadImage(canvas, {
          format,
          filename,
          width: box.clientWidth * 2,
          height: box.clientHeight * 2,
        });
      });
    };
    const load = () =>
      bundleFor(figure).then((found) => {
        bundle = found;
      });
    const leave = keepTrying(
      load,
      () => void draw().catch(setError),
      () => setAway(true),
    );
    return () => {
      over = true;
      leave();
      release();
      setDrawn(false);
    };
  }, [near, figure, theme, onReady, attempt]);
  return (
    <div className="plotly-host" ref={root} data-drawn={drawn}>
      <div className="plotly-canvas" />
      {away && <p className="state small">The server cannot be reached. The figure is drawn as soon as it answers.</p>}
      {!drawn && !away && error === null && <Skeleton height={220} />}
      {error !== null && (
        <ErrorPanel
          error={error}
          retry={() => {
            setError(null);
            setAttempt(attempt + 1);
          }}
        />
      )}
    </div>
  );
}
