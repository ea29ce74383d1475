// worker/cpu/build/helpers_int.ts — slow paths of the integer instructions: wide division, rep, cpuid, flags as a whole, enter.

import { EXIT_DE, EXIT_UD } from "../exit.ts";
import { RAX, RBP, RCX, RDI, RDX, RSI, RSP, ST_DF, ST_RET, ST_TSC_BASE } from "../state.ts";
import type { CpuState } from "../state.ts";
import type { HelperContext, Helpers } from "./helpers.ts";
import { arg, arg32, arg64, checkAccess, setRet, setRet64 } from "./helpers.ts";
import { memset } from "../../lib/bytes.ts";

/** Adds |delta| < 2^32 to a register, all 64 bits of it, or the low 32 and clears the rest. */
function addTo(state: CpuState, reg: number, delta: number, width: number): void {
  const lo = (state.get_lo(reg) >>> 0) + delta;
  state.set_lo_hi(reg, lo | 0, width === 4 ? 0 : (state.get_hi(reg) + Math.floor(lo / 0x1_0000_0000)) | 0);
}

interface Repeat {
  readonly size: number;
  readonly width: number;
  /** 1 repe, 2 repne */
  readonly rep: number;
  readonly segment: number;
  readonly count: number;
  /** bytes from one element to the next */
  readonly step: number;
}

function repeat(cpu: HelperContext): Repeat {
  const { state } = cpu;
  const size = arg32(cpu, 0), width = arg32(cpu, 1);
  return {
    size, width, rep: arg32(cpu, 2), segment: arg(cpu, 3),
    count: width === 4 ? state.get_lo(RCX) >>> 0 : state.get(RCX),
    step: state.get32(ST_DF) === 0 ? size : -size,
  };
}

function addressOf(cpu: HelperContext, r: Repeat, reg: number): number {
  const a = r.width === 4 ? cpu.state.get_lo(reg) >>> 0 : cpu.state.get(reg);
  if (reg === RDI) return a;
  const sum = a + r.segment;
  return sum >= 0x1_0000_0000_0000_0000 ? sum - 0x1_0000_0000_0000_0000 : sum;
}

/** How many elements from `a` on, at most `count`, may be accessed. */
function reachable(cpu: HelperContext, a: number, r: Repeat, write: boolean): number {
  const min = write ? 0x100000 : 0x1000;
  if (a < min || a + r.size > cpu.mem.size) return 0;
  // nearly always all of them, which takes no division
  const bytes = r.count * r.size;
  if (r.step > 0 ? a + bytes <= cpu.mem.size : a + r.size - bytes >= min) return r.count;
  const room = r.step > 0 ? Math.floor((cpu.mem.size - a) / r.size) : Math.floor((a - min) / r.size) + 1;
  return Math.min(room, r.count);
}

/** `done` elements are behind us: registers say so. */
function progress(state: CpuState, r: Repeat, done: number, si: boolean, di: boolean): void {
  if (done === 0) return;
  addTo(state, RCX, -done, r.width);
  if (si) addTo(state, RSI, done * r.step, r.width);
  if (di) addTo(state, RDI, done * r.step, r.width);
}

/** One element, as halves. */
function element(cpu: HelperContext, a: number, size: number): [number, number] {
  const { dv } = cpu.mem;
  switch (size) {
    case 1:
      return [dv.getUint8(a), 0];
    case 2:
      return [dv.getUint16(a, true), 0];
    case 4:
      return [dv.getUint32(a, true), 0];
    default:
      return [dv.getUint32(a, true), dv.getUint32(a + 4, true)];
  }
}

/** TypedArray.fill is a call out of compiled JavaScript, 60 ns and more: fewer bytes than this are stored one word after the other. */
const FEW = 256;
/** Sets `bytes` bytes from `start` on to `b`. */
function fill({ u8, dv }: HelperContext["mem"], start: number, bytes: number, b: number): void {
  if (bytes >= FEW) {
    memset(u8, b, start, start + bytes);
    return;
  }
  // as whole numbers of 32 bits, whatever they were calculated as: the loop is several times as fast
  const at = start | 0, n = bytes | 0, word = (b * 0x01010101) | 0;
  let i = 0;
  for (; i + 4 <= n; i += 4) dv.setInt32(at + i, word, true);
  for (; i < n; i++) u8[at + i] = b;
}

