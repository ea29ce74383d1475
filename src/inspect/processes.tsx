// src/inspect/processes.tsx — the tree of processes.
import type { Remote } from "comlink";
import type { ReactNode } from "react";
import type { MachineControl, ProcessRow } from "../../worker/protocol.ts";
import { count, size } from "../format.ts";
import type { Session } from "../session.ts";
import { usePoll } from "./poll.ts";

const ask = (control: Remote<MachineControl>): Promise<ProcessRow[]> => control.processes();

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

export function ProcessesPanel({ session }: { readonly session: Session }): ReactNode {
  const rows = usePoll(session, ask);
  return (
    <div>
      <p className="story">All of them live in one address space. There is no fork here: a child borrows its parent's memory (vfork), and the parent waits until it has exec'd.</p>
      {rows === undefined ? (
        <p className="empty">The machine is off.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col" className="number">
                pid
              </th>
              <th scope="col">name</th>
              <th scope="col">state</th>
              <th scope="col" className="number">
                mapped
              </th>
              <th scope="col" className="number">
                instructions
              </th>
            </tr>
          </thead>
          <tbody>
            {tree(rows).map(([depth, r]) => (
              <tr key={r.pid}>
                <td className="number">{r.pid}</td>
                <td style={{ paddingInlineStart: `${0.5 + depth}em` }}>{r.comm}</td>
                <td>
                  {r.vfork ? "waiting for its child" : (WORDS[r.state] ?? r.state)}
                  {r.call !== undefined && !r.vfork ? ` in ${r.call}` : ""}
                </td>
                <td className="number">{size(r.memory)}</td>
                <td className="number">{count(r.instructions)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
