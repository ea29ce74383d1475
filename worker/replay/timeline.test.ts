// replay/timeline.test.ts — what was recorded happens again, to the instruction; the past can be visited, and left for another future
import { expect, test } from "vitest";
import { TestMachine } from "../test/boot.ts";
import { type Moment, Timeline } from "./timeline.ts";

interface Mark {
  readonly now: Moment;
  readonly fingerprint: string;
  readonly shown: number;
}

/** Runs until everything sleeps, or for ever. */
function rest(t: Timeline, ms = 0): void {
  for (;;) {
    const reason = t.run(300_000);
    if (reason === "halted") return;
    if (reason !== "idle") continue;
    const until = t.until();
    if (until === Infinity || until > t.now.ns + 2e9) break;
    t.advance_idle(until);
  }
  t.advance_idle(t.now.ns + ms * 1e6);
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A session with a snapshot and a mark after each of its lines. */
async function session(lines: readonly string[]): Promise<{ m: TestMachine; t: Timeline; marks: Mark[] }> {
  const m = await TestMachine.create({ cmdline: "ubd0=disk rw mem=64m loglevel=4 init=/sbin/init" });
  const t = new Timeline(m.machine);
  m.machine.boot();
  t.snapshot();
  m.machine.resize(0, 100, 30);
  rest(t);
  const marks: Mark[] = [];
  for (const line of lines) {
    t.input(0, bytes(line));
    rest(t, 123.456);
    marks.push({ now: t.now, fingerprint: t.fingerprint(), shown: m.machine.tap.lines[0]!.history().length });
    t.snapshot();
  }
  return { m, t, marks };
}
const LINES = ["echo one > /root/f; sync; cat /root/f\n", "seq 200 | sort -r | sha256sum\n", "sleep 1; date\n", "rm /root/f; ls /root; echo two > /tmp/g; cat /tmp/g\n"];

test("any moment of a session can be visited, in any order, and is the same machine", async () => {
  const { m, t, marks } = await session(LINES);
  for (const i of [2, 0, 3, 1, 3]) {
    const { now, fingerprint, shown } = marks[i]!;
    expect(await t.seek(now)).toEqual(now);
    expect(t.fingerprint()).toBe(fingerprint);
    expect(m.machine.tap.lines[0]!.history().length).toBe(shown);
    expect(t.live).toBe(i === 3);
  }
  // the shell slept when the last line came: before that, the count is the same
  const { at } = marks[2]!.now;
  const first = await t.seek({ at, first: true });
  expect([first.at, first.events]).toEqual([at, marks[2]!.now.events]);
  expect((await t.seek({ at })).events).toBe(marks[3]!.now.events);
  await t.seek(marks[3]!.now);
  // at the end the machine goes on as if nothing had been
  expect(m.run("cat /tmp/g; ls /root | wc -l")).toBe("two\n0\n");
});

test("a log makes the same machine elsewhere, with and without the compiled tier, whatever the slices", async () => {
  const { t, marks } = await session(LINES);
  const end = marks.at(-1)!;
  for (const [jit, slice] of [[true, 777_777], [false, 1_000_003]] as const) {
    const other = await TestMachine.create({ cmdline: t.machine.cmdline, jit });
    const again = new Timeline(other.machine);
    other.machine.boot();
    again.load(t.log, t.end);
    for (let reason; (reason = again.run(slice)) !== "end"; ) if (reason === "idle") again.advance_idle(again.until());
    expect(again.now).toEqual(end.now);
    expect(again.fingerprint()).toBe(end.fingerprint);
  }
});

test("step back: one instruction, one call, one second; and on again", async () => {
  const { t, marks } = await session(LINES.slice(0, 3));
  const end = marks.at(-1)!;
  const { at, ns } = t.now;
  expect((await t.back("instruction")).at).toBe(at - 1);
  const one = t.fingerprint();
  expect((await t.back("instruction")).at).toBe(at - 2);
  expect((await t.forward("instruction")).at).toBe(at - 1);
  expect(t.fingerprint()).toBe(one);
  await t.seek(end.now);
  expect(t.fingerprint()).toBe(end.fingerprint);
  const calls = t.machine.arch.page0_calls;
  const first = await t.back("call");
  expect(first.at).toBeLessThan(at);
  expect(t.machine.arch.page0_calls).toBe(calls - 1);
  await t.back("call");
  expect(t.machine.arch.page0_calls).toBe(calls - 2);
  await t.seek(end.now);
  const second = await t.back("second");
  expect(ns - second.ns).toBeGreaterThanOrEqual(1e9 - 1000);
  expect(ns - second.ns).toBeLessThan(1e9 + 1000);
});

test("typing in the past makes a branch; both can be gone back to", async () => {
  const { m, t, marks } = await session(LINES);
  await t.seek(marks[0]!.now);
  t.input(0, bytes("echo other > /root/f; sync; cat /root/f\n"));
  expect(t.live).toBe(true);
  rest(t);
  const other = { now: t.now, fingerprint: t.fingerprint() };
  expect(t.branches.map((b) => [b.id, b.log.length])).toEqual([[0, 5], [1, 3]]);
  await t.follow(0);
  await t.seek(marks[3]!.now);
  expect(t.fingerprint()).toBe(marks[3]!.fingerprint);
  await t.follow(1);
  await t.seek(other.now);
  expect(t.fingerprint()).toBe(other.fingerprint);
  expect(m.run("cat /root/f")).toBe("other\n");
});
