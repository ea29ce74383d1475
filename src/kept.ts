// src/kept.ts — whether the tab's machine is to go on after a reload, a crash, or being discarded; and under which name it is kept.
import { ENGINE } from "./engine.ts";
import type { Session } from "./session.ts";
import { Store } from "./store.ts";

const CONSENT = "pagezero.session";
const TAB = "pagezero.tab";

function read(from: () => Storage, key: string): string | null {
  try {
    return from().getItem(key);
  } catch {
    return null;
  }
}
function write(from: () => Storage, key: string, value: string | undefined): void {
  try {
    if (value === undefined) from().removeItem(key);
    else from().setItem(key, value);
  } catch {
    // a window that keeps nothing
  }
}

/** The person has said so, in this browser. */
export const kept = new Store<{ readonly on: boolean }>({ on: read(() => localStorage, CONSENT) === "on" });

/** Of this tab: the same after a reload. Names sort by the time of their making. */
export function tabName(): string {
  let name = read(() => sessionStorage, TAB);
  if (name === null) {
    name = `${Date.now().toString(36).padStart(10, "0")}-${crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36)}`;
    write(() => sessionStorage, TAB, name);
  }
  return name;
}

/** From now on this tab is the one of that name, whose machine it goes on with. */
export const takeName = (name: string): void => write(() => sessionStorage, TAB, name);

export function setKept(session: Session, on: boolean): void {
  kept.set({ on });
  write(() => localStorage, CONSENT, on ? "on" : undefined);
  if (!on) void session.control.forgetSession(tabName()).catch(() => undefined);
  else if (session.isOn)
    void session.control
      .keepSession(tabName(), ENGINE)
      .then((can) => (can ? undefined : session.note("This machine cannot be kept over a reload: that is for machines with one disk, on guest time, that were not started by a link.")))
      .catch(() => undefined);
}