/** rep cmps and rep scas: results 0 and 1 are the last pair compared, result 2 whether there was one. */
function compare(cpu: HelperContext, scan: boolean): number {
  const { state, mem } = cpu;
  const r = repeat(cpu);
  const words = (state.base + ST_RET) >> 2;
  mem.i32[words + 4] = 0;
  if (r.count === 0) return 0;
  let x = scan ? 0 : addressOf(cpu, r, RSI), y = addressOf(cpu, r, RDI);
  const n = Math.min(scan ? r.count : reachable(cpu, x, r, false), reachable(cpu, y, r, false));
  let xlo = 0, xhi = 0, ylo = 0, yhi = 0;
  if (scan) {
    const rax = state.get_lo(RAX) >>> 0;
    xlo = r.size === 1 ? rax & 0xff : r.size === 2 ? rax & 0xffff : rax;
    xhi = r.size === 8 ? state.get_hi(RAX) >>> 0 : 0;
  }
  let done = 0, met = false;
  while (done < n && !met) {
    if (r.size === 1) {
      if (!scan) xlo = mem.u8[x]!;
      ylo = mem.u8[y]!;
    } else {
      if (!scan) [xlo, xhi] = element(cpu, x, r.size);
      [ylo, yhi] = element(cpu, y, r.size);
    }
    x += r.step;
    y += r.step;
    done++;
    met = (xlo === ylo && xhi === yhi) !== (r.rep === 1);
  }
  progress(state, r, done, !scan, true);
  if (done > 0) {
    mem.i32[words] = xlo;
    mem.i32[words + 1] = xhi;
    mem.i32[words + 2] = ylo;
    mem.i32[words + 3] = yhi;
    mem.i32[words + 4] = 1;
  }
  if (met || done === r.count) return 0;
  return (scan ? 0 : checkAccess(cpu, x, r.size, false)) || checkAccess(cpu, y, r.size, false);
}

