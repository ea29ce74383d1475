// worker/test/soak.test.ts — work that comes and goes leaves nothing behind: pages, tasks, files, sockets, timers are counted before and after.
import { expect, test } from "vitest";
import { TestMachine } from "./boot.ts";
import { held, WORK } from "./soak.ts";

test("a session of pipelines, jobs, archives and connections leaks nothing", async () => {
  const m = await TestMachine.boot();
  const round = (): void => {
    for (const command of WORK) m.run(command);
  };
  round();
  const before = held(m.machine.kernel);
  for (let i = 0; i < 2; i++) round();
  expect(held(m.machine.kernel)).toEqual(before);
}, 120_000);
