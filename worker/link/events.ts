// link/events.ts — what came from outside, as a link or a bundle writes it.
import type { LinkEvent } from "../protocol/link.ts";
import { fromBase64url, toBase64url } from "./base64.ts";
import { FILE_MAX, NAME_MAX } from "../fs/hostfs/hostfs_kern.ts";
import { CAPS } from "./fields.ts";

/** As the machine has it (machine/input.ts, InputEvent). */
type MachineEvent = { readonly at: number; readonly ns: number } & (
  | { readonly line: number; readonly bytes: Uint8Array }
  | { readonly line: number; readonly size: { readonly cols: number; readonly rows: number } }
  | { readonly clock: number }
  | { readonly poke: { readonly address: number; readonly bytes: Uint8Array } }
  | { readonly file: { readonly name: string; readonly bytes: Uint8Array } }
);

/** characters of one event, and in all of them */
const LONGEST = 65_536;
const LINES = 16;

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

/** The bytes as text, if they are nothing but text. */
function asText(bytes: Uint8Array): string | undefined {
  let s = "";
  for (const b of bytes) s += String.fromCharCode(b);
  try {
    const text = decodeURIComponent(escape(s));
    return unescape(encodeURIComponent(text)) === s ? text : undefined;
  } catch {
    return undefined;
  }
}

export function toLinkEvents(log: readonly MachineEvent[]): LinkEvent[] {
  return log.map((e): LinkEvent => {
    const { at, ns } = e;
    if ("clock" in e) return { at, ns, clock: e.clock };
    if ("poke" in e) return { at, ns, poke: e.poke.address, hex: toHex(e.poke.bytes) };
    if ("file" in e) return { at, ns, file: e.file.name, data: toBase64url(e.file.bytes) };
    const where = e.line === 0 ? { at, ns } : { at, ns, line: e.line };
    if ("size" in e) return { ...where, size: [e.size.cols, e.size.rows] };
    const text = asText(e.bytes);
    return text === undefined ? { ...where, hex: toHex(e.bytes) } : { ...where, text };
  });
}

export function fromLinkEvents(events: readonly LinkEvent[]): MachineEvent[] {
  return events.map((e): MachineEvent => {
    const { at, ns = 0, line = 0 } = e;
    if (e.clock !== undefined) return { at, ns, clock: e.clock };
    if (e.file !== undefined) return { at, ns, file: { name: e.file, bytes: fromBase64url(e.data ?? "") ?? new Uint8Array(0) } };
    if (e.size !== undefined) return { at, ns, line, size: { cols: e.size[0], rows: e.size[1] } };
    const bytes = e.hex !== undefined ? Uint8Array.from(e.hex.match(/../g) ?? [], (h) => parseInt(h, 16)) : Uint8Array.from(unescape(encodeURIComponent(e.text ?? "")), (c) => c.charCodeAt(0));
    return e.poke === undefined ? { at, ns, line, bytes } : { at, ns, poke: { address: e.poke, bytes } };
  });
}

const isCount = (v: unknown, max: number): v is number => Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) <= max;
const isNothing = (v: unknown): v is undefined => v === undefined;

/** One event in its canonical form, or undefined. */
function checkEvent(v: unknown): LinkEvent | undefined {
  if (typeof v !== "object" || v === null) return undefined;
  const e = v as Record<string, unknown>;
  if (!isCount(e.at, CAPS.at) || !(isNothing(e.ns) || isCount(e.ns, Number.MAX_SAFE_INTEGER)) || !(isNothing(e.line) || isCount(e.line, LINES - 1))) return undefined;
  const out: LinkEvent = { at: e.at };
  if (e.ns !== undefined) out.ns = e.ns;
  if (e.line !== undefined && e.line !== 0) out.line = e.line;
  if ([e.text, e.hex, e.size, e.clock, e.file].filter((x) => x !== undefined).length !== 1) return undefined;
  if (typeof e.text === "string" && e.text.length > 0 && e.text.length <= LONGEST && !/\p{Cs}/u.test(e.text)) out.text = e.text;
  else if (typeof e.hex === "string" && e.hex.length <= 2 * LONGEST && /^([0-9a-f]{2})+$/.test(e.hex)) out.hex = e.hex;
  else if (Array.isArray(e.size) && e.size.length === 2 && e.size.every((n) => isCount(n, 4096) && n > 0)) out.size = [e.size[0] as number, e.size[1] as number];
  else if (typeof e.file === "string" && e.file.length > 0 && e.file.length <= NAME_MAX && typeof e.data === "string" && e.data.length <= Math.ceil((FILE_MAX * 4) / 3) && /^[\w-]*$/.test(e.data) && e.data.length % 4 !== 1) {
    out.file = e.file;
    out.data = e.data;
  } else if (isCount(e.clock, Number.MAX_SAFE_INTEGER)) out.clock = e.clock;
  else return undefined;
  if (e.poke !== undefined) {
    if (!isCount(e.poke, 2 ** 31) || out.hex === undefined || out.line !== undefined) return undefined;
    out.poke = e.poke;
  }
  return out;
}

/** A list of events from elsewhere, or a sentence about what is wrong with it. */
export function checkEvents(v: unknown): LinkEvent[] | string {
  if (!Array.isArray(v)) return "the input is not a list";
  if (v.length > CAPS.input) return `the input has ${v.length} events; ${CAPS.input} are allowed`;
  const out: LinkEvent[] = [];
  let last: LinkEvent = { at: 0 };
  for (const [i, x] of v.entries()) {
    const e = checkEvent(x);
    if (e === undefined) return `event ${i + 1} of the input is none: it needs at, and one of text, hex, size, clock or file`;
    if (e.at < last.at || (e.at === last.at && (e.ns ?? 0) < (last.ns ?? 0))) return `event ${i + 1} of the input comes before the one ahead of it: their instruction numbers must ascend`;
    out.push(e);
    last = e;
  }
  return out;
}
