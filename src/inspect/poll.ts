// src/inspect/poll.ts — asks the machine a few times a second while a panel is open and the page is seen.
import type { Remote } from "comlink";
import { useEffect, useState } from "react";
import type { MachineControl } from "../../worker/protocol.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";

const PERIOD_MS = 250;

/** The last answer of `ask`; undefined while the machine is off. `ask` must not change between renders. */
export function usePoll<T>(session: Session, ask: (control: Remote<MachineControl>) => Promise<T>, period = PERIOD_MS): T | undefined {
  const { power } = useStore(session.state);
  const [value, setValue] = useState<T>();
  const on = power === "running" || power === "paused" || power === "halted" || power === "crashed";
  useEffect(() => {
    if (!on) return;
    let ended = false;
    const look = async (): Promise<void> => {
      while (!ended) {
        if (!document.hidden) {
          try {
            const answer = await ask(session.control);
            if (!ended) setValue(answer);
          } catch {
            // the machine was switched off in between
          }
        }
        await new Promise((resolve) => setTimeout(resolve, period));
      }
    };
    void look();
    return () => {
      ended = true;
    };
  }, [session, ask, on, period]);
  return on ? value : undefined;
}
