// src/transcript.ts — a session at the console as commands with what each printed and how it ended: the kernel says that, when the shell collects it.

export interface Entry {
  readonly id: number;
  /** what was typed; undefined: what was printed before the first prompt */
  readonly command: string | undefined;
  readonly output: string;
  /** how the processes ended that the shell has collected: name and wait status */
  readonly ends: readonly (readonly [comm: string, status: number])[];
}

const PROMPT = /^(?:\S+ )?[#$] (\S.*)$/;
/** entries kept, and characters of each one's output */
const KEPT = 300;
const LONGEST = 100_000;

/** "exit 0", "killed by signal 11". */
export function ending(status: number): string {
  const signal = status & 0x7f;
  return signal === 0 ? `exit ${status >> 8}` : `killed by signal ${signal}`;
}

export class Transcript {
  private list: Entry[] = [];
  private line = "";
  private next = 0;

  get entries(): readonly Entry[] {
    return this.list;
  }
  private add(command: string | undefined): void {
    this.list = [...this.list, { id: this.next++, command, output: "", ends: [] }].slice(-KEPT);
  }
  private change(change: (last: Entry) => Entry): void {
    if (this.list.length === 0) this.add(undefined);
    this.list = [...this.list.slice(0, -1), change(this.list.at(-1)!)];
  }
  /** The console printed `text`, which is plain already. */
  print(text: string): void {
    let output = "";
    const flush = (): void => {
      if (output === "") return;
      const more = output;
      output = "";
      this.change((e) => ({ ...e, output: (e.output + more).slice(-LONGEST) }));
    };
    for (const c of text) {
      if (c === "\b") this.line = this.line.slice(0, -1);
      else if (c === "\n") {
        const command = PROMPT.exec(this.line);
        if (command !== null) {
          flush();
          this.add(command[1]!.trimEnd());
        } else output += `${this.line}\n`;
        this.line = "";
      } else if (c >= " ") this.line += c;
    }
    flush();
  }
  /** The shell has collected a process. */
  ended(comm: string, status: number): void {
    this.change((e) => ({ ...e, ends: [...e.ends, [comm, status] as const].slice(-20) }));
  }
  clear(): void {
    this.list = [];
    this.line = "";
  }
}

/** All of it as text, for a bug report. */
export const asText = (entries: readonly Entry[]): string => entries.map((e) => `${e.command === undefined ? "" : `# ${e.command}\n`}${e.output}${e.ends.map(([comm, s]) => `[${comm}: ${ending(s)}]\n`).join("")}`).join("");
