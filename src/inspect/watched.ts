// src/inspect/watched.ts — the machine notes system calls while the panel for them is chosen: from the click on, which is before the panel's code has come.
import type { Session } from "../session.ts";
import { Store } from "../store.ts";
import type { Ui } from "../ui.ts";

/** `log`: the list that the machine has said it writes now, by number: each begins anew. undefined: none, or not yet. */
export const watched = new Store<{ readonly log: number | undefined }>({ log: undefined });

/** Has the calls noted whenever the panel is chosen and the machine is on; of one process, if the panels are about one. */
export function noteCalls(session: Pick<Session, "ask" | "state">, ui: Store<Ui>): void {
  let asked: string | undefined;
  let turn = 0;
  const look = async (): Promise<void> => {
    const { power } = session.state.get();
    const { panel, focus } = ui.get();
    const live = power === "running" || power === "paused";
    const wanted = live && panel === "calls" ? String(focus ?? "all") : undefined;
    if (wanted === asked) return;
    asked = wanted;
    const mine = ++turn;
    watched.set({ log: undefined });
    // with the machine off, its lists are gone
    if (!live) return;
    try {
      await session.ask("watchCalls", wanted !== undefined, undefined, focus);
      if (wanted !== undefined && mine === turn) watched.set({ log: mine });
    } catch {
      // the machine was switched off meanwhile: looked at again with its next state
    }
  };
  session.state.subscribe(() => void look());
  ui.subscribe(() => void look());
}
