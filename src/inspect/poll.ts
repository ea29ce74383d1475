// src/inspect/poll.ts — asks the machine a few times a second while a panel is open and the page is seen.
import { useEffect, useState } from "react";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";

const PERIOD_MS = 250;

/** `next`, made of the parts of `old` that are equal to its own: what has not changed is the same object, and need not be drawn anew. Plain data only. */
export function reuse<T>(old: unknown, next: T): T {
  if (Object.is(old, next) || typeof old !== "object" || typeof next !== "object" || old === null || next === null) return next;
  if (ArrayBuffer.isView(next)) {
    const [a, b] = [old, next] as unknown as [Uint8Array, Uint8Array];
    return ArrayBuffer.isView(old) && a.length === b.length && b.every((v, i) => v === a[i]) ? (old as T) : next;
  }
  const before = old as Readonly<Record<string, unknown>>;
  const now = next as Record<string, unknown>;
  const keys = Object.keys(now);
  let same = Array.isArray(old) === Array.isArray(next) && Object.keys(before).length === keys.length;
  for (const k of keys) {
    now[k] = reuse(before[k], now[k]);
    same &&= Object.is(now[k], before[k]);
  }
  return same ? (old as T) : next;
}

/** The last answer of `ask`; undefined while the machine is off. `ask` must not change between renders. */
export function usePoll<T>(session: Session, ask: (session: Session) => Promise<T>, period = PERIOD_MS, turn: unknown = 0): T | undefined {
  const { power, stopped } = useStore(session.state);
  const [value, setValue] = useState<T>();
  const on = power === "running" || power === "paused" || power === "halted" || power === "crashed";
  useEffect(() => {
    if (!on) return;
    let ended = false;
    let wake = (): void => undefined;
    // a machine that stands still changes only when somebody types or pokes
    const pause = power === "running" ? period : 4 * period;
    const look = async (): Promise<void> => {
      while (!ended) {
        let wait = pause;
        if (!document.hidden) {
          try {
            const answer = await ask(session);
            if (!ended) setValue((old) => reuse(old, answer));
          } catch {
            // the machine was switched off in between, or is not there yet
            wait = Math.min(pause, PERIOD_MS);
          }
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, wait);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    };
    void look();
    // whoever comes back to the page sees what is, not what was
    const seen = (): void => {
      if (!document.hidden) wake();
    };
    document.addEventListener("visibilitychange", seen);
    return () => {
      ended = true;
      wake();
      document.removeEventListener("visibilitychange", seen);
    };
  }, [session, ask, on, period, power, stopped, turn]);
  return on ? value : undefined;
}
