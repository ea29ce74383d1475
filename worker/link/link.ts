// link/link.ts — reads and writes boot links. Reading never throws and never gives up: what is wrong is told field by field, the rest is used.
import type { BootLink, Problem } from "../protocol/link.ts";
import { CAPS, defaultLink, FIELDS } from "./fields.ts";
import { packExtra, unpackExtra, type Codec } from "./pack.ts";

export interface ParsedLink {
  readonly link: BootLink;
  /** one sentence for each field that could not be used */
  readonly problems: readonly Problem[];
}

const LONGEST = CAPS.packed + 16_384;

/** Whether a fragment is a boot link at all (and not just a screen's address). */
export const isBootLink = (fragment: string): boolean => /[?&]b=/.test(fragment);

function decode(s: string): string | undefined {
  try {
    return decodeURIComponent(s.replace(/\+/g, " "));
  } catch {
    return undefined;
  }
}

/** Parses the fragment of an address, with or without its `#`. `image` is the name of the site's own image. */
export async function parseLink(fragment: string, image: string, codec: Codec): Promise<ParsedLink> {
  const link = defaultLink(image);
  const problems: Problem[] = [];
  const bad = (key: string, text: string): void => void problems.push({ key, text });
  if (fragment.length > LONGEST) {
    bad("", `the link has ${fragment.length} characters; ${LONGEST} are allowed`);
    return { link, problems };
  }
  const [path = "", query = ""] = fragment.replace(/^#/, "").split(/\?(.*)/s);
  const screen = decode(path.replace(/^\//, ""));
  if (screen !== undefined && /^[\w/-]{0,40}$/.test(screen)) link.screen = screen;
  else bad("", "the screen's name has characters that do not belong there");
  const seen = new Set<string>();
  for (const part of query.split("&")) {
    if (part === "") continue;
    const eq = part.indexOf("=");
    const key = decode(eq < 0 ? part : part.slice(0, eq));
    const value = decode(eq < 0 ? "" : part.slice(eq + 1));
    if (key === undefined || value === undefined) {
      bad(part.slice(0, 20), "this part is not properly percent-encoded");
      continue;
    }
    if (seen.has(key)) {
      bad(key, "this key stands there twice; the first is used");
      continue;
    }
    seen.add(key);
    if (key === "b") {
      if (value !== "1") bad("b", `this link is of form "${value.slice(0, 20)}"; this version knows form 1`);
      continue;
    }
    if (key === "x") {
      const texts: string[] = [];
      link.extra = await unpackExtra(value, codec, texts);
      for (const t of texts) bad("x", t);
      continue;
    }
    const field = FIELDS.find((f) => f.key === key);
    if (!field) {
      link.unknown.push([key, value]);
      continue;
    }
    const text = field.parse(link, value);
    if (text !== undefined) bad(key, text);
  }
  return { link, problems };
}

export interface LinkPart {
  readonly key: string;
  readonly label: string;
  readonly text: string;
}

/** encodeURIComponent, but what a fragment may hold readably stays readable; half a character (a bundle's JSON can say it) has no encoding. */
const encode = (s: string): string => encodeURIComponent(s.replace(/\p{Cs}/gu, "\ufffd")).replace(/%(2F|3A|2C|3B|40|7E)/g, (m) => decodeURIComponent(m));

/** The parts of a link, for the share dialog, which shows the length of each. */
export async function linkParts(link: BootLink, codec: Codec): Promise<LinkPart[]> {
  const parts: LinkPart[] = [{ key: "b", label: "form", text: `b=${link.format}` }];
  for (const f of FIELDS) {
    const v = f.write(link);
    if (v !== undefined) parts.push({ key: f.key, label: f.label, text: `${f.key}=${encode(v)}` });
  }
  for (const [key, value] of link.unknown) parts.push({ key, label: "of a newer version", text: `${encode(key)}=${encode(value)}` });
  const x = await packExtra(link.extra, codec);
  if (x !== undefined) parts.push({ key: "x", label: "files, input and notes", text: `x=${x}` });
  return parts;
}

/** The fragment, with its `#`. */
export async function formatLink(link: BootLink, codec: Codec): Promise<string> {
  return `#/${link.screen}?${(await linkParts(link, codec)).map((p) => p.text).join("&")}`;
}

/** Where a link of this many characters fits. */
export function lengthAdvice(length: number): string {
  if (length <= 300) return "fits anywhere";
  if (length <= 2000) return "fits chat";
  if (length <= 8000) return "fits mail and notes";
  return "too long for most places: use a file";
}
