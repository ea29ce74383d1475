// machine/debug.test.ts — a breakpoint on a system call stops before the call, as if nobody had looked on
import { expect, test } from "vitest";
import { loadIced } from "../cpu/iced.ts";
import { TestMachine } from "../test/boot.ts";
import { Debugger } from "./debug.ts";

test("a breakpoint on a call stops the machine there; the kernel says nothing of it, and the program ends as without", async () => {
  const m = await TestMachine.boot();
  const { machine } = m;
  const debug = new Debugger(machine, await loadIced());
  machine.entry.observer = debug;
  const runUntil = (enough: (reason: string) => boolean): void => {
    for (let i = 0; i < 1000; i++) {
      const reason = debug.run(1_000_000);
      if (enough(reason)) return;
      if (reason === "idle" && machine.until() < Infinity) machine.advance_idle(machine.until());
    }
    throw new Error(m.text);
  };
  const from = m.text.length;
  debug.set([{ kind: "call", name: "uname", by: "uname" }]);
  m.type("uname -s\n");
  runUntil((reason) => reason === "stop");
  expect(debug.stopped()).toContain("calls uname: there is a breakpoint on it");
  debug.set([]);
  runUntil(() => /Linux\r?\n[^]*# $/.test(m.text.slice(from)));
  expect(m.text.slice(from)).not.toContain("BUG");
  expect(machine.kernel.halted).toBeUndefined();
});
