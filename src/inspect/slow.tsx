// src/inspect/slow.tsx — one real call in slow motion: from the number in rax through the nops to the kernel and back.
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Trace, TraceStep } from "../../worker/protocol/inspect.ts";
import { hex } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { ui } from "../ui.ts";
import { GETPID } from "../try.ts";
import { JUMP_TO, KERNEL_VSYSCALL } from "./trampoline.ts";
import { inWords } from "./words.ts";

const PERIOD_MS = 200;
/** ms that a step is shown while it plays; nops go by quicker */
const STEP_MS = 900;
const NOP_MS = 25;

type Lane = "program" | "page 0" | "kernel";
const LANES: readonly Lane[] = ["program", "page 0", "kernel"];
export const laneOf = (s: TraceStep): Lane => (s.rip < KERNEL_VSYSCALL ? "page 0" : s.rip < KERNEL_VSYSCALL + 16 ? "kernel" : "program");

/** What step `i` does, told as a story. */
export function tell(t: Trace, i: number): string {
  const s = t.steps[i]!;
  const number = `${t.nr}`;
  if (i === t.back) return `Back in ${t.comm}, at the instruction after the call. rax holds the result: ${BigInt.asIntN(64, BigInt(`0x${s.rax}`))}. The stack is as it was.`;
  if (i === t.call && t.page0 >= 0) return `call *%rax: go to address ${number}, because that is what rax holds. The return address, 0x${(s.rip + 2).toString(16)}, goes onto the stack. In the file, these two bytes are a syscall.`;
  if (i === t.call) return `syscall: this one was not rewritten. The CPU stops, and the kernel is called by the exception.`;
  if (s.rip < KERNEL_VSYSCALL) {
    if (s.text === "nop") return i === t.page0 ? `Landed at address ${number}, in the middle of the nops. It does nothing, and goes one byte further.` : "nop: one byte further.";
    if (s.bytes.startsWith("eb")) return `A short jump over 127 bytes, to 0x${JUMP_TO.toString(16)}: small numbers need not slide over all of the nops.`;
    if (s.bytes.startsWith("49 bb")) return "The nops end. The address of the kernel's entry goes into r11, which a system call may change anyway.";
    if (s.text.startsWith("pop")) return "The return address comes off the stack and into rcx, just where the hardware's syscall would leave it. Now rsp is as the program had it.";
    if (s.text.startsWith("jmp")) return "Out of page 0, to __kernel_vsyscall.";
  }
  if (i === t.entry) return `__kernel_vsyscall. vmcall is the door: the kernel looks row ${number} up in its table, ${t.name}, does the work, and puts the result into rax.`;
  if (s.rip > KERNEL_VSYSCALL && s.rip < KERNEL_VSYSCALL + 16) return "The kernel is done. jmp *%rcx goes back to where the call came from.";
  const words = inWords(s.text);
  return words === "" ? "The program gets its arguments ready." : `${words.charAt(0).toUpperCase()}${words.slice(1)}${/mov.*,%eax$/.test(s.text) && i === t.call - 1 ? `: the number of ${t.name}` : ""}.`;
}

interface SlowProps {
  readonly session: Session;
  readonly trace: Trace | undefined;
  readonly at: number;
  readonly setTrace: (trace: Trace | undefined) => void;
  readonly setAt: (at: number) => void;
}

