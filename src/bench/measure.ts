// src/bench/measure.ts — one row after the other, run in the guest through its console. Instructions for each call come from the guest's own clock, which counts them.
import type { Session } from "../session.ts";
import { CALL_NS, CALLS, SEED } from "./table.ts";

const PROGRAM = "/usr/libexec/nommu/seed";
/** a measurement is long enough when it takes so many ms here; and no row takes more calls than this */
const ENOUGH = 250;
const MOST = 4_000_000;
const ROUNDS = 3;

export interface Measured {
  readonly row: string;
  readonly count: number;
  /** retired for each call: the same on every machine; undefined where the number of calls in a round is not fixed */
  readonly instructions: number | undefined;
  /** in this tab, now: median of the rounds, lowest, highest; µs for each call */
  readonly us: number;
  readonly least: number;
  readonly most: number;
}

/** Runs `seed ROW COUNT`; ms here, and ns of the guest's clock. */
function once(session: Session, row: string, count: number, aborted: () => boolean): Promise<readonly [ms: number, ns: number]> {
  return new Promise((resolve, reject) => {
    let text = "";
    let from: number | undefined;
    const end = (): void => {
      clearInterval(timer);
      quiet();
    };
    const quiet = session.hear((more) => {
      text = (text + more).slice(-4000);
      if (from === undefined && text.includes(`@begin ${row} ${count}`)) from = performance.now();
      const done = new RegExp(`@end ${row.replace(/[+/]/g, "\\$&")} (\\d+)\\s`).exec(text);
      if (done !== null && from !== undefined) {
        end();
        resolve([performance.now() - from, Number(done[1])]);
      } else if (/seed: (?!no row).*|not found/.test(text)) {
        end();
        reject(new Error("This disk does not have the program, or it failed: see the console."));
      }
    });
    const timer = setInterval(() => {
      if (!aborted() && session.state.get().power === "running") return;
      end();
      reject(new Error("stopped"));
    }, 200);
    session.type(`${PROGRAM} ${row} ${count}\n`);
  });
}

/** Measures the rows in order; tells each as it is done. */
export async function measure(session: Session, rows: readonly string[], told: (m: Measured) => void, aborted: () => boolean): Promise<void> {
  for (const row of rows) {
    let count = row.startsWith("fork") ? 4 : 500;
    let [ms, ns] = await once(session, row, count, aborted);
    while (ms < ENOUGH && count < MOST) {
      count = Math.min(MOST, Math.ceil(count * Math.max(2, Math.min(20, (1.3 * ENOUGH) / Math.max(ms, 1)))));
      [ms, ns] = await once(session, row, count, aborted);
    }
    const times = [ms];
    while (times.length < ROUNDS) times.push((await once(session, row, count, aborted))[0]);
    const us = times.map((t) => (1000 * t) / count).toSorted((a, b) => a - b);
    const calls = CALLS[row];
    told({ row, count, instructions: calls === undefined ? undefined : ns / count - calls * CALL_NS, us: us[Math.floor(us.length / 2)]!, least: us[0]!, most: us.at(-1)! });
  }
}

export const ROWS = Object.keys(SEED);
