import { Icon } from "~/theme/icons";

interface Look {
  word: string;
  icon: string;
}

const LOOKS: Record<string, Look> = {
  created: { word: "draft", icon: "dashed" },
  queued: { word: "queued", icon: "clock" },
  in_progress: { word: "running", icon: "ring" },
  completed: { word: "completed", icon: "check" },
  failed: { word: "failed", icon: "cross" },
  stopped: { word: "aborted", icon: "stop" },
  closed: { word: "closed", icon: "stop" },
  published: { word: "published", icon: "lock" },
  publishing: { word: "publishing", icon: "lock" },
};

export const STATUSES = ["created", "queued", "in_progress", "completed", "failed", "stopped", "published"] as const;

export function statusWord(status: string): string {
  return LOOKS[status]?.word ?? status;
}

/** A status is an icon and a word, never a colour alone. */
export function Status({ status, title }: { status: string; title?: string }) {
  const look = LOOKS[status] ?? { word: status, icon: "help" };
  return (
    <span className="status" data-status={status} title={title || undefined}>
      <Icon name={look.icon} size={13} />
      {look.word}
    </span>
  );
}
