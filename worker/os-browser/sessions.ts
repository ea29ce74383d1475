// worker/os-browser/sessions.ts — a tab's machine in the browser's database: a snapshot now and then, and every event since, so that nothing is lost with the tab.
import type { SavedSession } from "../protocol.ts";
import { answer, change } from "./database.ts";
import { lockName } from "./lock.ts";

export interface Saved {
  readonly about: SavedSession;
  /** gzip of a snapshot file */
  readonly snapshot: Uint8Array<ArrayBuffer>;
  /** events that the snapshot has */
  readonly events: number;
  /** of the disk at power-on */
  readonly overlay: readonly (readonly [number, Uint8Array<ArrayBuffer>])[];
}

/** What a tab has locked while its machine is kept as session `id`. */
export const sessionLock = (id: string): string => `session ${id}`;

/** Sessions of other tabs that are kept. */
const OTHERS = 2;

// keys: [id] -> Saved, [id, n] -> event number n
const ofSession = (id: string): IDBKeyRange => IDBKeyRange.bound([id], [id, []]);
const events = (id: string, from = 0): IDBKeyRange => IDBKeyRange.bound([id, from], [id, Infinity]);

/** Stores a snapshot, in one transaction with letting go of the events that it has in it; `fresh`: of all events, which are of another past. Of older sessions few are kept. */
export async function saveSession(db: IDBDatabase, id: string, saved: Saved, fresh: boolean): Promise<void> {
  await change(db, ["sessions"], (t) => {
    const store = t.objectStore("sessions");
    store.put(saved, [id]);
    store.delete(fresh ? events(id) : IDBKeyRange.bound([id, 0], [id, saved.events], false, true));
    const keys = store.getAllKeys();
    keys.onsuccess = () => {
      const others = [...new Set((keys.result as [string, number?][]).map(([other]) => other))].filter((other) => other !== id);
      // ids begin with the time of their making
      for (const old of others.sort().slice(0, -OTHERS)) store.delete(ofSession(old));
    };
  });
}
/** Events from number `from` on; those that were there from `from` on are of a past that was left. */
export function saveEvents(db: IDBDatabase, id: string, from: number, list: readonly unknown[]): Promise<void> {
  return change(db, ["sessions"], (t) => {
    const store = t.objectStore("sessions");
    store.delete(events(id, from));
    list.forEach((e, i) => store.put(e, [id, from + i]));
  });
}
export async function loadSession(db: IDBDatabase, id: string): Promise<(Saved & { readonly tail: unknown[] }) | undefined> {
  const store = db.transaction("sessions").objectStore("sessions");
  const [saved, keys, list] = await Promise.all([
    answer(store.get([id])) as Promise<Saved | undefined>,
    answer(store.getAllKeys(events(id))) as Promise<[string, number][]>,
    answer(store.getAll(events(id))) as Promise<unknown[]>,
  ]);
  if (saved === undefined) return undefined;
  // without a gap, from the snapshot on
  const first = keys.findIndex(([, n]) => n === saved.events);
  let count = 0;
  while (first >= 0 && keys[first + count]?.[1] === saved.events + count) count++;
  return { ...saved, tail: first < 0 ? [] : list.slice(first, first + count) };
}
/** The newest session whose tab is gone: nobody holds its lock. Where the browser has no locks nobody can tell, and there is none. */
export async function lostSession(db: IDBDatabase, own: string): Promise<{ readonly id: string; readonly about: SavedSession } | undefined> {
  if (!("locks" in navigator)) return undefined;
  const { held = [] } = await navigator.locks.query();
  const taken = new Set(held.map((l) => l.name));
  const store = db.transaction("sessions").objectStore("sessions");
  const keys = (await answer(store.getAllKeys())) as [string, number?][];
  const ids = keys.flatMap(([id, n]) => (n === undefined && id !== own && !taken.has(lockName(sessionLock(id))) ? [id] : []));
  const id = ids.sort().at(-1);
  return id === undefined ? undefined : { id, about: ((await answer(db.transaction("sessions").objectStore("sessions").get([id]))) as Saved).about };
}
export function forgetSession(db: IDBDatabase, id: string): Promise<void> {
  return change(db, ["sessions"], (t) => t.objectStore("sessions").delete(ofSession(id)));
}
