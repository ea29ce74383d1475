// scripts/coverage.ts — which instructions occur in real programs, and which of them are defined and recorded.
// Usage: npx tsx scripts/coverage.ts [file or tar archive…]; a summary is also printed by npm run proof.
//
// What data between functions looks like when it is decoded is no instruction: where a file tells its functions (.eh_frame, symbols), shapes that occur
// outside of them only are counted apart.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { eh_frame_ranges } from "../worker/arch/um/eh_frame.ts";
import { Decoder, Insn, type Shape } from "../worker/cpu/decode.ts";
import { type Iced, loadIced } from "../worker/cpu/iced.ts";
import { GROUPS } from "../worker/cpu/vectors/shapes.ts";
import { parseVectors } from "../worker/cpu/vectors/vectors.ts";
import { readTar } from "../worker/lib/tar.ts";
import { USERSPACE } from "./userspace/compile.ts";
import { rootTree } from "./userspace/tree.ts";

/** Programs worth looking at, where this machine has them; the libraries that they load come with them. */
const USUAL = ["/bin/bash", "/usr/bin/perl", "/usr/bin/python3", "/usr/bin/openssl", "/usr/bin/sqlite3", "/usr/bin/ffmpeg", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1"];
/** ffmpeg loads two hundred libraries: those that code and decode. */
const CODECS = /\/lib(av|sw|postproc|x264|mp3lame|opus|vpx|dav1d|vorbis|theora|webp)/;
/** Alpine's, where the project's shared data is. */
const ALPINE = "../shared/data/alpine-minirootfs-3.20.3-x86_64.tar.gz";

/** Why a shape that occurs in real files is not defined, by mnemonic. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/_evex$/, "AVX-512, XOP: not advertised"],
  [/^vf(n?m(add|sub)|m(add|sub)(add|sub))(ss|sd|ps|pd)$/, "FMA4: AMD's of 2011, not advertised"],
  [/^(xbegin|xend|xabort|xtest)$/, "TSX: not advertised"],
  [/^(incssp[dq]|saveprevssp|rstorssp|wrss[dq]|setssbsy|clrssbsy)$/, "shadow stacks: not advertised"],
  [/^(rdpkru|wrpkru)$/, "protection keys: not advertised"],
  [/^(rdrand|rdseed)$/, "random numbers: not advertised, the kernel has them (getrandom)"],
  [/^(femms|pf.*|pi2f.|pf2i.|pavgusb|pmulhrw|pswapd)$/, "3DNow!: not advertised"],
  [/^(vmread|vmwrite|vmlaunch|vmresume|vmxoff|vmxon|vmptrld|vmptrst|vmclear|skinit|stgi|clgi|vmrun|vmload|vmsave|vmmcall|invlpga|invept|invvpid)$/, "virtual machines: #UD in user mode as on hardware"],
  [/^(rsm|getsec|pconfig|encls|enclu|tpause|umwait|umonitor|cldemote|ptwrite|enqcmd|movdir.*|clzero|monitorx|mwaitx|rdpru|invlpgb|tlbsync)$/, "#UD in user mode, or not advertised"],
  [/^(vpdp|vgf2p8|gf2p8|vpmadd52|vcvtne|tdp|tile|ldtilecfg|sttilecfg|vsha512|vsm3|vsm4|sha512)/, "later than v3: not advertised"],
  [/^(pause|xsaveopt|xsaves|xsavec|xrstors|fxsave64|fxrstor64)$/, "not advertised"],
];

export interface Source {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Executable sections of an ELF file by pieces: functions as far as the file tells them, and what lies between. */
function pieces(bytes: Uint8Array): { at: number; end: number; sure: boolean }[] {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || v.getUint32(0) !== 0x7f454c46 || bytes[4] !== 2 || v.getUint16(18, true) !== 62) return [];
  const u64 = (at: number): number => Number(v.getBigUint64(at, true));
  const phoff = u64(32), phnum = v.getUint16(56, true), shoff = u64(40), shnum = v.getUint16(60, true);
  const loads: { off: number; vaddr: number; size: number; x: boolean }[] = [];
  let header: number | undefined;
  for (let i = 0; i < phnum; i++) {
    const p = phoff + i * 56, type = v.getUint32(p, true);
    if (type === 1) loads.push({ off: u64(p + 8), vaddr: u64(p + 16), size: u64(p + 32), x: (v.getUint32(p + 4, true) & 1) !== 0 });
    if (type === 0x6474e550) header = u64(p + 16);
  }
  const fileAt = (vaddr: number): number | undefined => {
    const l = loads.find((s) => vaddr >= s.vaddr && vaddr < s.vaddr + s.size);
    return l === undefined ? undefined : vaddr - l.vaddr + l.off;
  };
  const text: { at: number; end: number }[] = [];
  const functions: { at: number; end: number }[] = [];
  for (let i = 0; i < shnum && shoff + (i + 1) * 64 <= bytes.length; i++) {
    const s = shoff + i * 64, type = v.getUint32(s + 4, true);
    if (type === 1 && (u64(s + 8) & 4) !== 0) text.push({ at: u64(s + 24), end: u64(s + 24) + u64(s + 32) });
    if (type === 2 || type === 11)
      for (let e = u64(s + 24), end = e + u64(s + 32); e < end; e += 24) {
        const at = (v.getUint8(e + 4) & 15) === 2 ? fileAt(u64(e + 8)) : undefined;
        if (at !== undefined && u64(e + 16) > 0) functions.push({ at, end: at + u64(e + 16) });
      }
  }
  if (text.length === 0) for (const l of loads) if (l.x) text.push({ at: l.off, end: l.off + l.size });
  if (header !== undefined) {
    const read = (vaddr: number, len: number): DataView | undefined => {
      const at = fileAt(vaddr);
      return at === undefined || at + len > bytes.length ? undefined : new DataView(bytes.buffer, bytes.byteOffset + at, len);
    };
    for (const f of eh_frame_ranges(read, header) ?? []) {
      const at = fileAt(f.start);
      if (at !== undefined) functions.push({ at, end: at + f.end - f.start });
    }
  }
  functions.sort((a, b) => a.at - b.at || b.end - a.end);
  const out: { at: number; end: number; sure: boolean }[] = [];
  for (const t of text) {
    const inside = functions.filter((f) => f.at >= t.at && f.end <= t.end);
    let at = t.at;
    for (const f of inside) {
      if (f.at < at) continue;
      if (f.at > at) out.push({ at, end: f.at, sure: inside.length === 0 });
      out.push({ ...f, sure: true });
      at = f.end;
    }
    if (at < t.end) out.push({ at, end: t.end, sure: inside.length === 0 });
  }
  return out;
}