export function SlowMotion({ session, trace, at, setTrace, setAt }: SlowProps): ReactNode {
  const { power } = useStore(session.state);
  const { still } = useStore(ui);
  const [waiting, setWaiting] = useState(false);
  const [playing, setPlaying] = useState(false);
  /** the one that was shown last; a machine that was asked for another has forgotten it */
  const known = useRef(trace);
  const on = power === "running" || power === "paused";
  useEffect(() => {
    if (!on) return;
    let ended = false;
    // a chip or a lesson may have asked for a recording, too
    const look = async (): Promise<void> => {
      while (!ended) {
        const t = await session.ask("recorded").catch(() => undefined);
        if (t !== undefined && !ended && t.at !== known.current?.at) {
          known.current = t;
          setWaiting(false);
          setTrace(t);
          // where the number is put into rax: what comes before can be scrolled to
          setAt(Math.max(0, t.call - 1));
        }
        await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
      }
    };
    void look();
    return () => {
      ended = true;
    };
  }, [session, on, setTrace, setAt]);
  useEffect(() => {
    if (!playing || still || trace === undefined) return;
    const timer = setTimeout(() => (at >= trace.back ? setPlaying(false) : setAt(at + 1)), trace.steps[at]!.text === "nop" && at !== trace.page0 ? NOP_MS : STEP_MS);
    return () => clearTimeout(timer);
  }, [playing, still, at, trace, setAt]);
  const record = (nr: number | undefined, by?: string): void => {
    if (power === "paused") session.resume();
    const begun = nr !== undefined && by !== undefined ? session.run({ label: by, command: GETPID, record: { nr, by } }) : session.ask("record", nr, by);
    begun.then(
      () => {
        known.current = undefined;
        setWaiting(true);
      },
      () => undefined,
    );
  };
  const step = trace?.steps[at];
  const way = trace === undefined ? 0 : trace.back - trace.call;
  return (
    <section aria-label="One call in slow motion">
      <h3>One call in slow motion</h3>
      <div className="row">
        <button type="button" className={trace === undefined ? "primary" : ""} disabled={!on} onClick={() => record(39, "getpid")}>
          Run getpid and record it
        </button>
        <button type="button" disabled={!on} onClick={() => record(undefined)}>
          Record the next call
        </button>
        {waiting && <span className="hint">{power === "running" ? "Recording: it shows up when the call has come back." : ""}</span>}
      </div>
      {trace === undefined || step === undefined ? (
        <p className="story">Records a real call of a real program, instruction by instruction, and plays it as slowly as you like.</p>
      ) : (
        <>
          <div className="lanes" role="img" aria-label={`Step ${at + 1} of ${trace.steps.length}, in ${laneOf(step)}`}>
            {LANES.map((lane) => (
              <div key={lane} className={`lane ${lane === laneOf(step) ? "here" : ""}`}>
                <b>{lane === "program" ? trace.comm : lane}</b>
                <span className="track">
                  {trace.steps.map((s, i) => (
                    <i key={i} className={laneOf(s) === lane ? (i === at ? "on at" : "on") : ""} />
                  ))}
                </span>
              </div>
            ))}
          </div>
          <div className="row scrub">
            <button type="button" aria-label="One step back" disabled={at === 0} onClick={() => setAt(at - 1)}>
              ◀
            </button>
            <input type="range" aria-label="Step of the call" min={0} max={trace.back} value={at} aria-valuetext={`step ${at + 1}: ${step.text}`} onChange={(e) => setAt(Number(e.target.value))} />
            <button type="button" aria-label="One step further" disabled={at >= trace.back} onClick={() => setAt(at + 1)}>
              ▶
            </button>
            <button type="button" disabled={still} title={still ? "Movement is switched off: the arrows step through it" : undefined} onClick={() => {
                if (at >= trace.back) setAt(0);
                setPlaying(at >= trace.back || !playing);
              }}>
              {playing && !still ? "Stop" : "Play"}
            </button>
          </div>
          <p className="insn">
            <code>{hex(step.rip, 6)}</code> <code className="bytes">{step.bytes}</code> <code>{step.text}</code>
          </p>
          <p className="telling" role="status">
            {tell(trace, at)}
          </p>
          <dl className="registers small">
            {(["rax", "rcx", "r11"] as const).map((r) => (
              <div key={r} className={at > 0 && trace.steps[at - 1]![r] !== step[r] ? "changed" : ""}>
                <dt>{r}</dt>
                <dd>{step[r].replace(/^0+(?=.)/, "")}</dd>
              </div>
            ))}
            <div className={at > 0 && trace.steps[at - 1]!.rsp !== step.rsp ? "changed" : ""}>
              <dt>rsp</dt>
              <dd>
                {step.rsp.toString(16)} → {step.top.replace(/^0+(?=.)/, "")}
              </dd>
            </div>
          </dl>
          <p className="sum">
            {trace.page0 >= 0 ? (
              <>
                <b>{way}</b> instructions from the call to the instruction after it, <b>{trace.nops}</b> of them nops ({Math.round((100 * trace.nops) / way)} %). No exception, no other thread, no signal.
              </>
            ) : (
              <>It trapped: one instruction of the program, and an exception. On real hardware that would be a signal (SIGSYS), which costs microseconds.</>
            )}
          </p>
        </>
      )}
    </section>
  );
}
