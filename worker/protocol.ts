// worker/protocol.ts — what the page and the machine's worker say to each other. Types only; src/ knows nothing else of the machine.
//
// The page makes a Worker and sends it one Connect with two ports: `control` (calls and answers, through comlink: MachineControl) and `bytes`
// (a plain port for what must be quick and in order: ToWorker, ToPage).

import type { Breakpoint, CheckSpec, InspectorCalls, MachineEvent } from "./protocol/inspect.ts";
import type { Blocks, LinkControl } from "./protocol/link.ts";
import type { ReplayControl, ReplayRequest } from "./protocol/replay.ts";

/** A Blob or File, as far as both sides need to know. */
export interface ImageFile {
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What a visitor's image is stored with. */
export interface ImageAbout {
  /** a few words: what it is */
  readonly title: string;
  /** the command line that its programs need, without ubd0=; "" when the page's own will do */
  readonly cmdline: string;
}

/** Where the unchanged bytes of a disk come from. ext4, or gzip of it. */
export type ImageSource =
  /** a file on a server; `sha256` of the unpacked image. `chunked`: the file is a list of the image's parts, which are in the folder chunks/ beside it */
  | { readonly kind: "published"; readonly url: string; readonly sha256: string; readonly gzSize: number; readonly chunked?: boolean }
  /** A file of the visitor's, which may also be a tar archive: it is made a disk. The disk is stored in the browser under its name, so that it outlives a reload. */
  | { readonly kind: "file"; readonly file: ImageFile; readonly about: ImageAbout }
  /** such a file, stored by an earlier visit */
  | { readonly kind: "stored" };

export interface DiskRequest {
  /** what ubd0= calls it */
  readonly name: string;
  readonly source: ImageSource;
  /**
   * keep: changes are kept in this browser, and no other tab may use the disk meanwhile. scratch: the image, forgotten at the end. copy: the image with the changes kept so far,
   * forgotten at the end.
   */
  readonly use: "keep" | "scratch" | "copy";
}

/** A disk that is known in this browser: changes kept of an image, or one that the machine has now. */
export interface DiskRow {
  readonly name: string;
  /** which image it changes: the first digits of its sha256, or of another sum */
  readonly image: string;
  /** bytes of the overlay: what differs from the image */
  readonly changed: number;
  /** ms since the epoch; undefined: never kept */
  readonly used: number | undefined;
  /** the machine has it */
  readonly use: DiskRequest["use"] | undefined;
  /** parts of its image that are not in this browser yet: without a network it would miss them */
  readonly wanting: number;
}

/** A file of a disk that is not as in its image. */
export interface DiskChange {
  /** a byte string; ends in "/" for a directory */
  readonly path: string;
  readonly kind: "added" | "changed" | "removed";
  /** of a changed one: content, target, device, mode, owner, time */
  readonly what: string;
  /** bytes now (of a removed one: that it had), and before */
  readonly size: number;
  readonly before: number;
}

export interface BootRequest {
  readonly cmdline: string;
  readonly disk: DiskRequest;
  /** ubd1 and so on */
  readonly more?: readonly DiskRequest[];
  readonly jit: boolean;
  readonly cols: number;
  readonly rows: number;
  /** what a link or a bundle says that happened; the window's size is then part of it */
  readonly replay?: ReplayRequest;
  /** a snapshot at the prompt, made by this very emulator: the machine begins there if its disk is as the image (gzip) */
  readonly snapshot?: { readonly url: string };
  /** changes to the disk, made before power-on; scratch copies only */
  readonly overlay?: Blocks;
  /** files that are written to the disk before init runs */
  readonly files?: readonly { readonly path: string; readonly text: string }[];
  /** set before the first instruction: what a person waits for may happen before the page hears that the machine is on */
  readonly breakpoints?: readonly Breakpoint[];
  readonly checks?: readonly CheckSpec[];
  /** keep the machine under this name, so that it goes on after a reload; `resume`: go on with the one kept */
  readonly session?: { readonly id: string; readonly engine: string; readonly resume: boolean };
}

/** What is known of a tab's machine that is kept. */
export interface SavedSession {
  readonly engine: string;
  readonly cmdline: string;
  readonly disk: string;
  /** sha256 of its image, or another sum */
  readonly image: string;
  readonly use: DiskRequest["use"];
  /** ms since the epoch, of the last snapshot; instructions retired then; bytes stored */
  readonly saved: number;
  readonly at: number;
  readonly size: number;
}

/** An image that a visitor has brought, stored in this browser. */
export interface StoredImage {
  readonly name: string;
  /** bytes, as stored */
  readonly size: number;
  readonly about: ImageAbout;
}

/** Names of the Errors that boot() rejects with, beside "Error". */
export const DISK_IN_USE = "DiskInUse";
export const BAD_IMAGE = "BadImage";

/** Calls through the control port. Rejections carry a sentence for the visitor. */
export interface MachineControl extends ReplayControl, LinkControl {
  /** Resolves when the machine is on. */
  boot(request: BootRequest): Promise<void>;
  pause(): void;
  resume(): void;
  /** gzip of a disk as it is now, durable or not: the same as after a power cut. `progress` hears how many of its bytes are packed. */
  download(disk: DiskRequest, progress: (done: number, total: number) => void): Promise<{ readonly name: string; readonly file: ImageFile }>;
  /** The disks of this machine, and those that are kept. */
  disks(): Promise<DiskRow[]>;
  /** The files that differ from the image, by path: of the machine's disk as it is now, else of the kept one. `progress` hears how many files were compared. */
  changes(disk: DiskRequest, progress: (done: number) => void): Promise<DiskChange[]>;
  /** Ends a download or a comparison under way: it rejects. */
  cancel(): void;
  /** Forgets the changes that were kept of a disk. Not while a machine runs on it. */
  resetDisk(name: string): Promise<void>;
  /** The machine that is kept under a tab's name. */
  savedSession(id: string): Promise<SavedSession | undefined>;
  /** The newest machine that was kept by a tab that is gone. */
  lostSession(own: string): Promise<{ readonly id: string; readonly about: SavedSession } | undefined>;
  /** Keeps the machine from now on, as `session` of a boot does. Not one of a link, or with further disks: resolves to false. */
  keepSession(id: string, engine: string): Promise<boolean>;
  forgetSession(id: string): Promise<void>;
  /** Images brought by the visitor. */
  storedImages(): Promise<StoredImage[]>;
  /** Forgets such an image and its changes. */
  forgetImage(name: string): Promise<void>;
  /** Asks the machine's inside, or acts on it: a call of InspectorCalls by name. Answered between two slices. */
  ask(what: keyof InspectorCalls, args: readonly unknown[]): unknown;
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
  /** of the machine as it is; undefined while it is busy */
  readonly fingerprint: string | undefined;
  /** false: what is shown is the past */
  readonly live: boolean;
  /** by system call number: calls so far */
  readonly histogram: Uint32Array<ArrayBuffer>;
}

export type ToWorker =
  | { readonly type: "input"; readonly line: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "resize"; readonly line: number; readonly cols: number; readonly rows: number }
  /** so many bytes of output have been shown */
  | { readonly type: "shown"; readonly bytes: number };

export type ToPage =
  /** console output of `line`; `fresh`: all that the console shows now, after a jump in time */
  | { readonly type: "output"; readonly line: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly fresh?: boolean }
  /** what the boot waits for; `total` 0 when it is not known */
  | { readonly type: "waiting"; readonly what: string; readonly done: number; readonly total: number }
  | { readonly type: "status"; readonly status: Status }
  /** the machine stands still until the browser has stored what the guest flushed */
  | { readonly type: "storing"; readonly on: boolean }
  /** The machine has stopped. */
  | { readonly type: "halted"; readonly how: "halt" | "poweroff" | "restart" | "panic"; readonly status: number }
  /** The emulator itself failed. */
  | { readonly type: "crashed"; readonly why: string }
  /** a breakpoint, a step: the machine stands still */
  | { readonly type: "stopped"; readonly why: string }
  /** somebody has typed into the past: the machine goes on from there */
  | { readonly type: "forked" }
  | { readonly type: "events"; readonly events: readonly MachineEvent[] }
  /** the machine did not boot: it began where a snapshot was taken, at this instruction; `session`: the tab's own, which goes on */
  | { readonly type: "resumed"; readonly at: number; readonly session: boolean }
  /** something that the visitor should know; `download`: taking the disk along is the way out */
  | { readonly type: "note"; readonly text: string; readonly download?: boolean };

/** The worker's first and only message on its own port. */
export interface Connect<Port> {
  readonly control: Port;
  readonly bytes: Port;
}
