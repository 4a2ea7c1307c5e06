const VIDEO = /\.(mp4|webm|mov|m4v)$/i;
const AUDIO = /\.(wav|mp3|ogg|flac|m4a)$/i;
const PAGE = /\.(html?|json)$/i;

/** Whether an address is that of a picture, not of a film, a sound or a text. */
export function isPicture(href: string): boolean {
  return ![VIDEO, AUDIO, PAGE].some((kind) => kind.test(href));
}

interface MediaProps {
  href: string;
  alt: string;
  small?: boolean;
  failed: () => void;
  sized?: (width: number) => void;
}

/** A stored picture, film, sound, page or JSON text. */
export function Media({ href, alt, small, failed, sized }: MediaProps) {
  const path = href.split("?")[0] ?? href;
  if (VIDEO.test(path))
    return <video src={href} controls muted style={{ maxWidth: "100%", maxHeight: "100%" }} onError={failed} />;
  if (AUDIO.test(path)) return <audio src={href} controls style={{ width: "92%" }} onError={failed} />;
  // No permission at all: a page from a task may neither run scripts nor act as the viewer.
  if (PAGE.test(path))
    return <iframe src={href} sandbox="" title={alt} style={{ border: 0, width: "100%", height: "100%" }} />;
  return (
    <img
      src={href}
      alt={alt}
      loading="lazy"
      decoding="async"
      className={small ? "small" : undefined}
      onError={failed}
      onLoad={(event) => sized?.(event.currentTarget.naturalWidth)}
    />
  );
}
