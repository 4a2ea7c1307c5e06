import type { ReactNode } from "react";

/** Sixteen-pixel line icons, drawn for this page. */
const SHAPES: Record<string, ReactNode> = {
  home: <path d="M2.5 7.5 8 2.8l5.5 4.7M4 6.6v6.6h8V6.6" />,
  folder: <path d="M1.8 4.2c0-.6.4-1 1-1h3.4l1.5 1.7h5.5c.6 0 1 .4 1 1v6c0 .6-.4 1-1 1H2.8c-.6 0-1-.4-1-1z" />,
  list: <path d="M5.5 4h8.2M5.5 8h8.2M5.5 12h8.2M2.2 4h.6M2.2 8h.6M2.2 12h.6" />,
  settings: (
    <>
      <circle cx="8" cy="8" r="2.1" />
      <path d="M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M12.4 3.6 11 5M5 11l-1.4 1.4" />
    </>
  ),
  search: <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  copy: <path d="M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2" />,
  check: <path d="m3 8.5 3.2 3.2L13 4.8" />,
  down: <path d="m4 6 4 4 4-4" />,
  right: <path d="m6 4 4 4-4 4" />,
  sun: (
    <>
      <circle cx="8" cy="8" r="3" />
      <path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9" />
    </>
  ),
  moon: <path d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />,
  system: <path d="M2 3h12v8H2zM6 13.5h4M8 11v2.5" />,
  more: <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.4" />,
  columns: <path d="M2 3h12v10H2zM6 3v10M10 3v10" />,
  download: <path d="M8 2.2v7.6M4.8 6.9 8 10l3.2-3.1M2.8 13.3h10.4" />,
  expand: <path d="M9.5 2.5h4v4M13.2 2.8 9 7M6.5 13.5h-4v-4M2.8 13.2 7 9" />,
  stop: <path d="M3.5 3.5h9v9h-9z" />,
  archive: <path d="M2 3h12v3H2zM3 6v7h10V6M6.5 8.7h3" />,
  trash: <path d="M2.8 4.3h10.4M6 4V2.6h4V4M4 4.3l.7 9.1h6.6l.7-9.1" />,
  clone: <path d="M5 5h8.5v8.5H5zM2.5 11V2.5H11" />,
  reset: <path d="M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3.2h3.2" />,
  lock: <path d="M3.5 7.3h9v6.2h-9zM5.3 7.3V5a2.7 2.7 0 0 1 5.4 0v2.3" />,
  tag: <path d="M2.2 2.2h5.2l6.4 6.4-5.2 5.2-6.4-6.4zM5.2 5.2h.01" />,
  link: (
    <path d="M6.7 9.3 9.3 6.7M7.3 4.6l1.6-1.6a2.9 2.9 0 0 1 4.1 4.1l-1.6 1.6M8.7 11.4l-1.6 1.6A2.9 2.9 0 0 1 3 8.9l1.6-1.6" />
  ),
  compare: <path d="M2 12.5 5.5 8l3 2.5L14 4M2 6l3-2 3.5 4L14 9.5" />,
  clock: (
    <>
      <circle cx="8" cy="8" r="5.7" />
      <path d="M8 4.7V8l2.2 1.6" />
    </>
  ),
  cross: <path d="m4.5 4.5 7 7M11.5 4.5l-7 7" />,
  ring: <path d="M8 2.3A5.7 5.7 0 1 1 2.3 8" />,
  dashed: <circle cx="8" cy="8" r="5.5" strokeDasharray="2.4 2.2" />,
  file: <path d="M3.8 1.8h5.4l3 3v9.4H3.8zM9 2v3h3" />,
  model: <path d="M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.7 5.1 8 8.2l5.3-3.1M8 8.2v5.8" />,
  dataset: (
    <>
      <ellipse cx="8" cy="3.9" rx="5.2" ry="2" />
      <path d="M2.8 3.9v8.2c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2V3.9M2.8 8c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2" />
    </>
  ),
  image: <path d="M2 3h12v10H2zM2.2 11.2 6 7.6l2.8 2.7 2-1.8 3 2.7M10.6 5.9h.01" />,
  edit: <path d="M2.8 13.2 3.4 10l7-7 2.6 2.6-7 7zM9 4.4 11.6 7" />,
  filter: <path d="M2 3h12L9.5 8.3v4.9l-3-1.5V8.3z" />,
  wrap: <path d="M2 4h12M2 8h9.5a2 2 0 0 1 0 4.2H8M9.6 10.5 8 12.2l1.6 1.6M2 12.2h3" />,
  help: <path d="M5.9 6.2a2.1 2.1 0 1 1 2.8 2c-.5.2-.7.5-.7 1v.5M8 12.3h.01" />,
};

export type IconName = keyof typeof SHAPES & string;

export function Icon({ name, size = 16 }: { name: string; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      style={{ flex: "none" }}
    >
      {SHAPES[name]}
    </svg>
  );
}
