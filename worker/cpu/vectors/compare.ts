// worker/cpu/vectors/compare.ts — what a case changed, as text; and what of it the manual leaves undefined

import { USER_CS, USER_SS } from "../insn/segment.ts";
import { CODE, FS_BASE, GS_BASE, type Outcome, type State } from "./state.ts";

export const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"] as const;

const hexBytes = (b: Uint8Array): string => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
const FLAGS = 0xcd5;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"], SELECTORS = [0, USER_CS, USER_SS, 0, 0, 0];

/** Changes by name: registers, fl (CF PF AF ZF SF DF OF), mx, fcw, fsw, ftw, x0…, st0…, m<offset>, and how it ended. */
export function changes(from: State, to: Outcome): Map<string, string> {
  const out = new Map<string, string>();
  // The int3 behind the code is the normal end.
  const ip = Number(to.rip) - CODE;
  out.set("end", to.trap === 3 ? `${ip}` : `${ip}/${to.trap}${to.trap === 14 ? `/${to.err & 2}/${to.cr2.toString(16)}` : ""}`);
  for (let i = 0; i < 16; i++) if (from.gpr[i] !== to.gpr[i]) out.set(REGISTERS[i]!, to.gpr[i]!.toString(16));
  const a = Number(from.rflags) & FLAGS, b = Number(to.rflags) & FLAGS;
  if (a !== b) out.set("fl", b.toString(16));
  if (to.fsBase !== BigInt(FS_BASE)) out.set("fsbase", to.fsBase.toString(16));
  if (to.gsBase !== BigInt(GS_BASE)) out.set("gsbase", to.gsBase.toString(16));
  to.selectors.forEach((s, i) => {
    // a null selector loses its privilege on the way back from the kernel
    if ((s <= 3 ? 0 : s) !== SELECTORS[i]) out.set(SEGMENTS[i]!, s.toString(16));
  });
  const x = new DataView(from.fx.buffer, from.fx.byteOffset), y = new DataView(to.fx.buffer, to.fx.byteOffset);
  const word = (name: string, at: number, size: 1 | 2 | 4): void => {
    const get = (v: DataView): number => (size === 4 ? v.getUint32(at, true) : size === 2 ? v.getUint16(at, true) : v.getUint8(at));
    if (get(x) !== get(y)) out.set(name, get(y).toString(16));
  };
  word("mx", 24, 4);
  word("fcw", 0, 2);
  word("fsw", 2, 2);
  word("ftw", 4, 1);
  const slice = (name: string, at: number, n: number): void => {
    const u = from.fx.subarray(at, at + n), v = to.fx.subarray(at, at + n);
    if (u.some((c, i) => c !== v[i])) out.set(name, hexBytes(v));
  };
  // By physical number: then a change of TOP alone changes nothing else.
  const topA = (x.getUint16(2, true) >> 11) & 7, topB = (y.getUint16(2, true) >> 11) & 7;
  for (let p = 0; p < 8; p++) {
    const u = from.fx.subarray(32 + ((p - topA) & 7) * 16, 42 + ((p - topA) & 7) * 16), v = to.fx.subarray(32 + ((p - topB) & 7) * 16, 42 + ((p - topB) & 7) * 16);
    if (u.some((c, i) => c !== v[i])) out.set(`f${p}`, hexBytes(v));
  }
  for (let i = 0; i < 16; i++) slice(`x${i}`, 160 + 16 * i, 16);
  if (from.avx)
    for (let i = 0; i < 16; i++) {
      const u = from.ymmh.subarray(16 * i, 16 * i + 16), v = to.ymmh.subarray(16 * i, 16 * i + 16);
      if (u.some((c, n) => c !== v[n])) out.set(`y${i}`, hexBytes(v));
    }
  for (let i = 0; i < from.data.length; ) {
    if (from.data[i] === to.data[i]) {
      i++;
      continue;
    }
    // A run ends where eight bytes are unchanged.
    let end = i + 1;
    for (let j = i; j < from.data.length && j < end + 8; j++) if (from.data[j] !== to.data[j]) end = j + 1;
    out.set(`m${i.toString(16)}`, hexBytes(to.data.subarray(i, end)));
    i = end;
  }
  return out;
}

export function format(c: Map<string, string>): string {
  return [...c].map(([k, v]) => `${k}=${v}`).join(" ");
}

const CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;

