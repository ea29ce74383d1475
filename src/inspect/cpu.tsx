// src/inspect/cpu.tsx — registers, flags, and the instructions that come next.
import type { Remote } from "comlink";
import type { ReactNode } from "react";
import type { MachineControl, Registers } from "../../worker/protocol.ts";
import { hex } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { usePoll } from "./poll.ts";

const ask = (control: Remote<MachineControl>): Promise<Registers> => control.registers();

/** What a register is for in System V's convention and at a system call. */
const ROLES: Readonly<Record<string, string>> = {
  rax: "number and result of a call", rdi: "1st argument", rsi: "2nd argument", rdx: "3rd argument", rcx: "4th argument; return address in a system call", r10: "4th argument of a system call",
  r8: "5th argument", r9: "6th argument", rsp: "top of the stack", rbp: "frame, or free", rbx: "kept by the callee", r11: "scratch; the way to the kernel", r12: "kept by the callee",
  r13: "kept by the callee", r14: "kept by the callee", r15: "kept by the callee", rip: "next instruction",
};

export function CpuPanel({ session }: { readonly session: Session }): ReactNode {
  const { power, status } = useStore(session.state);
  const registers = usePoll(session, ask);
  if (registers === undefined) return <p className="empty">The machine is off.</p>;
  return (
    <div className="cpu">
      <p className="story">
        {registers.pid === undefined ? "No process is on the CPU." : `Registers of ${registers.comm} (pid ${registers.pid}).`} {status?.idle === true ? "All processes sleep; it ran last." : ""}
        {power === "running" ? " Pause to read them at leisure." : ""}
      </p>
      <div className="row">
        {power === "paused" ? (
          <button type="button" onClick={() => session.resume()}>
            Resume
          </button>
        ) : (
          <button type="button" disabled={power !== "running"} onClick={() => session.pause()}>
            Pause
          </button>
        )}
      </div>
      <dl className="registers">
        {registers.values.map(([name, value]) => (
          <div key={name} title={ROLES[name]}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div title="Status flags that are set">
          <dt>flags</dt>
          <dd>{registers.flags || "none"}</dd>
        </div>
      </dl>
      <table className="code">
        <caption>From rip on</caption>
        <tbody>
          {registers.code.map(([address, bytes, text], i) => (
            <tr key={address} aria-current={i === 0 ? "step" : undefined}>
              <td>{hex(address)}</td>
              <td className="bytes">{bytes}</td>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
