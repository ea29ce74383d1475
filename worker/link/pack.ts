// link/pack.ts — the packed part of a link: `1.` + base64url(deflate-raw(JSON)), with limits on both sides of the decompression.
import { fromBase64url, toBase64url } from "./base64.ts";
import { checkEvents } from "./events.ts";
import type { Extra } from "../protocol/link.ts";
import { CAPS } from "./fields.ts";

/** deflate-raw as the host has it; `limit` bytes at most come out of inflate, or it throws. */
export interface Codec {
  deflate(bytes: Uint8Array): Promise<Uint8Array>;
  inflate(bytes: Uint8Array, limit: number): Promise<Uint8Array>;
}

const isText = (v: unknown, max: number): v is string => typeof v === "string" && v.length <= max;

/** Checks what was unpacked, field by field; what is wrong is left out and told. */
export function checkExtra(value: unknown, problems: string[]): Extra {
  const extra: Extra = {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push("the packed part is not an object");
    return extra;
  }
  const v = value as Record<string, unknown>;
  if (v.command !== undefined) {
    if (isText(v.command, 4096)) extra.command = v.command;
    else problems.push("the command is not a text of at most 4096 characters");
  }
  if (v.notes !== undefined) {
    if (isText(v.notes, CAPS.unpacked)) extra.notes = v.notes;
    else problems.push("the notes are not a text");
  }
  if (v.input !== undefined) {
    const input = checkEvents(v.input);
    if (typeof input !== "string") extra.input = input;
    else problems.push(input);
  }
  if (v.files !== undefined) {
    const ok =
      Array.isArray(v.files) &&
      v.files.length <= CAPS.files &&
      v.files.every((e: unknown) => {
        const x = e as { path?: unknown; text?: unknown } | null;
        return typeof x === "object" && x !== null && isText(x.path, 4000) && /^\/[^\0]*$/.test(x.path) && !x.path.split("/").includes("..") && isText(x.text, CAPS.unpacked);
      });
    if (ok) extra.files = (v.files as { path: string; text: string }[]).map(({ path, text }) => ({ path, text }));
    else problems.push("the files are not a list of absolute paths with texts");
  }
  return extra;
}

export async function packExtra(extra: Extra, codec: Codec): Promise<string | undefined> {
  if (Object.keys(extra).length === 0) return undefined;
  // checkExtra puts the keys in one order: the same contents are the same link
  return `1.${toBase64url(await codec.deflate(utf8(JSON.stringify(checkExtra(extra, [])))))}`;
}

export async function unpackExtra(value: string, codec: Codec, problems: string[]): Promise<Extra> {
  const fail = (text: string): Extra => {
    problems.push(text);
    return {};
  };
  if (!value.startsWith("1.")) return fail("the packed part is of a form that this version does not know");
  if (value.length > CAPS.packed) return fail(`the packed part has ${value.length} characters; ${CAPS.packed} are allowed`);
  const bytes = fromBase64url(value.slice(2));
  if (!bytes) return fail("the packed part is damaged: it has characters that do not belong there");
  try {
    return checkExtra(JSON.parse(fromUtf8(await codec.inflate(bytes, CAPS.unpacked))), problems);
  } catch {
    return fail("the packed part is damaged, or unpacks to more than 1 MiB");
  }
}

export function utf8(s: string): Uint8Array {
  const e = unescape(encodeURIComponent(s));
  return Uint8Array.from(e, (c) => c.charCodeAt(0));
}
export function fromUtf8(bytes: Uint8Array): string {
  let s = "";
  for (let i = 0; i < bytes.length; i += 4096) s += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return decodeURIComponent(escape(s));
}
