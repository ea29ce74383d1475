// src/inspect/breakpoints.tsx — where the machine is to stop: calls, addresses, writes, starts of processes, faults.
import { type ReactNode, useState } from "react";
import type { Breakpoint } from "../../worker/protocol/inspect.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";

const KINDS: readonly (readonly [kind: Breakpoint["kind"], title: string, placeholder: string])[] = [
  ["call", "a system call", "openat, or getpid by getpid"],
  ["start", "a process starts", "name, or nothing for any"],
  ["address", "an address is reached", "hexadecimal, or rip+10"],
  ["write", "bytes at an address change", "hexadecimal, or rsp"],
  ["fault", "an instruction faults", ""],
];
/** bytes that a write breakpoint watches */
const WATCHED = 8;

export function inWords(b: Breakpoint): string {
  switch (b.kind) {
    case "call":
      return `${b.by ?? "anybody"} calls ${b.name}`;
    case "start":
      return b.comm === "" ? "any process starts" : `${b.comm} starts`;
    case "address":
      return `0x${b.address.toString(16)} is reached`;
    case "write":
      return `one of ${b.length} bytes at 0x${b.address.toString(16)} changes`;
    case "fault":
      return "an instruction faults";
  }
}

export function Breakpoints({ session }: { readonly session: Session }): ReactNode {
  const { breakpoints } = useStore(session.state);
  const [kind, setKind] = useState<Breakpoint["kind"]>("call");
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const make = async (): Promise<Breakpoint> => {
    const t = text.trim();
    if (kind === "fault") return { kind };
    if (kind === "start") return { kind, comm: t };
    if (kind === "call") {
      const [name = "", by] = t.split(/\s+by\s+|\s+/);
      const names = await session.ask("callNames");
      if (!names.includes(name)) throw new Error(name === "" ? "Write the name of a system call, for example openat." : `There is no system call “${name}”.`);
      return by === undefined ? { kind, name } : { kind, name, by };
    }
    const address = await session.ask("address", t);
    return kind === "address" ? { kind, address } : { kind, address, length: WATCHED };
  };
  const add = (): void => {
    make().then(
      (b) => {
        session.setBreakpoints([...breakpoints, b]);
        setText("");
        setProblem(undefined);
      },
      (e: unknown) => setProblem(e instanceof Error ? e.message : String(e)),
    );
  };
  const slow = breakpoints.some((b) => b.kind === "address" || b.kind === "write" || b.kind === "fault");
  return (
    <section aria-label="Breakpoints">
      <h3>Stop when …</h3>
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          add();
        }}
      >
        <select aria-label="Stop when" value={kind} onChange={(e) => setKind(e.target.value as Breakpoint["kind"])}>
          {KINDS.map(([k, title]) => (
            <option key={k} value={k}>
              {title}
            </option>
          ))}
        </select>
        {kind !== "fault" && <input type="text" aria-label="Which" spellCheck={false} autoCapitalize="off" placeholder={KINDS.find(([k]) => k === kind)?.[2]} value={text} onChange={(e) => setText(e.target.value)} />}
        <button type="submit">Add</button>
      </form>
      {problem !== undefined && (
        <p className="complaint" role="alert">
          {problem}
        </p>
      )}
      <ul className="list">
        {breakpoints.map((b, i) => (
          <li key={`${b.kind} ${inWords(b)}`}>
            {inWords(b)}{" "}
            <button type="button" className="link" aria-label={`Remove: ${inWords(b)}`} onClick={() => session.setBreakpoints(breakpoints.filter((_, j) => j !== i))}>
              remove
            </button>
          </li>
        ))}
      </ul>
      {slow && <p className="story">With a breakpoint on an address, a write or a fault the machine runs one instruction at a time: it is slower, and does the same.</p>}
    </section>
  );
}
