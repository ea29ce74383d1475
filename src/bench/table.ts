// src/bench/table.ts — the rows of the seed's table with its published figures: for `npm run bench -- seed` and for the panel Bench.

export interface Published {
  /** µs, in the document that this project comes from: its host, plain UML, UML without an MMU */
  readonly native: number;
  readonly um: number;
  readonly nommu: number;
  /** our time at most, as a multiple of this host's */
  readonly target: number;
}
const published = (native: number, um: number, nommu: number, target: number): Published => ({ native, um, nommu, target });

export const SEED: Readonly<Record<string, Published>> = {
  "select-10": published(0.5645, 28.3738, 0.2647, 0.5),
  "select-100": published(2.3872, 28.8385, 1.1021, 0.5),
  "select-1000": published(20.5527, 37.6364, 9.4264, 0.6),
  syscall: published(0.1735, 26.8711, 0.1037, 0.5),
  read: published(0.3442, 28.5771, 0.137, 0.5),
  write: published(0.2862, 28.734, 0.1236, 0.5),
  stat: published(1.9236, 38.5928, 0.464, 0.3),
  "open/close": published(3.8308, 66.8451, 0.7789, 0.25),
  "fork+sh": published(1176.44, 8221.5, 21443, 0.5),
  "fork+execve": published(533.11, 3034.5, 4894.33, 0.5),
  getpid: published(0.18, 31.579, 0.101, 0.5),
};

/** System calls in one round of a row; those with a child are no fixed number. */
export const CALLS: Readonly<Record<string, number>> = { "select-10": 1, "select-100": 1, "select-1000": 1, syscall: 1, read: 1, write: 1, stat: 1, "open/close": 2, getpid: 1 };
/** The guest's clock: a nanosecond for each instruction, and so much for each call. */
export const CALL_NS = 200;
