// worker/protocol.ts — what the page and the machine's worker say to each other. Types only; src/ knows nothing else of the machine.
//
// The page makes a Worker and sends it one Connect with two ports: `control` (calls and answers, through comlink: MachineControl) and `bytes`
// (a plain port for what must be quick and in order: ToWorker, ToPage).

/** A Blob or File, as far as both sides need to know. */
export interface ImageFile {
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Where the unchanged bytes of a disk come from. ext4, or gzip of it. */
export type ImageSource =
  /** a file beside the page; `sha256` of the unpacked image */
  | { readonly kind: "published"; readonly url: string; readonly sha256: string; readonly gzSize: number }
  /** a file of the visitor's; it is stored in the browser under its name, so that the disk outlives a reload */
  | { readonly kind: "file"; readonly file: ImageFile }
  /** such a file, stored by an earlier visit */
  | { readonly kind: "stored" };

export interface DiskRequest {
  /** what ubd0= calls it */
  readonly name: string;
  readonly source: ImageSource;
  /** true: changes are kept in this browser, and no other tab may use the disk meanwhile. false: a scratch copy, forgotten at the end. */
  readonly keep: boolean;
}

export interface BootRequest {
  readonly cmdline: string;
  readonly disk: DiskRequest;
  readonly jit: boolean;
  readonly cols: number;
  readonly rows: number;
}

/** An image that a visitor has brought, stored in this browser. */
export interface StoredImage {
  readonly name: string;
  /** bytes, as brought */
  readonly size: number;
}

/** Names of the Errors that boot() rejects with, beside "Error". */
export const DISK_IN_USE = "DiskInUse";
export const BAD_IMAGE = "BadImage";

/** One row of the list of processes. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  /** as ps shows it: R, S, D, T, Z */
  readonly state: string;
  /** parked until its vfork child execs or exits */
  readonly vfork: boolean;
  /** bytes mapped */
  readonly memory: number;
  /** instructions retired in it */
  readonly instructions: number;
  /** the system call that it waits in */
  readonly call: string | undefined;
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

/** One finished system call. */
export interface CallRow {
  /** ascending; gaps mean that rows were dropped */
  readonly seq: number;
  readonly pid: number;
  readonly comm: string;
  /** as strace writes it */
  readonly text: string;
  /** it failed */
  readonly error: boolean;
}

export interface ImageRow {
  readonly name: string;
  readonly comm: string;
  readonly base: number;
  readonly sites: number;
  readonly rewritten: number;
  readonly left: number;
}

/** What the panels look at; answered between two slices. */
export interface Registers {
  /** running task; undefined while idle */
  readonly pid: number | undefined;
  readonly comm: string;
  /** names and values, 16 hexadecimal digits */
  readonly values: readonly (readonly [name: string, value: string])[];
  readonly flags: string;
  /** disassembly from rip on: address, bytes, text */
  readonly code: readonly (readonly [address: number, bytes: string, text: string])[];
}

/** Calls through the control port. Rejections carry a sentence for the visitor. */
export interface MachineControl {
  /** Resolves when the machine is on. */
  boot(request: BootRequest): Promise<void>;
  pause(): void;
  resume(): void;
  /** gzip of the disk as it is now, durable or not: the same as after a power cut. */
  download(): Promise<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }>;
  /** Forgets the changes that were kept of a disk. Not while a machine runs on it. */
  resetDisk(name: string): Promise<void>;
  /** Images brought by the visitor. */
  storedImages(): Promise<StoredImage[]>;
  /** Forgets such an image and its changes. */
  forgetImage(name: string): Promise<void>;
  /** From now on system calls are noted, or no longer. */
  watchCalls(on: boolean): void;
  /** What was noted after row `seq`. */
  calls(seq: number): CallRow[];
  processes(): ProcessRow[];
  memory(): { readonly size: number; readonly rows: MemoryRow[] };
  images(): ImageRow[];
  registers(): Registers;
  /** `length` bytes at `start`, as far as there are any. */
  peek(start: number, length: number): Uint8Array<ArrayBuffer>;
  /** Names of system calls by number. */
  callNames(): (string | undefined)[];
}

export interface Status {
  /** instructions retired since power-on */
  readonly retired: number;
  /** the guest's monotonic clock, ns */
  readonly ns: number;
  /** calls that came through page 0; `syscall` instructions that trapped */
  readonly calls: number;
  readonly trapped: number;
  /** all tasks sleep */
  readonly idle: boolean;
  /** host time spent running since the last status, ms, and instructions in it */
  readonly busyMs: number;
  readonly busyInstructions: number;
  /** bytes of the disk that differ from its image */
  readonly changed: number;
  /** by system call number: calls so far */
  readonly histogram: Uint32Array<ArrayBuffer>;
}

export type ToWorker =
  | { readonly type: "input"; readonly line: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "resize"; readonly line: number; readonly cols: number; readonly rows: number }
  /** so many bytes of output have been shown */
  | { readonly type: "shown"; readonly bytes: number };

export type ToPage =
  /** console output of `line` */
  | { readonly type: "output"; readonly line: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** what the boot waits for; `total` 0 when it is not known */
  | { readonly type: "waiting"; readonly what: string; readonly done: number; readonly total: number }
  | { readonly type: "status"; readonly status: Status }
  /** the machine stands still until the browser has stored what the guest flushed */
  | { readonly type: "storing"; readonly on: boolean }
  /** The machine has stopped. */
  | { readonly type: "halted"; readonly how: "halt" | "poweroff" | "restart" | "panic"; readonly status: number }
  /** The emulator itself failed. */
  | { readonly type: "crashed"; readonly why: string }
  /** something that the visitor should know */
  | { readonly type: "note"; readonly text: string };

/** The worker's first and only message on its own port. */
export interface Connect<Port> {
  readonly control: Port;
  readonly bytes: Port;
}
