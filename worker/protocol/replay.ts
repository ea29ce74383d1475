// worker/protocol/replay.ts — what page and worker say about the past: moments, branches, what a link must carry. Types only.
import type { Blocks, LinkEvent } from "./link.ts";

/** Instructions retired, the guest's monotonic clock in ns, events that had entered: among moments of one count the others say which. */
export interface Moment {
  readonly at: number;
  readonly ns: number;
  readonly events: number;
}

export type Step = "instruction" | "call" | "second";

export interface BranchRow {
  readonly id: number;
  readonly end: Moment;
  /** where it left the one before it; undefined for the first */
  readonly from: Moment | undefined;
  readonly events: number;
}

export interface TimelineState {
  readonly now: Moment;
  /** as far as the branch is known */
  readonly end: Moment;
  /** false: in the past, what was recorded lies ahead; typing begins a branch */
  readonly live: boolean;
  readonly branches: readonly BranchRow[];
  readonly current: number;
  /** snapshots kept, the bytes that they take, and the longest pause for one, ms */
  readonly snapshots: number;
  readonly bytes: number;
  readonly pauseMs: number;
}

/** All that makes this machine again, given its disk image. */
export interface Recording {
  readonly cmdline: string;
  /** seconds since the epoch at power-on */
  readonly clock: number;
  /** events up to now */
  readonly events: readonly LinkEvent[];
  readonly now: Moment;
  /** 16 hexadecimal digits */
  readonly fingerprint: string;
  /** blocks of the disk that differed from the image at power-on: number and 4096 bytes each */
  readonly overlay: Blocks;
}

/** What a boot is to repeat. */
export interface ReplayRequest {
  readonly clock: number;
  readonly events: readonly LinkEvent[];
  /** run to this instruction, then pause; undefined: the events, then on */
  readonly at?: number;
  /** and until the guest's monotonic clock reads this */
  readonly ns?: number;
  /** "full": as fast as it goes, the console shows the end; "paced": as it was typed; "armed": wait for play() or seek() */
  readonly speed: "full" | "paced" | "armed";
}

export interface ReplayControl {
  timeline(): TimelineState;
  /** Goes to a moment and pauses: by a count alone after all that came there, with `first` before it. Progress comes as "waiting" messages; the console is painted anew. */
  seek(target: { readonly at: number; readonly ns?: number; readonly events?: number; readonly first?: boolean }): Promise<TimelineState>;
  back(step: Step): Promise<TimelineState>;
  forward(step: Step): Promise<TimelineState>;
  /** Ends a seek, back or forward where it is. */
  cancelSeek(): void;
  /** Runs on from the past through what was recorded; at its end the machine is live. */
  play(speed: "full" | "paced"): void;
  /** To the end of the branch, and on. */
  goLive(): Promise<TimelineState>;
  /** On from here, and not as it was: what lay ahead is kept as a branch. */
  fork(): TimelineState;
  follow(branch: number): Promise<TimelineState>;
  fingerprint(): Promise<string>;
  recording(): Promise<Recording>;
}
