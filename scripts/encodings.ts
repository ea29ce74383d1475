// scripts/encodings.ts — npm run proof -- --encodings=N: N random encodings (and with "all" every opcode), one instruction each, on this machine's processor and here
//
// What is found: bytes that are an instruction on one side only, other lengths, other faults, other results. Left out: what enters the kernel, what the processor has and
// no level of cpu= advertises, and what reads a clock.

import type { Iced } from "../worker/cpu/iced.ts";
import { changes, difference } from "../worker/cpu/vectors/compare.ts";
import { encodingState, everyEncoding, randomEncoding } from "../worker/cpu/vectors/encodings.ts";
import { execute, EXECUTORS, makeExecutor, MEMORY_SIZE } from "../worker/cpu/vectors/executor.ts";
import { Random } from "../worker/cpu/vectors/generate.ts";
import { CODE, DATA, type Outcome, type State } from "../worker/cpu/vectors/state.ts";
import { buildRecorder, runNative } from "./native.ts";

/** They would call this machine's kernel, or its hypervisor. */
const KERNEL = /^(syscall|sysenter|int|vmcall|vmmcall)$/;
/** Their results are the machine's. */
const MACHINE = /^(cpuid|rdtscp?|rdpru|rdrand|rdseed|xgetbv|xsave.*|xrstor.*|rdpid|rdpmc|mcommit|monitorx|mwaitx|rdpkru|fxsave.*|sgdt|sidt|str|sldt|smsw)$/;
/** This processor has them; no cpu= does: #UD here. */
const UNADVERTISED = /^(rdrand|rdseed|clzero|extrq|insertq|movntss|movntsd|xsave.*|xrstor.*|rdpru|monitorx|mwaitx|mcommit|wbnoinvd|invlpgb|tlbsync|stgi|clgi|vmrun|vmload|vmsave|skinit|invlpga|invpcid|pvalidate|psmash|rmp\w+|rdpkru|wrpkru|umonitor|umwait|tpause)$/;
/** After them flags are undefined in ways that depend on the operands; the vectors know. */
const UNDEFINED = /^(sal|shl|shr|sar|shld|shrd|rcl|rcr|rol|ror|imul|mul|div|idiv|bsf|bsr|bt.?|tzcnt|lzcnt|bextr)$/;
/** The manual promises a relative error, and processors differ. */
const APPROXIMATE = /^v?r(cp|sqrt)[ps]s$|^f(2xm1|yl2x|yl2xp1|patan|sin|cos|sincos|ptan)$/;
/** Not so on all processors: AMD's go their own way, Intel's another, and we follow either (vectors/README.md). */
function vendors(name: string, text: string, bytes: Uint8Array): boolean {
  const far = / far /.test(text), rexW = bytes.some((b) => (b & 0xf8) === 0x48);
  // int1 is stopped before it under KVM; a maskmov without a lane to write may fault
  if (name === "int1" || name.startsWith("maskmov")) return true;
  // AMD: far pointers have no 64-bit offset
  if (rexW && (far || /^l[sfg]s/.test(text))) return true;
  // AMD: 0f 0d with a register is no instruction, vpermq needs no W, loope and loopne go by a repeat prefix
  if (name === "reservednop" && bytes.join().includes("15,13")) return true;
  if (name === "invalid" && /^c4..[57]d0[01]/.test(Buffer.from(bytes).toString("hex"))) return true;
  if (/^loopn?e$/.test(name) && (bytes.includes(0xf2) || bytes.includes(0xf3))) return true;
  // AMD: near branches with an operand-size prefix go to 16-bit addresses
  return bytes.includes(0x66) && !far && /^(j..?.?|jmp|call|ret|loop.*|j.?cxz)$/.test(name);
}
/** The next instruction comes with them natively, single-stepping or not. */
const SHADOW = /^(mov ss|pop ss)/;

interface Case {
  readonly bytes: Uint8Array;
  readonly from: State;
  readonly text: string;
  readonly name: string;
}