export const integerHelpers: Helpers = {
  /** rdx:rax / arg 0, unsigned: quotient and remainder. The divisor is not 0. */
  div128(cpu) {
    const d = arg64(cpu, 0);
    const n = (cpu.state.get64(RDX) << 64n) | cpu.state.get64(RAX);
    const q = n / d;
    if (q >> 64n !== 0n) return EXIT_DE;
    setRet64(cpu, 0, q);
    setRet64(cpu, 1, n % d);
    return 0;
  },
  /** The same, signed. */
  idiv128(cpu) {
    const d = BigInt.asIntN(64, arg64(cpu, 0));
    const n = BigInt.asIntN(128, (cpu.state.get64(RDX) << 64n) | cpu.state.get64(RAX));
    const q = n / d;
    if (q !== BigInt.asIntN(64, q)) return EXIT_DE;
    setRet64(cpu, 0, q);
    setRet64(cpu, 1, n % d);
    return 0;
  },

  rep_movs(cpu) {
    const { mem, state } = cpu;
    const r = repeat(cpu);
    if (r.count === 0) return 0;
    const from = addressOf(cpu, r, RSI), to = addressOf(cpu, r, RDI);
    const n = Math.min(reachable(cpu, from, r, false), reachable(cpu, to, r, true));
    const bytes = n * r.size;
    if (r.step > 0) {
      if (to > from && to < from + bytes) {
        // each element is read after those before it are written: a short distance repeats a pattern
        if (to - from >= r.size) for (let i = 0; i < bytes; i += r.size) mem.u8.copyWithin(to + i, from + i, from + i + r.size);
        else for (let i = 0; i < bytes; i += r.size) mem.u8.set(mem.u8.slice(from + i, from + i + r.size), to + i);
      } else mem.u8.copyWithin(to, from, from + bytes);
      cpu.code_written(to, bytes);
    } else {
      for (let i = 0; i < bytes; i += r.size) mem.u8.set(mem.u8.slice(from - i, from - i + r.size), to - i);
      cpu.code_written(to - bytes + r.size, bytes);
    }
    progress(state, r, n, true, true);
    if (n === r.count) return 0;
    return checkAccess(cpu, from + n * r.step, r.size, false) || checkAccess(cpu, to + n * r.step, r.size, true);
  },

  rep_stos(cpu) {
    const { mem, state } = cpu;
    const r = repeat(cpu);
    if (r.count === 0) return 0;
    const to = addressOf(cpu, r, RDI);
    const n = reachable(cpu, to, r, true);
    const bytes = n * r.size;
    const start = r.step > 0 ? to : to - bytes + r.size;
    const lo = state.get_lo(RAX), hi = state.get_hi(RAX), b = lo & 0xff;
    const all = b * 0x01010101 | 0;
    if (r.size === 1 || (lo === all && hi === all) || (r.size === 4 && lo === all)) fill(mem, start, bytes, b);
    else {
      for (let at = start; at < start + bytes; at += r.size) {
        if (r.size === 2) mem.dv.setInt16(at, lo, true);
        else mem.dv.setInt32(at, lo, true);
        if (r.size === 8) mem.dv.setInt32(at + 4, hi, true);
      }
    }
    if (n > 0) cpu.code_written(start, bytes);
    progress(state, r, n, false, true);
    return n === r.count ? 0 : checkAccess(cpu, to + n * r.step, r.size, true);
  },

  rep_lods(cpu) {
    const { mem, state } = cpu;
    const r = repeat(cpu);
    if (r.count === 0) return 0;
    const from = addressOf(cpu, r, RSI);
    const n = reachable(cpu, from, r, false);
    if (n > 0) {
      const [lo, hi] = element(cpu, from + (n - 1) * r.step, r.size);
      const rax = state.base + 8 * RAX;
      if (r.size === 1) mem.u8[rax] = lo;
      else if (r.size === 2) mem.dv.setUint16(rax, lo, true);
      else state.set_lo_hi(RAX, lo, hi);
      progress(state, r, n, true, false);
    }
    return n === r.count ? 0 : checkAccess(cpu, from + n * r.step, r.size, false);
  },

  rep_cmps: (cpu) => compare(cpu, false),
  rep_scas: (cpu) => compare(cpu, true),

  /** eax, ecx → four results */
  cpuid(cpu) {
    cpu.cpuid(arg32(cpu, 0) >>> 0, arg32(cpu, 1) >>> 0).forEach((v, i) => setRet(cpu, i, v));
    return 0;
  },

  /** One tick an instruction. */
  rdtsc(cpu) {
    setRet(cpu, 0, Math.floor(cpu.state.getF64(ST_TSC_BASE)) + cpu.retiredNow());
    return 0;
  },

  /** vmcall is legal in one place only. */
  door: (cpu) => (arg(cpu, 0) === cpu.door ? 0 : EXIT_UD),

  /** rflags as pushf stores it: RF and VM clear */
  rflags(cpu) {
    setRet(cpu, 0, cpu.state.rflags);
    return 0;
  },
  /** value, operand size */
  setRflags(cpu) {
    const { state } = cpu;
    const v = arg32(cpu, 0);
    state.rflags = arg32(cpu, 1) === 2 ? (state.rflags & ~0xffff) | (v & 0xffff) : v;
    return 0;
  },

  /** bytes, level, operand size */
  enter(cpu) {
    const { mem, state } = cpu;
    const bytes = arg32(cpu, 0) & 0xffff, level = arg32(cpu, 1) & 31, size = arg32(cpu, 2);
    const sp = state.get(RSP), bp = state.get(RBP);
    const pushes = 1 + level;
    // everything that will be written and read, checked before anything is
    const low = sp - pushes * size;
    const bad = checkAccess(cpu, low, pushes * size, true) || (level > 1 ? checkAccess(cpu, bp - (level - 1) * size, (level - 1) * size, false) : 0);
    if (bad !== 0) return bad;
    mem.u8.copyWithin(sp - size, state.base + 8 * RBP, state.base + 8 * RBP + size);
    const frame = sp - size;
    for (let i = 1; i < level; i++) mem.u8.copyWithin(frame - i * size, bp - i * size, bp - i * size + size);
    if (level > 0) {
      if (size === 8) mem.dv.setFloat64(low, 0, true);
      mem.dv.setUint16(low, frame & 0xffff, true);
      if (size === 8) {
        mem.dv.setUint32(low, frame >>> 0, true);
        mem.dv.setUint32(low + 4, Math.floor(frame / 0x1_0000_0000), true);
      }
    }
    cpu.code_written(low, pushes * size);
    if (size === 2) mem.dv.setUint16(state.base + 8 * RBP, frame & 0xffff, true);
    else state.set(RBP, frame);
    state.set(RSP, low - bytes);
    return 0;
  },
};
