import { useRef } from "react";

import type { Parameter } from "~/api/types.gen";
import { useTask } from "~/pages/task/context";
import * as codec from "~/state/codec";
import { useKeys } from "~/state/keys";
import { isSecret, MASK, masked, shownValue } from "~/state/secrets";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { HiddenText, HiddenValue } from "~/widgets/HiddenText";
import { CopyButton, Empty, Snippet } from "~/widgets/states";

const VIEW = { q: codec.text() };

function Section({ name, items, filter }: { name: string; items: Record<string, Parameter>; filter: string }) {
  const rows = Object.entries(items)
    .filter(([key, item]) =>
      `${name}/${key} ${shownValue(key, String(item.value ?? ""))}`.toLowerCase().includes(filter),
    )
    .sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
  if (rows.length === 0) return null;
  return (
    <div className="panel">
      <header>
        <h2 className="grow">{name}</h2>
        <span className="caption num">{rows.length}</span>
        <CopyButton
          label="Copy as JSON"
          text={JSON.stringify(
            Object.fromEntries(
              rows.map(([key, item]) => [
                key,
                typeof item.value === "string" ? shownValue(key, item.value) : isSecret(key) ? MASK : item.value,
              ]),
            ),
            null,
            2,
          )}
        />
      </header>
      <table className="plain">
        <tbody>
          {rows.map(([key, item]) => {
            const value = item.value === null || item.value === undefined ? "" : String(item.value);
            return (
              <tr key={key} className="param-row" title={[item.type, item.description].filter(Boolean).join(" · ")}>
                <td>{key}</td>
                <td>{value ? <HiddenValue name={key} value={value} /> : <span className="muted">empty</span>}</td>
                <td className="caption">{item.type === "legacy" ? "" : item.type}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export default function Configuration() {
  const task = useTask();
  const [view, setView] = useView(VIEW);
  const box = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => box.current?.focus() });
  const sections = Object.entries(task.hyperparams).sort(([a], [b]) => a.localeCompare(b));
  const objects = Object.entries(task.configuration).sort(([a], [b]) => a.localeCompare(b));
  const filter = view.q.trim().toLowerCase();
  if (sections.length === 0 && objects.length === 0) {
    return (
      <Empty title="No parameter is connected">
        <p>Connect the arguments or a dictionary, and they are kept, compared and can be changed in a clone:</p>
        <Snippet code={'params = {"lr": 1e-3, "batch": 64}\ntask.connect(params)'} />
      </Empty>
    );
  }
  return (
    <div className="scroll">
      <div className="page stack">
        <div className="row">
          <label className="search" style={{ width: 280 }}>
            <Icon name="search" size={14} />
            <input
              ref={box}
              className="input"
              placeholder="Name or value  ( / )"
              aria-label="Filter parameters"
              value={view.q}
              onChange={(event) => setView({ q: event.target.value })}
            />
          </label>
        </div>
        {sections.map(([name, items]) => (
          <Section key={name} name={name} items={items} filter={filter} />
        ))}
        {objects.map(([name, item]) => (
          <div className="panel" key={name}>
            <header>
              <h2 className="grow">{name}</h2>
              <span className="caption">{item.type}</span>
              <CopyButton text={masked(String(item.value ?? ""))} label="Copy" />
            </header>
            {item.description && <p className="body caption">{item.description}</p>}
            <pre className="code">
              <HiddenText text={String(item.value ?? "")} />
            </pre>
          </div>
        ))}
      </div>
    </div>
  );
}
