// src/inspect/modes.tsx — the ways to catch a system call compared, and experiments that show where this one ends.
import type { ReactNode } from "react";
import { count } from "../format.ts";
import { sentence, type Session } from "../session.ts";
import { useStore } from "../store.ts";
import { openLesson } from "../ui.ts";
import { elf, LOOKALIKE, PAST } from "./tiny.ts";
import { Head, numbers } from "../head.tsx";
import { slide } from "./trampoline.ts";

interface Mode {
  readonly name: string;
  readonly words: readonly string[];
  readonly how: string;
  readonly cost: string;
  /** one getpid on hardware, as published (docs/benchmarks.md) */
  readonly published: string;
}
const { nops, jumps } = slide(39);
const MODES: readonly Mode[] = [
  { name: "zpoline=1", words: [], how: "execve rewrites each syscall to call *%rax, and page 0 leads into the kernel", cost: `${nops + jumps + 6} instructions for getpid, ${nops} of them nops`, published: "101 ns" },
  { name: "zpoline=lazy", words: ["zpoline=lazy"], how: "no search at execve; a syscall traps the first time, and is rewritten then", cost: "one trap for each site, then as above", published: "–" },
  { name: "zpoline=0", words: ["zpoline=0"], how: "nothing is rewritten, each syscall traps (as with seccomp and SIGSYS)", cost: "one exception for each call", published: "2,599 ns" },
  { name: "um=ptrace", words: ["um=ptrace"], how: "as User Mode Linux with an MMU does it, by another thread that stops the program at each call", cost: "two handovers between workers for each call", published: "31,579 ns" },
];

/** The line with another hook mode. */
export function withMode(line: string, words: readonly string[]): string {
  const [kernel = "", init] = line.split(/ -- (.*)/s);
  const kept = kernel.split(/\s+/).filter((w) => w !== "" && !/^(zpoline|um)=/.test(w));
  return [...kept, ...words].join(" ") + (init === undefined ? "" : ` -- ${init}`);
}

interface Experiment {
  readonly title: string;
  readonly command: string;
  readonly words: string;
  /** a lesson that goes into it, and a step of it */
  readonly lesson: readonly [id: string, step: number];
  /** a program that the guest does not have: its code */
  readonly code?: readonly number[];
}
/** Runs a program that was handed to the guest. */
const handed = (name: string): string => `cp /mnt/host/${name} /tmp; chmod +x /tmp/${name}; /tmp/${name}`;

const WHAT_IF: readonly Experiment[] = [
  { title: "calls a NULL pointer", command: "nommu-demo null-call", words: "Address 0 is a nop like the others: the call slides into the kernel, and does whatever rax names.", lesson: ["null", 0] },
  { title: "calls number 600", command: handed("past-the-sled"), code: PAST, words: "There is no such call, and behind the way in page 0 is empty: it faults at address 0x258.", lesson: ["sled", 0] },
  { title: "reads and writes page 0", command: "nommu-demo page0", words: "Only execution is allowed there, so a NULL pointer still faults when it is read.", lesson: ["null", 1] },
  { title: "has 0f 05 in a number", command: handed("lookalike"), code: LOOKALIKE, words: "Code is decoded, instruction by instruction: bytes within another one are left alone, and its sum is right.", lesson: ["left", 3] },
  { title: "loads a library", command: "nommu-demo library", words: "Its syscall came after execve and was not translated: it traps, and is counted under “trapped”. A library that is loaded first (LD_PRELOAD) could translate the others.", lesson: ["left", 0] },
  { title: "calls fork()", command: "nommu-demo fork", words: "Refused: the copy’s pointers would be the parent’s addresses, and those are taken. vfork lends them instead.", lesson: ["vfork", 0] },
  { title: "wants MAP_FIXED", command: "nommu-demo map-fixed", words: "Refused: that address may be somebody else’s.", lesson: ["memory", 0] },
  { title: "has a fixed address", command: "nommu-demo pie", words: "Refused: only what can live anywhere can be loaded.", lesson: ["pie", 1] },
];

async function run(session: Session, { command, code }: Experiment): Promise<void> {
  if (code !== undefined) await session.ask("giveFile", command.slice(command.lastIndexOf("/") + 1), elf(code));
  session.type(`${command}\n`);
}

export function Modes({ session }: { readonly session: Session }): ReactNode {
  const { cmdline, power, isolated, running } = useStore(session.state);
  const { status } = useStore(session.figures);
  const words = (running?.line ?? cmdline).split(/ -- /)[0]!.split(/\s+/);
  const current = MODES.find((m) => m.words.length > 0 && m.words.every((w) => words.includes(w))) ?? MODES[0]!;
  const calls = status?.calls ?? 0;
  const trapped = status?.trapped ?? 0;
  return (
    <>
      <section aria-label="Ways to catch a system call">
        <h3>Four ways to catch a call</h3>
        <table>
          <Head columns={["parameter", "what happens, and what it costs here", numbers("on hardware"), { name: "action", hidden: true }]} />
          <tbody>
            {MODES.map((m) => (
              <tr key={m.name} aria-current={m === current ? "true" : undefined}>
                <td>
                  <code>{m.name}</code>
                </td>
                <td>
                  {m.how}: <em>{m.cost}</em>
                </td>
                <td className="number">{m.published}</td>
                <td>
                  {m === current ? (
                    <b>{running === undefined ? "chosen" : "this machine"}</b>
                  ) : (
                    <button
                      type="button"
                      disabled={m.name === "um=ptrace" && !isolated}
                      title={m.name === "um=ptrace" && !isolated ? "It needs memory that two workers share: this page is not isolated" : "Starts the machine anew"}
                      onClick={() => {
                        session.setCommandLine(withMode(cmdline, m.words));
                        void session.restart();
                      }}
                    >
                      Boot with it
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className="sum">
          The times are published ones, for one <code>getpid</code> on real hardware. Since power-on: <b>{count(calls)}</b> calls through page 0, <b>{count(trapped)}</b> trapped.
        </p>
      </section>
      <section aria-label="What if">
        <h3>What if a program …</h3>
        <ul className="whatif">
          {WHAT_IF.map((e) => (
            <li key={e.title}>
              <button type="button" className="chip" disabled={power !== "running"} title={e.command} onClick={() => void run(session, e).catch((why: unknown) => session.complain(sentence(why)))}>
                {e.title}
              </button>
              <span>
                {e.words}{" "}
                <button type="button" className="link" aria-label={`Lesson: a program ${e.title}`} onClick={() => openLesson({ id: e.lesson[0], step: e.lesson[1] })}>
                  lesson
                </button>
              </span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
