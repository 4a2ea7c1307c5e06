import { Dialog } from "~/widgets/Dialog";

const KEYS: [string, string][] = [
  ["Ctrl K", "go to a project, task or dataset"],
  ["/", "search in this page"],
  ["g", "then h home, p projects, t all tasks, m models, d datasets, s settings"],
  ["j  k", "table: next, previous row"],
  ["x", "table: select the row"],
  ["Enter", "table: open the row"],
  ["Shift ←  →", "table: width of the column whose head has the focus"],
  ["1 … 8", "task, dataset: switch the tab"],
  ["l", "scalars: logarithmic axis"],
  ["m  n", "scalars: smoothing up, down"],
  ["←  →", "images: iteration back, forward"],
  ["Esc", "close the top layer"],
  ["?", "this sheet"],
];

export function KeySheet({ close }: { close: () => void }) {
  return (
    <Dialog title="Keys" close={close}>
      <div className="keys">
        {KEYS.map(([key, what]) => (
          <div key={key} style={{ display: "contents" }}>
            <span>
              <kbd className="kbd">{key}</kbd>
            </span>
            <span>{what}</span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
