// link/fields.ts — the readable keys of a boot link: one table for parsing, writing, explaining and the share dialog.
//
// A link is the fragment of an address: `#/SCREEN?b=1&i=NAME~HASH&...` (docs/links.md). Everything stays in the browser: a fragment is
// never sent to a server. Nothing in a link can raise the caps below.

import type { BootLink } from "../protocol/link.ts";

export const CAPS = { mem: 1024, minMem: 16, append: 512, line: 2047, title: 80, at: 1e12, packed: 64 * 1024, unpacked: 1024 * 1024, input: 10_000, files: 100 } as const;
/** the guest's clock at power-on where a link says nothing: a constant, so that a link stays the same machine */
export const DEFAULT_CLOCK = 1_700_000_000;
export const DEFAULT_MEM = 256;

export const defaultLink = (image: string): BootLink => ({
  format: 1,
  screen: "",
  image: { name: image, hash: undefined },
  engine: undefined,
  mem: DEFAULT_MEM,
  seed: "0",
  clock: DEFAULT_CLOCK,
  append: "",
  line: undefined,
  at: undefined,
  ns: undefined,
  title: "",
  fingerprint: undefined,
  source: undefined,
  extra: {},
  unknown: [],
});

interface Field {
  readonly key: string;
  /** what the share dialog calls it */
  readonly label: string;
  /** Takes the value into the link, or says what is wrong with it. */
  readonly parse: (link: BootLink, value: string) => string | undefined;
  /** The value to write, or undefined when it is the default. */
  readonly write: (link: BootLink) => string | undefined;
}

function wholeNumber(value: string, min: number, max: number, what: string): number | string {
  if (!/^\d{1,15}$/.test(value)) return `${what} should be a whole number, not "${value}"`;
  const n = Number(value);
  return n < min || n > max ? `${what} should be from ${min} to ${max}, not ${n}` : n;
}
function number(min: number, max: number, what: string, set: (link: BootLink, n: number) => void) {
  return (link: BootLink, value: string): string | undefined => {
    const n = wholeNumber(value, min, max, what);
    if (typeof n === "string") return n;
    set(link, n);
    return undefined;
  };
}
function text(max: number, what: string, set: (link: BootLink, s: string) => void) {
  return (link: BootLink, value: string): string | undefined => {
    // biome-ignore lint: control characters are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(value)) return `${what} has control characters in it`;
    if (value.length > max) return `${what} has ${value.length} characters; ${max} are allowed`;
    set(link, value);
    return undefined;
  };
}

/** In the order in which they are written; `b` and `x` are handled by link.ts itself. */
export const FIELDS: readonly Field[] = [
  {
    key: "i",
    label: "image",
    parse: (link, value) => {
      const m = /^([\w.+-]{1,64})(?:~([0-9a-f]{12,64}))?$/.exec(value);
      if (!m) return `the image should be NAME or NAME~HASH, not "${value.slice(0, 80)}"`;
      link.image = { name: m[1]!, hash: m[2] };
      return undefined;
    },
    write: (l) => (l.image.hash === undefined ? l.image.name : `${l.image.name}~${l.image.hash.slice(0, 12)}`),
  },
  {
    key: "k",
    label: "engine",
    parse: (link, value) => {
      if (!/^[\w.+-]{1,32}(~[0-9a-f]{4,64})?$/.test(value)) return `the engine should be VERSION~HASH, not "${value.slice(0, 80)}"`;
      link.engine = value;
      return undefined;
    },
    write: (l) => l.engine,
  },
  {
    key: "m",
    label: "memory",
    parse: number(CAPS.minMem, CAPS.mem, "the memory in MiB", (l, n) => (l.mem = n)),
    write: (l) => (l.mem === DEFAULT_MEM ? undefined : String(l.mem)),
  },
  {
    key: "s",
    label: "seed",
    parse: (link, value) => {
      if (!/^[0-9a-f]{1,16}$/.test(value)) return `the seed should be up to 16 hexadecimal digits, not "${value.slice(0, 40)}"`;
      link.seed = value;
      return undefined;
    },
    write: (l) => (l.seed === "0" ? undefined : l.seed),
  },
  {
    key: "t",
    label: "clock",
    parse: number(0, 253_402_300_799, "the clock in seconds since 1970", (l, n) => (l.clock = n)),
    write: (l) => (l.clock === DEFAULT_CLOCK ? undefined : String(l.clock)),
  },
  {
    key: "a",
    label: "command line",
    parse: text(CAPS.append, "the command line", (l, s) => (l.append = s)),
    write: (l) => l.append || undefined,
  },
  { key: "c", label: "whole command line", parse: text(CAPS.line, "the command line", (l, s) => (l.line = s)), write: (l) => l.line },
  {
    key: "at",
    label: "moment",
    parse: number(0, CAPS.at, "the moment in instructions", (l, n) => (l.at = n)),
    write: (l) => l.at?.toString(),
  },
  {
    key: "u",
    label: "clock at the moment",
    parse: number(0, 1e15 - 1, "the clock at the moment in nanoseconds", (l, n) => (l.ns = n)),
    write: (l) => l.ns?.toString(),
  },
  { key: "n", label: "title", parse: text(CAPS.title, "the title", (l, s) => (l.title = s)), write: (l) => l.title || undefined },
  {
    key: "fp",
    label: "fingerprint",
    parse: (link, value) => {
      if (!/^[0-9a-f]{16}$/.test(value)) return `the fingerprint should be 16 hexadecimal digits, not "${value.slice(0, 40)}"`;
      link.fingerprint = value;
      return undefined;
    },
    write: (l) => l.fingerprint,
  },
  {
    key: "src",
    label: "image from elsewhere",
    parse: (link, value) => {
      const m = /^(https?:\/\/[^\s~]{1,1000})~([0-9a-f]{64})(?:~([1-9][0-9]{0,12}))?$/.exec(value);
      if (!m) return "an image from elsewhere should be URL~SHA256, with all 64 digits of the hash, or URL~SHA256~BYTES";
      link.source = { url: m[1]!, hash: m[2]!, size: m[3] === undefined ? undefined : Number(m[3]) };
      return undefined;
    },
    write: (l) => (l.source ? `${l.source.url}~${l.source.hash}${l.source.size === undefined ? "" : `~${l.source.size}`}` : undefined),
  },
];
