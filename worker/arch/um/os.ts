// arch/um/os.ts — all that the machine may ask of its host.  cf. arch/um/os-Linux
//
// One implementation for the browser (os-browser/), one for Node (os-node/). Nothing else in worker/ knows the host.

/** A disk's bytes. Reads and writes are synchronous (the image is in memory, or a file); only durability may take host time. */
export interface BlockStore {
  /** bytes */
  readonly size: number;
  readonly readonly: boolean;
  /** what a person calls it, for messages */
  readonly name: string;
  /** Reads buf.length bytes at `pos`. Throws an Error when the host fails (the driver makes EIO of it). */
  read(pos: number, buf: Uint8Array): void;
  write(pos: number, buf: Uint8Array): void;
  /**
   * Makes all writes so far durable, as one transaction. Returns undefined when that is done at once, or a promise: the machine then
   * stands still (no instruction retires, so it stays deterministic) until it settles. Rejects with QuotaError when space ran out.
   */
  flush(): Promise<void> | undefined;
  /** No write from now on survives a failure of the host's power unless all writes so far do. Not there: flush() stores everything in one transaction. */
  barrier?(): void;
  /** Drops [pos, pos+len): reads back as zeros or as it pleases. Optional. */
  discard?(pos: number, len: number): void;
  close(): void;
}

/** The host has no room for what was to be written: ENOSPC for the guest. */
export class QuotaError extends Error {}

export interface Os {
  /** Opens `file` (with `backing`: file is the copy-on-write overlay) for ubd. Throws with a sentence. */
  openBlock(file: string, backing: string | undefined, flags: { readonly: boolean; sync: boolean; shared?: boolean }): BlockStore;
  /** Bytes that the guest wrote to console `line` (0 is con0). */
  consoleWrite(line: number, bytes: Uint8Array): void;
  /** Wall clock at start, seconds since the epoch; used once, unless time=virtual takes it from the boot parameters. */
  startTime(): number;
  /** Seeds the random device where no seed= was given. 32 bytes. */
  entropy(): Uint8Array;
  /** A line of UML's own, before there is a console (stdout of the process), or its dying words. */
  hostPrint(line: string): void;
  /** The guest has written a file of hostfs and closed it: its path (a byte string) and bytes. */
  hostFile?(path: string, size: number): void;
}
