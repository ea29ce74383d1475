// fs/proc/internal.ts — entries of /proc that belong to no process, and how other subsystems add theirs.  cf. fs/proc/internal.h, generic.c
import { EIO } from "../../include/uapi/errno.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";

/** A file of /proc. A subsystem that adds one subclasses it (plain data, so it can be snapshotted) and calls proc_create. */
export abstract class ProcEntry {
  /** permission bits */
  readonly mode: number;
  constructor(mode = 0o444) {
    this.mode = mode;
  }
  abstract show(kernel: Kernel, reader: Task): string;
  store(_kernel: Kernel, _writer: Task, _text: string): void {
    throw EIO;
  }
}

/** A value that cannot be moved: a limit, or what holds here. */
export class FixedEntry extends ProcEntry {
  readonly value: string;
  constructor(value: string | number) {
    super(0o444);
    this.value = String(value);
  }
  show(): string {
    return `${this.value}\n`;
  }
}

/** An entry of the constant tables in this directory. */
export interface ProcTableEntry {
  readonly mode?: number;
  readonly show?: (kernel: Kernel, reader: Task) => string;
  readonly store?: (kernel: Kernel, writer: Task, text: string) => void;
  /** a symbolic link instead */
  readonly link?: string;
}
export type ProcTable = Readonly<Record<string, ProcTableEntry>>;

/** Adds /proc/`path` ("zpoline", "net/tcp"); directories on the way appear by themselves.  cf. proc_create() */
export function proc_create(kernel: Kernel, path: string, entry: ProcEntry): void {
  kernel.vfs.proc_entries.set(path, entry);
}
