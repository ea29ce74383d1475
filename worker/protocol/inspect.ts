// worker/protocol/inspect.ts — what the page may ask of the machine's inside, and what the machine tells of itself. Types only.

/** One row of the list of processes. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  /** as ps shows it: R, S, D, T, Z */
  readonly state: string;
  /** the vfork child that it waits for, until that execs or exits */
  readonly vfork: number | undefined;
  /** bytes mapped */
  readonly memory: number;
  /** instructions retired in it */
  readonly instructions: number;
  /** the system call that it waits in */
  readonly call: string | undefined;
  /** its command line */
  readonly args: string;
  /** open descriptors: number and what it is */
  readonly files: readonly (readonly [fd: number, what: string])[];
}

/** A run of the machine's memory. */
export interface MemoryRow {
  readonly start: number;
  readonly end: number;
  readonly kind: "trampoline" | "kernel" | "text" | "data" | "heap" | "stack" | "map" | "free" | "other";
  /** pid; undefined: the kernel's, or nobody's */
  readonly owner: number | undefined;
  readonly note: string;
}

export interface MemoryMap {
  readonly size: number;
  readonly rows: readonly MemoryRow[];
  /** registers of the loaded task that point into memory */
  readonly pointers: readonly (readonly [name: string, address: number])[];
}

/** Bytes of memory, and what they seem to be. */
export interface Look {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly row: MemoryRow | undefined;
  /** plain sentences about the bytes at `start` */
  readonly words: readonly string[];
  readonly code: readonly CodeLine[];
}

export interface CodeLine {
  readonly address: number;
  /** hexadecimal */
  readonly bytes: string;
  readonly text: string;
}

/** One finished system call, or a run of the same one that was too quick to be written down. */
export interface CallRow {
  /** ascending; gaps mean that rows were dropped */
  readonly seq: number;
  readonly pid: number;
  readonly comm: string;
  readonly name: string;
  /** as strace writes it */
  readonly text: string;
  /** it failed */
  readonly error: boolean;
  /** guest time at entry and spent in the call, ns */
  readonly at: number;
  readonly took: number;
  /** instructions that the process retired since its last call: the work between the two, and the slide through page 0 */
  readonly spent: number;
}

export interface ImageRow {
  readonly name: string;
  readonly comm: string;
  readonly pid: number;
  readonly base: number;
  readonly sites: number;
  readonly rewritten: number;
  readonly left: number;
  /** instructions decoded to find the sites; bytes at which nothing decoded */
  readonly instructions: number;
  readonly skipped: number;
  /** what told where its code is: section headers, .eh_frame, or a linear sweep over all of it */
  readonly source: string;
}

/** A `syscall` of a file. */
export interface SiteRow {
  readonly address: number;
  /** the call's number, where `mov $nr, %eax` or `xor %eax, %eax` stands right before it */
  readonly nr: number | undefined;
  readonly name: string | undefined;
  /** why it was left; undefined: rewritten */
  readonly left: string | undefined;
  /** two bytes as they are in memory now; undefined when the process is gone and its memory is another's */
  readonly now: string | undefined;
}

/** A site with the code around it: what the file has, and what is in memory. */
export interface SiteCode {
  readonly before: readonly CodeLine[];
  readonly after: readonly CodeLine[];
}

export interface Registers {
  /** running task; undefined while idle */
  readonly pid: number | undefined;
  readonly comm: string;
  /** names and values, 16 hexadecimal digits */
  readonly values: readonly (readonly [name: string, value: string])[];
  readonly flags: string;
  readonly rip: number;
  readonly rsp: number;
  /** instructions from rip on */
  readonly code: readonly CodeLine[];
  /** eight words from rsp on, and where they point */
  readonly stack: readonly (readonly [address: number, value: string, note: string])[];
}

export type Breakpoint =
  | { readonly kind: "call"; readonly name: string; /** by processes of this name only */ readonly by?: string }
  | { readonly kind: "address"; readonly address: number }
  | { readonly kind: "write"; readonly address: number; readonly length: number }
  | { readonly kind: "start"; readonly comm: string }
  /** a fault: SIGSEGV, SIGILL, SIGFPE */
  | { readonly kind: "fault" };

/** How the machine goes on from a stop. */
export type Go = "run" | "step" | "over" | "call";