/** Whether N cases come out here as on this machine's processor. */
export function encodings(iced: Iced, total: number | "all", first: number, report: (line: string) => void): boolean {
  const recorder = buildRecorder();
  if (recorder === undefined) throw new Error("encodings need an x86-64 Linux with gcc");
  const executor = EXECUTORS[0]!, cpu = makeExecutor(executor, iced);
  const formatter = new iced.Formatter(iced.FormatterSyntax.Intel);
  const wrong = new Map<string, { n: number; line: string }>();
  let run = 0, refused = 0, skipped = 0, seed = first;
  const make = (r: Random, bytes: Uint8Array): Case | undefined => {
    const decoder = new iced.Decoder(64, bytes, iced.DecoderOptions.None);
    const i = decoder.decode();
    const name = (iced.Mnemonic[i.mnemonic] ?? "").toLowerCase(), text = formatter.format(i);
    const rep = i.hasRepPrefix || i.hasRepnePrefix;
    i.free();
    decoder.free();
    if (KERNEL.test(name) || SHADOW.test(text) || /^xbegin|^xabort/.test(name)) return undefined;
    return { bytes, from: encodingState(r, seed, bytes, rep), text, name };
  };
  const check = (c: Case, native: Outcome): void => {
    if (native.sig === 26 || (native.trap === 14 && mapped(native.cr2))) return void skipped++;
    if (MACHINE.test(c.name) && native.trap !== 6 && native.trap !== 13) return void skipped++;
    if (APPROXIMATE.test(c.name) || vendors(c.name, c.text, c.bytes)) return void skipped++;
    // shifts by more than 16 bits; what Linux emulates under UMIP does not stop when single-stepping
    if ((/^sh[lr]d$/.test(c.name) && c.bytes.includes(0x66)) || /^(sgdt|sidt|sldt|str|smsw)$/.test(c.name)) return void skipped++;
    if (UNADVERTISED.test(c.name)) return void skipped++;
    run++;
    if (native.trap === 6) refused++;
    // whether bytes that are nothing are too many, processors ask in their own order
    if (c.name === "invalid" && c.bytes.slice(0, 8).every(isPrefix)) return void skipped++;
    const want = changes(c.from, native);
    let d: string;
    try {
      d = difference(UNDEFINED.test(c.name) ? "div" : c.name, c.from, want, changes(c.from, execute(cpu, c.from, executor)));
    } catch (e) {
      d = String(e);
    }
    if (d === "") return;
    const kind = `${c.name} ${d.replace(/ wants .*?(?=;|$)/g, "").replace(/^end/, `end ${/end wants (\S+)/.exec(d)?.[1]}→${/end wants \S+, got (\S+?)(;|$)/.exec(d)?.[1]}`)}`;
    const known = wrong.get(kind);
    if (known !== undefined) known.n++;
    else wrong.set(kind, { n: 1, line: `${Buffer.from(c.bytes).toString("hex")} ${c.text}: ${d}` });
  };
  const batch: Case[] = [];
  const flush = (): void => {
    runNative(recorder, batch.map((c) => c.from)).forEach((native, i) => check(batch[i]!, native));
    batch.length = 0;
  };
  const add = (r: Random, bytes: Uint8Array): void => {
    const c = make(r, bytes);
    if (c === undefined) return void skipped++;
    batch.push(c);
    if (batch.length === 500) flush();
  };
  if (total === "all") {
    const r = new Random("every encoding", first);
    for (const bytes of everyEncoding(r)) {
      seed++;
      add(r, bytes);
    }
  } else
    for (let i = 0; i < total; i++, seed++) {
      const r = new Random("encoding", seed);
      add(r, randomEncoding(r));
    }
  flush();
  for (const [kind, { n, line }] of [...wrong].sort((a, b) => b[1].n - a[1].n)) report(`${n} × ${kind}\n    ${line}`);
  const differ = [...wrong.values()].reduce((n, w) => n + w.n, 0);
  report(`${run} encodings, ${refused} of them no instructions: ${differ} come out differently, in ${wrong.size} ways; ${skipped} not compared`);
  return wrong.size === 0;
}

const isPrefix = (b: number): boolean => (b & 0xf0) === 0x40 || [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65].includes(b);

/** Is there memory here, and nothing natively? */
function mapped(address: bigint): boolean {
  const page = address >> 12n;
  return address >= 0x1000n && address < BigInt(MEMORY_SIZE) && page !== BigInt(CODE) >> 12n && page !== BigInt(DATA) >> 12n;
}