/** Kinds and sizes only: that is what the interpreter makes a function of. */
const key = (s: Shape): string => `${["", "rep ", "repne "][s.form.rep]}${s.form.name} ${s.form.operands.map((o) => `${o.kind}${o.size}`).join(",")}`;

function decodeAll(iced: Iced, bytes: Uint8Array, each: (s: Shape) => void): void {
  const insn = new Insn(), decoder = new Decoder(iced, bytes, bytes.length, () => false);
  for (let at = 0; at < bytes.length; at += insn.length || 1) {
    decoder.decode(at, insn);
    if (insn.length > 0) each(insn.shape);
  }
}

/** Shapes that are recorded. */
function recordedShapes(iced: Iced): Set<string> {
  const recorded = new Set<string>();
  for (const g of GROUPS)
    for (const v of parseVectors(readFileSync(join(import.meta.dirname, "../worker/cpu/vectors", `${g.name}.txt`), "utf8")).vectors)
      if (v.seed === 0) decodeAll(iced, v.code, (s) => recorded.add(key(s)));
  return recorded;
}

interface Found {
  count: number;
  /** outside of what the files call functions */
  between: number;
  readonly name: string;
  readonly defined: boolean;
}

/** A summary, and with `detail` what is missing. */
export function coverage(iced: Iced, sources: Iterable<Source>, detail: boolean): string {
  const recorded = recordedShapes(iced);
  const found = new Map<string, Found>();
  let files = 0, undecodable = 0;
  for (const { bytes } of sources) {
    const all = pieces(bytes);
    if (all.length > 0) files++;
    for (const p of all)
      decodeAll(iced, bytes.subarray(p.at, p.end), (s) => {
        if (s.form.name === "invalid") {
          undecodable++;
          return;
        }
        const k = key(s);
        let f = found.get(k);
        if (f === undefined) found.set(k, (f = { count: 0, between: 0, name: s.form.name, defined: s.definition !== undefined }));
        if (p.sure) f.count++;
        else f.between++;
      });
  }
  const by = [...found].sort((a, b) => b[1].count - a[1].count || b[1].between - a[1].between);
  const sum = (l: typeof by): number => l.reduce((n, [, f]) => n + f.count, 0);
  const real = by.filter(([, f]) => f.count > 0), between = by.filter(([, f]) => f.count === 0);
  const total = sum(real);
  const has = real.filter(([k, f]) => f.defined && recorded.has(k));
  const unrecorded = real.filter(([k, f]) => f.defined && !recorded.has(k));
  const missing = real.filter(([, f]) => !f.defined);
  const reasons = new Map<string, typeof by>();
  for (const m of missing) {
    const why = ABSENT.find(([pattern]) => pattern.test(m[1].name))?.[1] ?? "NO REASON KNOWN";
    reasons.set(why, [...(reasons.get(why) ?? []), m]);
  }
  const list = (l: typeof by): string => l.map(([k, f]) => `${k} (${f.count || f.between})`).join("; ");
  const lines = [
    `coverage: ${files} files, ${total} instructions of ${real.length} shapes in functions; ${recorded.size} shapes are recorded`,
    `  ${has.length} shapes, ${((sum(has) / Math.max(total, 1)) * 100).toFixed(4)} % of the instructions, have vectors`,
    `  ${unrecorded.length} shapes, ${sum(unrecorded)} instructions, are defined and have none${unrecorded.length > 0 ? `: ${list(unrecorded.slice(0, detail ? Infinity : 20))}` : ""}`,
    `  ${missing.length} shapes, ${sum(missing)} instructions, are not here:`,
    ...[...reasons].map(([why, l]) => `    ${why}: ${l.length} shapes, ${sum(l)} instructions${detail || /NO REASON/.test(why) ? `: ${list(l.slice(0, 60))}` : ""}`),
    `  ${between.length} shapes occur between functions only, where data looks like them; ${undecodable} places are no instruction`,
  ];
  if (detail) {
    lines.push(`  between functions, defined, no vectors: ${list(between.filter(([k, f]) => f.defined && !recorded.has(k)))}`);
    lines.push(`  between functions, not defined: ${list(between.filter(([, f]) => !f.defined && !f.name.endsWith("_evex")))}`);
  }
  return lines.join("\n");
}

