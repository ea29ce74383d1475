// src/inspect/modes.tsx — the ways to catch a system call compared, and experiments that show where this one ends.
import type { ReactNode } from "react";
import { count } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { Head } from "../head.tsx";
import { slide } from "./trampoline.ts";

interface Mode {
  readonly name: string;
  readonly words: readonly string[];
  readonly how: string;
  readonly cost: string;
}
const { nops, jumps } = slide(39);
const MODES: readonly Mode[] = [
  { name: "zpoline=1", words: [], how: "execve rewrites each syscall to call *%rax; page 0 leads into the kernel", cost: `${nops + jumps + 6} instructions for getpid, ${nops} of them nops` },
  { name: "zpoline=lazy", words: ["zpoline=lazy"], how: "no search at execve: a syscall traps the first time, and is rewritten then", cost: "one trap for each site, then as above" },
  { name: "zpoline=0", words: ["zpoline=0"], how: "nothing is rewritten: each syscall traps (as with seccomp and SIGSYS)", cost: "one exception for each call" },
  { name: "um=ptrace", words: ["um=ptrace"], how: "what User Mode Linux with an MMU does: the kernel is another thread, and stops the program at each call", cost: "two handovers between workers for each call" },
];

/** The line with another hook mode. */
export function withMode(line: string, words: readonly string[]): string {
  const [kernel = "", init] = line.split(/ -- (.*)/s);
  const kept = kernel.split(/\s+/).filter((w) => w !== "" && !/^(zpoline|um)=/.test(w));
  return [...kept, ...words].join(" ") + (init === undefined ? "" : ` -- ${init}`);
}

const WHAT_IF: readonly (readonly [title: string, command: string, words: string])[] = [
  ["call a NULL pointer", "nommu-demo null-call", "Address 0 is a nop like the others: the call slides into the kernel, and does whatever rax names."],
  ["read and write page 0", "nommu-demo page0", "Only execution is allowed there, so a NULL pointer still faults when it is read."],
  ["a library's own syscall", "nommu-demo library", "It came after execve and was not translated: it traps, and is counted under “trapped”."],
  ["fork()", "nommu-demo fork", "Refused: the copy’s pointers would be the parent’s addresses, and those are taken. vfork lends them instead."],
  ["MAP_FIXED", "nommu-demo map-fixed", "Refused: that address may be somebody else's."],
  ["a program with a fixed address", "nommu-demo pie", "Refused: only what can live anywhere can be loaded."],
];

export function Modes({ session }: { readonly session: Session }): ReactNode {
  const { cmdline, power, isolated } = useStore(session.state);
  const { status } = useStore(session.figures);
  const words = cmdline.split(/ -- /)[0]!.split(/\s+/);
  const current = MODES.find((m) => m.words.length > 0 && m.words.every((w) => words.includes(w))) ?? MODES[0]!;
  const calls = status?.calls ?? 0;
  const trapped = status?.trapped ?? 0;
  return (
    <>
      <section aria-label="Ways to catch a system call">
        <h3>Four ways to catch a call</h3>
        <table>
          <Head columns={["kernel parameter", "what happens", "cost", { name: "action", hidden: true }]} />
          <tbody>
            {MODES.map((m) => (
              <tr key={m.name} aria-current={m === current ? "true" : undefined}>
                <td>
                  <code>{m.name}</code>
                </td>
                <td>{m.how}</td>
                <td>{m.cost}</td>
                <td>
                  {m === current ? (
                    <b>this machine</b>
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
          Since power-on: <b>{count(calls)}</b> calls through page 0, <b>{count(trapped)}</b> trapped.
        </p>
      </section>
      <section aria-label="What if">
        <h3>What if a program …</h3>
        <ul className="whatif">
          {WHAT_IF.map(([title, command, text]) => (
            <li key={title}>
              <button type="button" className="chip" disabled={power !== "running"} title={command} onClick={() => session.type(`${command}\n`)}>
                {title}
              </button>
              <span>{text}</span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
