// src/preflight.ts — what this browser can and cannot, one sentence each, and what to do about it: before a workshop, not in it.
import { size } from "./format.ts";
import { offline } from "./offline.ts";
import type { Session } from "./session.ts";

/** good; worth knowing, and it works all the same; it does not work */
export type Verdict = "good" | "note" | "bad";
export interface Finding {
  readonly what: string;
  readonly verdict: Verdict;
  readonly words: string;
}

/** a function that does i8x16.splat and drops it: valid where SIMD is */
const SIMD = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11);
/** M instructions per second below which waiting is no fun */
const SLOW = 20;
/** instructions after which a speed says something of the computer: programs are fast when they are compiled */
const MEASURED = 100e6;

function wasm(): Finding {
  const what = "WebAssembly";
  if (typeof WebAssembly === "undefined") return { what, verdict: "bad", words: "This browser has no WebAssembly, so no machine: use a current Firefox, Chromium or Safari. Some browsers switch it off in a lockdown mode." };
  if (!WebAssembly.validate(SIMD)) return { what, verdict: "bad", words: "WebAssembly is there, but not its SIMD part, which the processor is made of: update the browser." };
  return { what, verdict: "good", words: "There, with SIMD." };
}
function shared(): Finding {
  const what = "Shared memory";
  if (globalThis.crossOriginIsolated && typeof SharedArrayBuffer !== "undefined") return { what, verdict: "good", words: "There: the page is isolated." };
  return { what, verdict: "note", words: `Not there, because ${isSecureContext ? "the server does not send the isolation headers" : "the address is plain HTTP"}. All works but um=ptrace, which needs two workers on one memory.` };
}
/** IndexedDB is tried, not asked for. */
async function storage(): Promise<Finding> {
  const what = "Storage";
  try {
    await new Promise<void>((resolve, reject) => {
      const open = indexedDB.open("pagezero.preflight", 1);
      open.onupgradeneeded = () => open.result.createObjectStore("s");
      open.onerror = () => reject(open.error ?? new Error("refused"));
      open.onsuccess = () => {
        const t = open.result.transaction("s", "readwrite");
        t.objectStore("s").put(new Uint8Array(1 << 20), "k");
        t.oncomplete = () => {
          open.result.close();
          indexedDB.deleteDatabase("pagezero.preflight");
          resolve();
        };
        t.onabort = () => reject(t.error ?? new Error("refused"));
      };
    });
  } catch (e) {
    return { what, verdict: "note", words: `This window keeps nothing (${e instanceof Error ? e.message : String(e)}). Machines run on scratch copies; download what you want to have afterwards.` };
  }
  const estimate = await (navigator.storage as StorageManager | undefined)?.estimate?.().catch(() => undefined);
  const free = estimate?.quota === undefined ? undefined : estimate.quota - (estimate.usage ?? 0);
  if (free === undefined) return { what, verdict: "good", words: "Disks can be kept here; the browser does not say how much. Close to private windows and they are gone." };
  if (free < 100e6) return { what, verdict: "note", words: `Disks can be kept here, but only ${size(free)} are free: make room, or use scratch copies.` };
  return { what, verdict: "good", words: `Disks can be kept here; about ${size(free)} are free. In a private window they go with the window.` };
}
/** The page is kept, and so is all of the disk image. */
export const WITHOUT_NETWORK = "Without a network";
async function net(session: Session): Promise<Finding> {
  const what = WITHOUT_NETWORK;
  const { state, why } = offline.get();
  const rows = state === "ready" ? await session.control.disks().catch(() => []) : [];
  const wanting = rows.reduce((n, r) => n + r.wanting, 0);
  if (wanting > 0) return { what, verdict: "note", words: `The page is kept; ${wanting} ${wanting === 1 ? "part" : "parts"} of the disk image are still to come. It is looked at again in a moment.` };
  if (state === "ready") return { what, verdict: "good", words: `The page works without a network: ${why}` };
  if (state === "preparing" || state === "unknown") return { what, verdict: "note", words: "Being prepared. It is looked at again in a moment." };
  return { what, verdict: "note", words: why };
}
function clipboard(): Finding {
  const what = "Clipboard";
  if ((navigator.clipboard as Clipboard | undefined)?.readText !== undefined) return { what, verdict: "good", words: "Copy and paste buttons work; the browser may ask once." };
  return { what, verdict: "note", words: "The page may not read the clipboard here: Paste opens a box to paste into, and Copy shows a text to copy where it must." };
}
function screen(): Finding {
  const what = "Window";
  const { innerWidth: w, innerHeight: h } = window;
  if (w >= 900 && h >= 500) return { what, verdict: "good", words: `${w} × ${h}: console, panel and lesson fit beside each other.` };
  return { what, verdict: "note", words: `${w} × ${h}: one of console, panel and lesson is seen at a time; the row at the bottom chooses. A wider window shows all three.` };
}
/** The server's clock says whether ours is right. */
async function clock(): Promise<Finding> {
  const what = "Clock";
  const date = await fetch("images/manifest.json", { method: "HEAD", cache: "no-store" }).then((r) => r.headers.get("date"), () => null);
  const off = date === null ? 0 : Math.abs(Date.now() - Date.parse(date)) / 1000;
  if (off > 300) return { what, verdict: "note", words: `This computer’s clock is ${Math.round(off / 60)} minutes off the server’s. The guest has a clock of its own; dates of kept disks will look odd.` };
  return { what, verdict: "good", words: "Right, to a few minutes." };
}
function speed(session: Session): Finding {
  const what = "Speed";
  const { fastest: mips } = session;
  if (mips === 0 || session.worked < MEASURED) return { what, verdict: "note", words: "Not measured: the machine has hardly worked yet. Let it compute, for example seq 300000 | sha256sum, then look again." };
  const words = `Up to ${mips < 10 ? mips.toFixed(1) : Math.round(mips)} million instructions a second so far.`;
  return mips < SLOW ? { what, verdict: "note", words: `${words} That is slow: close other tabs, plug the laptop in.` } : { what, verdict: "good", words };
}

/** Looks at everything. */
export async function preflight(session: Session): Promise<readonly Finding[]> {
  return [wasm(), shared(), speed(session), await storage(), await net(session), clipboard(), screen(), await clock()];
}

/** Six characters for a sign-up form: what was found, without who. g good, n note, b bad, packed three to a digit pair. */
export function readyCode(findings: readonly Finding[]): string {
  const n = findings.reduce((sum, f) => sum * 3 + ["good", "note", "bad"].indexOf(f.verdict), 1);
  return `R${n.toString(36).toUpperCase().padStart(5, "0")}`;
}
