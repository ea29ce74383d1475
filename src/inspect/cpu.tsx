// src/inspect/cpu.tsx — registers, flags, the instructions that come next in plain words, the stack; steps and breakpoints.
import { type ReactNode, useState } from "react";
import type { Registers } from "../../worker/protocol/inspect.ts";
import { ActionButton } from "../button.tsx";
import { hex } from "../format.ts";
import type { Session } from "../session.ts";
import { usePart, useStore } from "../store.ts";
import { showMemory } from "../ui.ts";
import { Absent } from "./absent.tsx";
import { Breakpoints } from "./breakpoints.tsx";
import { usePoll } from "./poll.ts";
import { Regions } from "./regions.tsx";
import { Time } from "./time.tsx";
import { inWords } from "./words.ts";

const ask = (s: Session): Promise<Registers> => s.ask("registers");
const askNames = (s: Session): Promise<(string | undefined)[]> => s.ask("callNames");

/** What a register is for in System V's convention and at a system call. */
const ROLES: Readonly<Record<string, string>> = {
  rax: "number and result of a call", rdi: "1st argument", rsi: "2nd argument", rdx: "3rd argument", rcx: "4th argument; return address in a system call", r10: "4th argument of a system call",
  r8: "5th argument", r9: "6th argument", rsp: "top of the stack", rbp: "frame, or free", rbx: "kept by the callee", r11: "scratch; the way to the kernel", r12: "kept by the callee",
  r13: "kept by the callee", r14: "kept by the callee", r15: "kept by the callee", rip: "next instruction",
};
const FLAG_WORDS: Readonly<Record<string, string>> = { CF: "carry", PF: "even parity", AF: "carry out of four bits", ZF: "zero or equal", SF: "negative", DF: "strings go down", OF: "overflow" };

/** The values before the last change of them as a whole: what a step has changed. */
function useBefore(registers: Registers | undefined): ReadonlyMap<string, string> {
  const [now, setNow] = useState(registers);
  const [before, setBefore] = useState<ReadonlyMap<string, string>>(new Map());
  if (registers !== undefined && now !== registers) {
    setNow(registers);
    if (now !== undefined && now.values.some(([, v], i) => v !== registers.values[i]?.[1])) setBefore(new Map(now.values));
  }
  return before;
}

export function CpuPanel({ session }: { readonly session: Session }): ReactNode {
  const { power, stopped } = useStore(session.state);
  const live = usePart(session.figures, (f) => f.status?.live !== false);
  const idle = usePart(session.figures, (f) => f.status?.idle === true);
  const registers = usePoll(session, ask);
  const names = usePoll(session, askNames, 60_000);
  const before = useBefore(registers);
  const [role, setRole] = useState<string>();
  if (registers === undefined) return <Absent session={session} />;
  const paused = power === "paused";
  return (
    <div className="cpu">
      <div className="row">
        {paused ? (
          <ActionButton session={session} id="resume" className="primary">
            Run
          </ActionButton>
        ) : (
          <ActionButton session={session} id="pause">
            Pause
          </ActionButton>
        )}
        <ActionButton session={session} id="step">
          Step
        </ActionButton>
        <ActionButton session={session} id="over">
          Over
        </ActionButton>
        <ActionButton session={session} id="until call">
          Until a call
        </ActionButton>
        <ActionButton session={session} id="back">
          ⟲ Step
        </ActionButton>
        <ActionButton session={session} id="back call">
          ⟲ Call
        </ActionButton>
        {!live && (
          <ActionButton session={session} id="live" className="primary">
            To the present
          </ActionButton>
        )}
      </div>
      <p className="stopped" role="status">
        {stopped ?? (registers.pid === undefined ? "No process is on the CPU." : `Registers of ${registers.comm} (pid ${registers.pid}).${idle ? " All processes sleep; it ran last." : ""}${power === "running" ? " Pause to read them at leisure." : ""}`)}
      </p>
      <Time session={session} />
      <dl className="registers">
        {registers.values.map(([name, value]) => {
          const old = before.get(name);
          const changed = old !== undefined && old !== value;
          return (
            <div key={name} className={changed ? "changed" : ""} tabIndex={0} title={`${ROLES[name] ?? ""}${changed ? `; it was ${old}` : ""}`} onFocus={() => setRole(name)} onPointerEnter={() => setRole(name)}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          );
        })}
        <div>
          <dt>flags</dt>
          <dd>
            {registers.flags === ""
              ? "none"
              : registers.flags
                  .split(" ")
                  .map((f) => `${f} (${FLAG_WORDS[f] ?? ""})`)
                  .join(", ")}
          </dd>
        </div>
      </dl>
      <p className="explain short">
        {role === undefined ? "Changed registers are bold and underlined." : `${role}: ${ROLES[role] ?? ""}${before.get(role) !== undefined && before.get(role) !== registers.values.find(([n]) => n === role)?.[1] ? `; it was ${before.get(role)}` : ""}`}
      </p>
      <table className="code words">
        <caption>From rip on</caption>
        <tbody>
          {registers.code.map((l, i) => (
            <tr key={l.address} aria-current={i === 0 ? "step" : undefined}>
              <td>
                <button type="button" className="link" title="Show in memory" onClick={() => showMemory(l.address)}>
                  {hex(l.address)}
                </button>
              </td>
              <td className="bytes">{l.bytes}</td>
              <td>{l.text}</td>
              <td className="plain">{inWords(l.text, names)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table className="code">
        <caption>The stack, from rsp on</caption>
        <tbody>
          {registers.stack.map(([address, value, note], i) => (
            <tr key={address} aria-current={i === 0 ? "true" : undefined}>
              <td>
                <button type="button" className="link" title="Show in memory" onClick={() => showMemory(address)}>
                  {hex(address)}
                </button>
              </td>
              <td>{value}</td>
              <td className="plain">{note}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Breakpoints session={session} />
      <Regions session={session} />
    </div>
  );
}