/** A file, or the files of an archive. */
export function* sourcesOf(path: string): Generator<Source> {
  if (!/\.(tar|tar\.gz|tgz)$/.test(path)) {
    yield { name: path, bytes: readFileSync(path) };
    return;
  }
  let tar = readFileSync(path);
  if (tar[0] === 0x1f && tar[1] === 0x8b) tar = gunzipSync(tar);
  for (const entry of readTar(tar)) if (entry.type === "file") yield { name: entry.name, bytes: entry.data };
}

/** What the issue names, as far as it is here: the guest's image, Alpine's tree, and this machine's programs with their libraries. */
export function* usualSources(): Generator<Source> {
  if (existsSync(USERSPACE)) for (const e of rootTree(USERSPACE)) if (e.type === "file" && typeof e.content !== "string") yield { name: e.path, bytes: e.content };
  if (existsSync(ALPINE)) yield* sourcesOf(ALPINE);
  const seen = new Set<string>();
  for (const program of USUAL.filter((f) => existsSync(f))) {
    const libraries = [...execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/=> (\/\S+)/g)].map((m) => m[1]!);
    for (const path of [program, ...(program.endsWith("ffmpeg") ? libraries.filter((l) => CODECS.test(l)) : libraries)]) {
      const real = realpathSync(path);
      if (!seen.has(real)) yield* sourcesOf(real);
      seen.add(real);
    }
  }
}

if (process.argv[1]?.endsWith("coverage.ts")) {
  const files = process.argv.slice(2);
  console.log(coverage(await loadIced(), files.length > 0 ? files.flatMap((f) => [...sourcesOf(f)]) : usualSources(), true));
}
