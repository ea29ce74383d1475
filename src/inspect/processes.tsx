// src/inspect/processes.tsx — the tree of processes: who waits for whom, and what each has open.
import { type ReactNode, useState } from "react";
import type { ProcessRow } from "../../worker/protocol/inspect.ts";
import { count, size } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { openPanel, showMemory, ui } from "../ui.ts";
import { Absent } from "./absent.tsx";
import { colour, share } from "./owners.ts";
import { Head, numbers } from "../head.tsx";
import { usePoll } from "./poll.ts";

const ask = (s: Session): Promise<ProcessRow[]> => s.ask("processes");

const WORDS: Readonly<Record<string, string>> = { R: "running", S: "sleeping", D: "waiting for the disk", T: "stopped", t: "traced", Z: "dead, not collected", X: "dead" };

/** Rows in the order of a tree, with their depth. */
export function tree(rows: readonly ProcessRow[]): (readonly [depth: number, row: ProcessRow])[] {
  const children = new Map<number, ProcessRow[]>();
  const pids = new Set(rows.map((r) => r.pid));
  for (const r of rows) {
    const parent = pids.has(r.ppid) ? r.ppid : 0;
    children.set(parent, [...(children.get(parent) ?? []), r]);
  }
  const out: (readonly [number, ProcessRow])[] = [];
  const walk = (parent: number, depth: number): void => {
    for (const r of children.get(parent) ?? []) {
      out.push([depth, r]);
      if (r.pid !== 0) walk(r.pid, depth + 1);
    }
  };
  walk(0, 0);
  return out;
}

function Details({ row, session }: { readonly row: ProcessRow; readonly session: Session }): ReactNode {
  const where = (kind: string): void => {
    session.ask("address", `pid:${row.pid}.${kind}`).then(showMemory, () => undefined);
  };
  return (
    <div className="details">
      <p>
        <code>{row.args === "" ? row.comm : row.args}</code>
      </p>
      <div className="row">
        <button type="button" aria-pressed={ui.get().focus === row.pid} onClick={() => ui.set({ focus: ui.get().focus === row.pid ? undefined : row.pid })}>
          {ui.get().focus === row.pid ? "Look at all again" : "Look at this one only"}
        </button>
        <button
          type="button"
          onClick={() => {
            ui.set({ focus: row.pid });
            openPanel("calls");
          }}
        >
          Its calls
        </button>
        {row.memory > 0 && (
          <button type="button" onClick={() => where("stack")}>
            Its stack
          </button>
        )}
        {row.memory > 0 && (
          <button type="button" onClick={() => where("text")}>
            Its code
          </button>
        )}
      </div>
      {row.files.length > 0 && (
        <table>
          <caption>Open files</caption>
          <tbody>
            {row.files.map(([fd, what]) => (
              <tr key={fd}>
                <td className="number">{fd}</td>
                <td>{what}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

export function ProcessesPanel({ session }: { readonly session: Session }): ReactNode {
  const rows = usePoll(session, ask);
  const { focus } = useStore(ui);
  const [open, setOpen] = useState<number>();
  if (rows !== undefined) share(rows.filter((r) => r.memory > 0).map((r) => r.pid));
  const total = rows?.reduce((n, r) => n + r.instructions, 0) ?? 0;
  return (
    <div>
      <p className="story">All of them live in one address space. So <code>fork</code> is refused: a copy would need the same addresses, and those are taken. A child borrows its parent’s memory instead (<code>vfork</code>), and the parent waits until it has exec’d.</p>
      {rows === undefined ? (
        <Absent session={session} />
      ) : (
        <table className="processes">
          <Head columns={[numbers("pid"), "name", "state", numbers("mapped"), numbers("instructions")]} />
          <tbody>
            {tree(rows).flatMap(([depth, r]) => [
              <tr key={r.pid} aria-current={r.pid === focus ? "true" : undefined} className={r.vfork === undefined ? "" : "parked"}>
                <td className="number">{r.pid}</td>
                <td style={{ paddingInlineStart: `${0.5 + depth}em` }}>
                  <button type="button" className="link" aria-expanded={open === r.pid} onClick={() => setOpen(open === r.pid ? undefined : r.pid)}>
                    <span className="swatch" style={{ background: r.memory > 0 ? colour(r.pid) : "transparent" }} aria-hidden="true" /> {r.comm}
                  </button>
                </td>
                <td>
                  {r.vfork === undefined ? (WORDS[r.state] ?? r.state) : `parked: waits for its child ${r.vfork}`}
                  {r.call !== undefined && r.vfork === undefined ? ` in ${r.call}` : ""}
                </td>
                <td className="number">{size(r.memory)}</td>
                <td className="number">
                  {count(r.instructions)} <small>{total > 0 ? `${Math.round((100 * r.instructions) / total)} %` : ""}</small>
                </td>
              </tr>,
              open === r.pid && (
                <tr key={`${r.pid} details`}>
                  <td />
                  <td colSpan={4}>
                    <Details row={r} session={session} />
                  </td>
                </tr>
              ),
            ])}
          </tbody>
        </table>
      )}
    </div>
  );
}
