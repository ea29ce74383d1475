// src/inspect/poll.ts — asks the machine a few times a second while a panel is open and the page is seen.
import { useEffect, useState } from "react";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";

const PERIOD_MS = 250;

/** The last answer of `ask`; undefined while the machine is off. `ask` must not change between renders. */
export function usePoll<T>(session: Session, ask: (session: Session) => Promise<T>, period = PERIOD_MS, turn: unknown = 0): T | undefined {
  const { power, stopped } = useStore(session.state);
  const [value, setValue] = useState<T>();
  const on = power === "running" || power === "paused" || power === "halted" || power === "crashed";
  useEffect(() => {
    if (!on) return;
    let ended = false;
    // a machine that stands still changes only when somebody types or pokes
    const pause = power === "running" ? period : 4 * period;
    const look = async (): Promise<void> => {
      while (!ended) {
        if (!document.hidden) {
          try {
            const answer = await ask(session);
            if (!ended) setValue(answer);
          } catch {
            // the machine was switched off in between
          }
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    };
    void look();
    return () => {
      ended = true;
    };
  }, [session, ask, on, period, power, stopped, turn]);
  return on ? value : undefined;
}
