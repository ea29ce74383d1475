// src/inspect/watched.test.ts — calls are noted from the click on, once for each choice, and no list is read before the machine has said that it writes it.
import { expect, test } from "vitest";
import type { Session, State } from "../session.ts";
import { Store } from "../store.ts";
import type { Ui } from "../ui.ts";
import { noteCalls, watched } from "./watched.ts";

test("the machine is asked by the click itself; a list counts from its answer on", async () => {
  const asked: unknown[][] = [];
  const answers: (() => void)[] = [];
  const state = new Store({ power: "running" } as State);
  const ui = new Store({ panel: "cpu", focus: undefined } as Ui);
  const ask = (...question: unknown[]): Promise<void> => {
    asked.push(question);
    return new Promise((resolve) => answers.push(resolve));
  };
  const answer = async (): Promise<void> => {
    answers.shift()!();
    await Promise.resolve();
    await Promise.resolve();
  };
  noteCalls({ state, ask: ask as unknown as Session["ask"] }, ui);
  ui.set({ panel: "calls" });
  expect(asked).toEqual([["watchCalls", true, undefined, undefined]]);
  expect(watched.get().log).toBeUndefined();
  await answer();
  const first = watched.get().log;
  expect(first).toBeDefined();
  // what concerns something else asks for nothing
  ui.set({ width: 40 });
  state.set({ power: "paused" });
  expect(asked.length).toBe(1);
  // another process is another list; an answer that comes too late is not this one's
  ui.set({ focus: 7 });
  ui.set({ focus: 8 });
  expect(asked.slice(1)).toEqual([["watchCalls", true, undefined, 7], ["watchCalls", true, undefined, 8]]);
  await answer();
  expect(watched.get().log).toBeUndefined();
  await answer();
  expect(watched.get().log).toBeGreaterThan(first!);
  ui.set({ panel: "memory" });
  expect(asked.at(-1)![1]).toBe(false);
  expect(watched.get().log).toBeUndefined();
  ui.set({ panel: "calls" });
  // a machine that is off is asked nothing; the next one is asked again
  state.set({ power: "off" });
  const before = asked.length;
  ui.set({ panel: "cpu" });
  ui.set({ panel: "calls" });
  expect(asked.length).toBe(before);
  state.set({ power: "running" });
  expect(asked.length).toBe(before + 1);
});
