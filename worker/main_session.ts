// worker/main_session.ts — keeps the tab's machine, if the person wants that: in the background, within a budget.
import { fromLinkEvents, toLinkEvents } from "./link/events.ts";
import { gzip } from "./os-browser/codec.ts";
import { forgetSession, saveEvents, saveSession } from "./os-browser/sessions.ts";
import type { SavedSession } from "./protocol.ts";
import type { LinkEvent } from "./protocol/link.ts";
import type { Timeline } from "./replay/timeline.ts";

/** host ms between two snapshots, and of running after which there is one */
const EVERY_MS = 10_000;
/** bytes that a session may take, packed */
export const SESSION_BUDGET = 64 << 20;

type About = Omit<SavedSession, "saved" | "at" | "size">;

/** The events of a stored session, as the machine has them. */
export const storedEvents = (tail: readonly unknown[]): ReturnType<typeof fromLinkEvents> => fromLinkEvents(tail as LinkEvent[]);

export class SessionSaver {
  private readonly db: IDBDatabase;
  readonly id: string;
  private readonly about: About;
  private readonly overlay: readonly (readonly [number, Uint8Array<ArrayBuffer>])[];
  private readonly timeline: Timeline;
  private readonly note: (text: string) => void;
  private saving = false;
  private over = false;
  private lastAt = -Infinity;
  /** since when one is due */
  private dueAt: number | undefined;
  private retired = -1;
  /** events stored, and of which branch; undefined: there is no snapshot of this branch yet */
  private stored = 0;
  private branch: number | undefined;

  constructor(db: IDBDatabase, id: string, about: About, overlay: SessionSaver["overlay"], timeline: Timeline, note: (text: string) => void) {
    this.db = db;
    this.id = id;
    this.about = about;
    this.overlay = overlay;
    this.timeline = timeline;
    this.note = note;
  }

  /** What has come from outside since: called whenever something may have. */
  events(): void {
    const { timeline } = this;
    const { log } = timeline.machine;
    if (this.over || !timeline.live || this.branch !== timeline.current || log.length <= this.stored) return;
    const from = this.stored;
    this.stored = log.length;
    void saveEvents(this.db, this.id, from, toLinkEvents(log.slice(from))).catch((e: unknown) => this.end(e));
  }
  /** Is it time for a snapshot? */
  due(now: number): boolean {
    const due = !this.over && !this.saving && this.timeline.live && this.timeline.machine.retired !== this.retired && (this.branch !== this.timeline.current || now - this.lastAt >= EVERY_MS);
    this.dueAt = due ? (this.dueAt ?? now) : undefined;
    return due;
  }
  /** It has been due for so long that a machine that never sleeps for long enough gets one all the same. */
  late(now: number): boolean {
    return this.dueAt !== undefined && now - this.dueAt >= EVERY_MS;
  }
  /** Begins with one of the present moment, of a machine that stands still and does not wait for its host; it is stored in the background, by turns with the machine. */
  take(now: number, turn: () => Promise<void>): void {
    const { timeline } = this;
    this.saving = true;
    this.lastAt = now;
    this.retired = timeline.machine.retired;
    const saving = timeline.saving(new Map());
    const events = timeline.machine.log.length;
    const { current } = timeline;
    const { at } = timeline.now;
    void this.store(saving, at, events, current, turn).catch((e: unknown) => this.end(e)).finally(() => {
      this.saving = false;
    });
  }
  private async store(saving: ReturnType<Timeline["saving"]>, at: number, events: number, branch: number, turn: () => Promise<void>): Promise<void> {
    let file: Uint8Array<ArrayBuffer>;
    for (;;) {
      await turn();
      const { done, value } = saving.next();
      if (done !== true) continue;
      file = value;
      break;
    }
    const snapshot = await gzip(file);
    // it was forgotten meanwhile
    if (this.over) return;
    if (snapshot.length > SESSION_BUDGET) {
      await this.forget();
      this.note(`The machine has become too large to be kept over a reload (${(snapshot.length / 1e6).toFixed(0)} MB, and ${SESSION_BUDGET >> 20} MiB are allowed). Its disk is kept as before.`);
      return;
    }
    const fresh = this.branch !== branch;
    await saveSession(this.db, this.id, { about: { ...this.about, saved: Date.now(), at, size: snapshot.length }, snapshot, events, overlay: this.overlay }, fresh);
    if (fresh) this.stored = events;
    this.branch = branch;
    this.events();
  }
  private end(e: unknown): void {
    if (this.over) return;
    this.over = true;
    this.note(`The machine is no longer kept over a reload: ${e instanceof Error ? e.message : String(e)}.`);
  }
  /** Nothing is kept any more. */
  async forget(): Promise<void> {
    this.over = true;
    await forgetSession(this.db, this.id);
  }
}