/** One instruction of a recorded call. */
export interface TraceStep {
  readonly rip: number;
  readonly bytes: string;
  readonly text: string;
  /** before the instruction */
  readonly rax: string;
  readonly rcx: string;
  readonly r11: string;
  readonly rsp: number;
  /** the eight bytes on top of the stack, hexadecimal */
  readonly top: string;
}
/** One real call, from the instructions before it to the one after. */
export interface Trace {
  /** instructions retired when it was complete */
  readonly at: number;
  readonly pid: number;
  readonly comm: string;
  readonly nr: number;
  readonly name: string;
  readonly steps: readonly TraceStep[];
  /** index of the call instruction, of the first step in page 0 (-1: it trapped), of the kernel's entry, and of the first step after the return */
  readonly call: number;
  readonly page0: number;
  readonly entry: number;
  readonly back: number;
  /** steps in page 0 that are nops */
  readonly nops: number;
}

/** A piece of code that the second tier has compiled. */
export interface RegionRow {
  readonly entry: number;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  readonly slot: number;
  /** guest bytes, and bytes of the wasm module that it is in */
  readonly guestBytes: number;
  readonly wasmBytes: number;
  /** which module, and how many regions are in it */
  readonly module: number;
  readonly owner: string;
}

/** What happens in the machine and concerns a person. */
export type MachineEvent =
  | { readonly type: "start"; readonly pid: number; readonly comm: string; readonly path: string }
  /** status as wait4 gives it, and who collected it */
  | { readonly type: "end"; readonly pid: number; readonly comm: string; readonly status: number; readonly parent: number; readonly shell: boolean }
  | { readonly type: "fault"; readonly pid: number; readonly comm: string; readonly words: string; readonly rip: number; readonly code: readonly CodeLine[]; readonly registers: readonly (readonly [string, string])[]; readonly calls: readonly string[] }
  /** a call came through page 0, but not from a site that was rewritten */
  | { readonly type: "stray"; readonly pid: number; readonly comm: string; readonly from: number; readonly name: string }
  | { readonly type: "check"; readonly id: string }
  /** the guest has left a file in the directory that it shares with the page */
  | { readonly type: "file"; readonly path: string; readonly size: number };

/** The directory that guest and page share (hostfs). */
export interface SharedFiles {
  /** where the guest has mounted it; undefined: nowhere */
  readonly where: string | undefined;
  /** paths in it, and bytes */
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** The questions, and calls on the machine's inside. Rejections carry a sentence for the visitor. */
export interface InspectorCalls {
  /** From now on system calls are noted, or no longer; `names` limits them to some calls, `pid` to a process. */
  watchCalls(on: boolean, names?: readonly string[], pid?: number): void;
  /** What was noted after row `seq`. */
  calls(seq: number): CallRow[];
  processes(): ProcessRow[];
  memory(): MemoryMap;
  images(): ImageRow[];
  sites(file: string): SiteRow[];
  siteCode(file: string, address: number): SiteCode;
  registers(): Registers;
  /** `length` bytes at `start`, as far as there are any. */
  peek(start: number, length: number): Uint8Array<ArrayBuffer>;
  look(start: number, length: number): Look;
  /** Writes into anybody's memory, as a stray store would. */
  poke(address: number, bytes: readonly number[]): void;
  /** An expression: hexadecimal, a register, `rsp+0x20`, `pid:3.text`. @throws a sentence */
  address(expression: string): number;
  disassemble(start: number, count: number): CodeLine[];
  /** May a file of `size` bytes be handed over? @throws a sentence if not */
  takes(name: string, size: number): void;
  /** Hands the guest a file: it is in the shared directory. @throws a sentence */
  giveFile(name: string, bytes: Uint8Array<ArrayBuffer>): void;
  sharedFiles(): SharedFiles;
  /** What a file of the shared directory holds. @throws a sentence */
  takeFile(path: string): Uint8Array<ArrayBuffer>;
  /** Names of system calls by number. */
  callNames(): (string | undefined)[];
  /** A line for each call that is not there: why. */
  callNotes(): (readonly [name: string, note: string])[];
  breakpoints(list: readonly Breakpoint[]): void;
  /** Goes on; the machine reports when it stops again. */
  go(how: Go): void;
  /** Records the next call of `nr` (undefined: any), by a process called `by` (undefined: any), instruction by instruction. */
  record(nr: number | undefined, by?: string): void;
  recorded(): Trace | undefined;
  regions(): RegionRow[];
  /** The wasm module that a region is in. */
  regionModule(entry: number): Uint8Array<ArrayBuffer> | undefined;
  /** Checks of a lesson's step, looked at from now on at each event; the ids of those that hold come as events. */
  checks(list: readonly CheckSpec[]): void;
}

/** A check of a lesson: a kind, and words of the form key=value. */
export interface CheckSpec {
  readonly id: string;
  readonly kind: string;
  readonly args: Readonly<Record<string, string>>;
}