/** Flags that the SDM leaves undefined after this instruction from this state. */
export function undefinedFlags(asm: string, from: State): number {
  const [mnemonic, ...rest] = asm.split("; ").at(-1)!.replace(/^(lock|rep|repe|repne|addr32) /, "").split(" ");
  const last = rest.join(" ").split(", ").at(-1) ?? "";
  switch (mnemonic) {
    case "program": return AF;
    case ".byte": return /^(0xd[0-3]|0xc[01]|0x48, 0xd3|0x48, 0xc1)/.test(rest.join(" ")) ? AF | OF | CF : 0; // an encoding of shl
    case "and": case "or": case "xor": case "test": return AF;
    case "mul": case "imul": return SF | ZF | AF | PF;
    case "div": case "idiv": return CF | PF | AF | ZF | SF | OF;
    case "bt": case "bts": case "btr": case "btc": return OF | SF | AF | PF;
    case "bsf": case "bsr": return CF | OF | SF | AF | PF;
    case "tzcnt": case "lzcnt": return OF | SF | AF | PF;
    case "andn": case "blsi": case "blsr": case "blsmsk": case "bzhi": return AF | PF;
    case "bextr": return AF | PF | SF;
    case "shl": case "shr": case "sar": case "rol": case "ror": case "rcl": case "rcr": case "shld": case "shrd": {
      const first = rest.join(" ").split(", ")[0]!;
      const wide = first.startsWith("r") && !first.endsWith("w") && !first.endsWith("b") && !first.endsWith("d") || first.startsWith("qword");
      const raw = last === "cl" ? Number(from.gpr[1]! & 0xffn) : Number(last);
      const n = raw & (wide ? 63 : 31);
      if (n === 0) return 0;
      const rotate = mnemonic.startsWith("r");
      let undefined_ = rotate ? 0 : AF;
      if (n !== 1) undefined_ |= OF;
      const width = wide ? 64 : /^(dl|ah|r9b|byte)/.test(first) ? 8 : /^(dx|r9w|word)/.test(first) ? 16 : 32;
      if ((mnemonic === "shl" || mnemonic === "shr") && n >= width) undefined_ |= CF;
      if (mnemonic.startsWith("sh") && mnemonic.endsWith("d") && n > width) undefined_ |= CF | PF | ZF | SF | OF;
      return undefined_;
    }
    default: return 0;
  }
}


/** Transcendental results of processors differ in the last place; C1 tells which way they were rounded. */
const TRANSCENDENTAL = /^(f2xm1|fyl2x|fyl2xp1|fpatan|fsin|fcos|fsincos|fptan)$/;

/** How `got` differs from what was recorded, apart from what the manual leaves open: "name want got …", or nothing. */
export function difference(asm: string, from: State, want: Map<string, string>, got: Map<string, string>): string {
  const out: string[] = [];
  for (const name of new Set([...want.keys(), ...got.keys()])) {
    let w = want.get(name), g = got.get(name);
    if (w === g) continue;
    if (name === "fl") {
      const mask = ~undefinedFlags(asm, from), before = Number(from.rflags) & FLAGS;
      const a = w === undefined ? before : parseInt(w, 16), b = g === undefined ? before : parseInt(g, 16);
      if (((a ^ b) & mask) === 0) continue;
      w = (a & mask).toString(16);
      g = (b & mask).toString(16);
    }
    if (APPROXIMATE.test(asm) && /^[xy]\d+$/.test(name) && w !== undefined && g !== undefined && approximate(w, g)) continue;
    if (TRANSCENDENTAL.test(asm)) {
      const before = new DataView(from.fx.buffer, from.fx.byteOffset).getUint16(2, true);
      if (name === "fsw" && ((w === undefined ? before : parseInt(w, 16)) & ~0x200) === ((g === undefined ? before : parseInt(g, 16)) & ~0x200)) continue;
      if (/^f\d$/.test(name) && w !== undefined && g !== undefined && near(w, g)) continue;
    }
    out.push(`${name} wants ${w ?? "no change"}, got ${g ?? "no change"}`);
  }
  return out.join("; ");
}

/** The manual promises a relative error of 1.5 / 4096; two processors may be at either end of it. */
const APPROXIMATE = /^v?r(cp|sqrt)[ps]s /;

/** Whether vectors of f32, as hex bytes, are the same up to twice that error. */
function approximate(a: string, b: string): boolean {
  const bytes = (s: string): DataView => new DataView(Uint8Array.from(s.match(/../g)!, (h) => parseInt(h, 16)).buffer);
  const u = bytes(a), v = bytes(b);
  for (let i = 0; i < u.byteLength; i += 4) {
    const x = u.getFloat32(i, true), y = v.getFloat32(i, true);
    if (u.getUint32(i) !== v.getUint32(i) && !(Math.abs(x - y) <= (Math.abs(x) * 3) / 4096)) return false;
  }
  return true;
}

/** Two 80-bit numbers as hex bytes that differ by at most one in the last place. */
function near(a: string, b: string): boolean {
  const n = (s: string): bigint => BigInt("0x" + s.match(/../g)!.reverse().join(""));
  const d = n(a) - n(b);
  // An increment may carry into the exponent, past the explicit integer bit.
  return [1n, -1n, (1n << 63n) + 1n, -(1n << 63n) - 1n].includes(d);
}
