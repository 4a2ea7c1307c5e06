import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import type { DatasetVersion, PlotsReply } from "~/api/types.gen";
import { filePlace } from "~/state/files";
import { Media } from "~/widgets/Media";
import { groupPlots, PlotCard, type PlotEvent } from "~/charts/react/PlotCard";
import { Empty, ErrorPanel, Skeleton, Snippet } from "~/widgets/states";

interface Picture {
  metric: string;
  variant: string;
  url: string;
}

const grouped = (reply: PlotsReply) => groupPlots(reply.plots as unknown as PlotEvent[]);

function Sample({ href, why, alt }: { href: string | null; why: string; alt: string }) {
  const [broken, setBroken] = useState(false);
  if (href === null || broken) return <span className="muted">{href === null ? why : "it cannot be shown"}</span>;
  return <Media href={href} alt={alt} failed={() => setBroken(true)} />;
}

/** What the writer of the version chose to show: tables, figures, pictures. */
export function Previews({ version }: { version: DatasetVersion }) {
  const plots = useQuery({
    queryKey: ["plots", version.id, false],
    queryFn: ({ signal }) => call("events.get_task_plots", { task: version.id, iters: 1 }, signal),
    select: grouped,
  });
  const images = useQuery({
    queryKey: ["images", version.id, 1],
    queryFn: ({ signal }) => call("events.debug_images", { metrics: [{ task: version.id }], iters: 1 }, signal),
  });
  const pictures = (images.data?.metrics ?? []).flatMap((one) =>
    one.iterations.flatMap((i) => i.events),
  ) as unknown as Picture[];
  if (plots.isError)
    return (
      <div className="page">
        <ErrorPanel error={plots.error} retry={() => void plots.refetch()} />
      </div>
    );
  if (plots.isPending || images.isPending)
    return (
      <div className="page">
        <Skeleton height={240} />
      </div>
    );
  if (plots.data.length === 0 && pictures.length === 0) {
    return (
      <Empty title="Nothing was chosen to be shown">
        <p>The content can be looked into file by file. What stands for the whole is reported by its writer:</p>
        <Snippet
          code={
            'logger = dataset.get_logger()\nlogger.report_table("labels", "count", table_plot=dataframe)\nlogger.report_image("samples", "first", image=array)'
          }
        />
      </Empty>
    );
  }
  return (
    <div className="scroll">
      <div className="page stack">
        {pictures.length > 0 && (
          <div className="image-grid">
            {pictures.map((one) => {
              const { href, why } = filePlace(one.url);
              return (
                <figure
                  key={`${one.metric}\0${one.variant}`}
                  className="image-tile"
                  style={{ margin: 0, cursor: "default" }}
                >
                  <span className="frame">
                    <Sample href={href} why={why} alt={`${one.metric} ${one.variant}`} />
                  </span>
                  <figcaption className="foot">
                    <span className="cut">
                      {one.metric} / {one.variant}
                    </span>
                  </figcaption>
                </figure>
              );
            })}
          </div>
        )}
        <div className="plot-grid">
          {plots.data.map((one) => (
            <PlotCard key={`${one.metric}\0${one.variant}`} series={one} />
          ))}
        </div>
      </div>
    </div>
  );
}
