// worker/cpu/jit/emit_state.ts — the state block and compiled code: registers in locals, ways out, and the checks that lead there.
import type { Bytes, WasmType } from "../build/module.ts";
import { NO_STORE, STATEFUL } from "../build/imports.ts";
import { CODE_SHIFT } from "../build/wasm.ts";
import { GUEST_READ_MIN, GUEST_WRITE_MIN } from "../memory.ts";
import { ST_CODE_HIT, ST_LEFT, ST_MXCSR, ST_XMM } from "../state.ts";
import { Addresses, CONSTANT, MAX_STORES } from "./addresses.ts";
import { GPRS, OperandBuilder, WIDE } from "./emit_operands.ts";
import { MEM } from "./flag_record.ts";
import { livenessOf, type Liveness } from "./liveness.ts";
import type { Region } from "./region.ts";
import { ALIGNED, BOUNDS, CLEAR, type Group, type Strides } from "./strides.ts";

/** Ways out of a region that are shared, at most; others store something for themselves. */
const MAX_WAYS = 16;
interface Way {
  /** what has to be stored: registers, and flags if they are in the canonical locals */
  readonly mask: number;
  readonly canon: boolean;
  /** what may be stored, too, by all who come this way */
  valid: number;
}
/** How to load of the code map what stores of so many bytes are asked of: a byte, two or four, as an i64. */
function mapLoad(bytes: number): number {
  return bytes <= 16 ? 0x31 : bytes <= MAX_STORES ? 0x33 : 0x35;
}
/** list.length = n, which engines do far more slowly. */
function cutTo(list: number[], n: number): void {
  while (list.length > n) list.pop();
}
/** list.includes(n), of a few. */
function isIn(n: number, list: readonly number[]): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === n) return true;
  return false;
}
function bitCount(mask: number): number {
  let n = 0;
  for (let m = mask; m !== 0; m &= m - 1) n++;
  return n;
}

export abstract class StateBuilder extends OperandBuilder {
  protected region!: Region;
  protected left = -1;
  /** ST_MXCSR, if anybody looks at it */
  protected mxcsr = -1;
  /** what odd() makes of it */
  private oddness = -1;
  protected out = -1;
  protected hit = -1;
  /** instructions of the block from the present one on, itself included: counted already */
  protected remaining = 0;
  /** instructions that are counted but not taken off `left` yet: that is done where ways meet, and on ways out */
  protected owed = 0;
  /** open blocks, loops and ifs */
  protected depth = 0;
  protected readonly temps: number[] = [];
  /** by local: it stays */
  protected readonly leaked: boolean[] = [];
  protected hitUsed = false;
  protected readonly addresses = new Addresses();
  protected liveness!: Liveness;
  protected strides!: Strides;
  /** what has been looked at before the loop, of the present instruction: see strides.ts */
  protected cover = 0;
  /** ways out that compile() has opened blocks for, by what has to be stored on them; the outermost first */
  private ways: Way[] = [];
  /** vectors in loops: their locals, which are loaded where the region is entered, by the address that they are loaded from */
  private readonly vectors = new Map<number, number>();
  /** the present block is in a loop; what is emitted is seldom executed */
  protected inLoop = false;
  private cold = false;

  /** A region begins, with its permanent locals. */
  protected beginRegion(region: Region, code: Bytes, imports: Map<string, number>): void {
    super.startCode(code, imports);
    this.region = region;
    cutTo(this.temps, 0);
    this.ways = [];
    if (this.vectors.size > 0) this.vectors.clear();
    cutTo(this.framesAt, 0);
    this.depth = this.owed = this.cover = 0;
    this.hitUsed = this.inLoop = this.cold = this.toAlign = false;
    for (let n = 0; n < 32; n++) if ((region.used >>> n) & 1) this.home[n] = this.permanent(n < GPRS ? "i64" : "v128");
    for (let n = 0; n < 16; n++) {
      const bit = 0x10000 << n;
      if (region.doubles & bit) this.low[n] = this.permanent("f64");
      else if (region.singles & bit) this.low[n] = this.permanent("f32");
    }
    this.mxcsr = region.mxcsr ? this.permanent("i32") : -1;
    this.oddness = region.mxcsr ? this.permanent("i32") : -1;
    this.left = this.permanent("i32");
    this.out = this.permanent("i64");
    this.hit = this.permanent("i32");
    this.addresses.reset(region);
    this.strides = region.strides;
    this.liveness = livenessOf(region.blocks, region.succ, region.edgeOf, region.analysis, this.strides);
  }

  // ---- locals: temporaries of an instruction, but for those that the flags still need

  protected override fresh(type: WasmType): number {
    const local = this.reuse(type);
    this.leaked[local] = false;
    this.temps.push(local);
    return local;
  }
  protected override releaseTemps(): void {
    const { temps, pinned } = this;
    let kept = 0;
    for (let i = 0; i < temps.length; i++) {
      const local = temps[i]!;
      if (isIn(local, pinned)) temps[kept++] = local;
      else if (!this.leaked[local]) this.free.of(this.types[local]!).push(local);
    }
    cutTo(temps, kept);
    super.releaseTemps();
  }
  protected open(opcode: number): void {
    this.code.op(opcode, 0x40);
    this.depth++;
    this.barrier();
  }
  protected override if(): void {
    super.if();
    this.depth++;
  }
  protected override end(): void {
    super.end();
    this.depth--;
  }
  get depthOffset(): number {
    return this.depth;
  }
  // ---- state block

  /** Control comes from outside: the registers of `mask` get their locals, none is dirty. */
  protected loadState(mask: number): void {
    this.dirty = 0;
    this.valid = mask;
    this.setWidths(WIDE);
    for (let n = 0; n < 32; n++) {
      const local = this.home[n]!;
      if (local < 0 || !((mask >>> n) & 1)) continue;
      this.i32const(0);
      this.loadHome(n);
      if (n < GPRS) this.set(local);
      else this.setWhole(n - GPRS);
    }
    this.i32const(0);
    this.word(0x28, ST_LEFT);
    this.set(this.left);
    this.loadMxcsr();
    this.barrier();
  }
  protected loadMxcsr(): void {
    if (this.mxcsr < 0) return;
    this.i32const(0);
    this.word(0x28, ST_MXCSR);
    this.set(this.mxcsr);
    this.get(super.odd());
    this.set(this.oddness);
    this.barrier();
  }
  override odd(): number {
    return this.oddness;
  }
  override getState(offset: number, type: "i32" | "i64"): number {
    return offset === ST_MXCSR ? this.mxcsr : super.getState(offset, type);
  }
  override setState(offset: number, v: number): void {
    super.setState(offset, v);
    if (offset === ST_MXCSR) this.loadMxcsr();
  }
  protected loadHome(n: number): void {
    if (n < GPRS) this.word(0x29, 8 * n);
    else {
      this.simdAccess(0, this.links.state + ST_XMM + 32 * (n - GPRS));
    }
  }
  protected storeRegisters(mask: number): void {
    for (let n = 0; n < 32; n++) {
      if (!((mask >>> n) & 1)) continue;
      this.i32const(0);
      if (n < GPRS) {
        this.get(this.home[n]!);
        this.word(0x37, 8 * n);
      } else {
        this.getWhole(n - GPRS);
        this.simdAccess(11, this.links.state + ST_XMM + 32 * (n - GPRS));
      }
    }
  }
  /** Stores what is left, and `more`. */
  protected storeLeft(more: number): void {
    this.i32const(0);
    this.get(this.left);
    if (more !== 0) {
      this.i32const(more);
      this.byte(0x6a);
    }
    this.word(0x36, ST_LEFT);
  }
  private addLeft(n: number): void {
    if (n === 0) return;
    this.get(this.left);
    this.i32const(n);
    this.byte(0x6a);
    this.set(this.left);
    this.barrier();
  }
  /** Takes off what is owed. */
  protected settleLeft(): void {
    this.addLeft(-this.owed);
    this.owed = 0;
  }
  /** Engines make a vector anew, by three or four instructions, wherever it is used: in a loop it comes from a local. */
  override constX(bytes: readonly number[]): number {
    const at = this.inLoop && !this.cold ? this.links.constant(bytes) : 0;
    if (at === 0) return super.constX(bytes);
    let local = this.vectors.get(at);
    if (local === undefined) this.vectors.set(at, (local = this.permanent("v128")));
    return local;
  }
  /** where in the code there is a number of two bytes, by how much a call adds to the depth */
  protected readonly framesAt: number[] = [];
  /** Inserts the loads of such vectors into the code, which is complete, where it was `at` bytes long. */
  protected insertVectors(at: number): void {
    if (this.vectors.size === 0) return;
    const rest = this.code.buf.slice(at, this.code.len);
    this.code.len = at;
    for (const [from, local] of this.vectors) {
      this.i32const(0);
      this.simdAccess(0, from);
      this.set(local);
    }
    const by = this.code.len - at;
    this.code.bytes(rest);
    this.unlikelyAt.forEach((u, i) => (this.unlikelyAt[i] = u + this.start >= at ? u + by : u));
    this.framesAt.forEach((f, i) => (this.framesAt[i] = f >= at ? f + by : f));
  }
  // ---- leaving

  /** Leaves with the address that is on the stack; `uncount` instructions that are counted already will not be done. */
  protected exitTo(uncount: number): void {
    this.set(this.out);
    this.barrier();
    this.addLeft(uncount - this.owed);
    const before = this.flag, canonToo = this.canonToo;
    if (before.kind !== "mem") this.toCanon();
    this.wayOut();
    this.setFlag(before);
    this.canonToo = canonToo;
  }
  protected exitNow(uncount: number): void {
    this.i64const(-1);
    this.exitTo(uncount);
  }
  /** Opens the blocks of ways out: before anything else. */
  protected openWays(): void {
    for (let i = 0; i < MAX_WAYS; i++) this.open(0x02);
  }
  /** Closes them, with the code behind each: it stores what no other way stores that can follow it, and goes there. */
  protected closeWays(): void {
    const { ways } = this;
    const all: number[] = [], next: number[] = [];
    for (let i = 0; i < ways.length; i++) {
      const { mask, canon, valid } = ways[i]!;
      let rest = mask, to = -1;
      for (let j = 0; j < i; j++) {
        if ((ways[j]!.canon && !canon) || (all[j]! & ~valid) !== 0) continue;
        if (to >= 0 && bitCount(mask & ~all[j]!) >= bitCount(rest)) continue;
        rest = mask & ~all[j]!;
        to = j;
      }
      next.push(to);
      all.push(to < 0 ? mask : mask | all[to]!);
    }
    for (let i = MAX_WAYS - 1; i >= 0; i--) {
      this.end();
      const way = ways[i], to = next[i]!;
      if (way === undefined) continue;
      if (to < 0) {
        this.storeAndReturn(way.mask, way.canon);
        continue;
      }
      if (way.canon && !ways[to]!.canon) this.storeFlags();
      this.storeRegisters(way.mask & ~all[to]!);
      if (to === i - 1) continue;
      this.code.op(0x0c, this.depth - 1 - to);
    }
  }
  /** A branch to where all is stored that must be, and the region left; flags are canonical or in the state block. */
  private wayOut(): void {
    const canon = this.flag.kind !== "mem", { dirty, valid, ways } = this;
    let way = -1;
    for (let i = 0; i < ways.length && way < 0; i++) {
      const w = ways[i]!;
      if (w.canon === canon && (dirty & ~w.mask) === 0 && (w.mask & ~valid) === 0) way = i;
    }
    if (way < 0 && ways.length < MAX_WAYS) way = ways.push({ mask: dirty, canon, valid }) - 1;
    if (way < 0) {
      // by the one that leaves least to do
      for (let i = 0; i < ways.length; i++) {
        const w = ways[i]!;
        if (w.canon === canon && (w.mask & ~valid) === 0 && (way < 0 || bitCount(dirty & ~w.mask) < bitCount(dirty & ~ways[way]!.mask))) way = i;
      }
      if (way >= 0) this.storeRegisters(dirty & ~ways[way]!.mask);
    }
    if (way < 0) this.storeAndReturn(dirty, canon);
    else {
      ways[way]!.valid &= valid;
      this.code.op(0x0c, this.depth - 1 - way);
    }
    this.barrier();
  }
  private storeAndReturn(mask: number, canon: boolean): void {
    if (canon) this.storeFlags();
    this.storeRegisters(mask);
    this.storeLeft(0);
    this.get(this.out);
    this.byte(0x0f);
  }
  /** Everything to the state block: before another region runs. */
  protected sync(): void {
    this.toMem();
    this.syncRegisters();
  }
  /** All but the flags. */
  protected syncRegisters(): void {
    this.storeRegisters(this.dirty);
    this.storeLeft(-this.owed);
  }
  // ---- checks: what does not pass leaves before the instruction, and the interpreter executes it: it faults, or notices the store

  /** Leaves before the present instruction, of which nothing has happened. Emitted inside an `if`; flags are canonical. */
  protected leaveHere(): void {
    this.leaveAt(this.insn.rip, this.remaining);
  }
  protected leaveAt(rip: number, uncount: number): void {
    this.atLastCanon();
    this.i64const(rip);
    this.set(this.out);
    this.barrier();
    this.addLeft(uncount - this.owed);
    this.wayOut();
  }
  override check(address: number, n: number, write: boolean): void {
    const aligned = this.toAlign;
    this.toAlign = false;
    const symbol = this.symbolOf(address), { bounds, stores } = this.addresses;
    if (this.cover & BOUNDS) {
      bounds.needed = false;
      stores.needed = write && !(this.cover & CLEAR);
      stores.lo = 0;
      stores.hi = n;
    } else if (symbol < 0) {
      bounds.needed = true;
      stores.needed = bounds.write = write;
      bounds.lo = stores.lo = 0;
      bounds.hi = stores.hi = n;
    } else {
      const at = this.offsetOf(address);
      this.addresses.check(symbol, at, n, write);
      if (symbol === CONSTANT && at >= (write ? GUEST_WRITE_MIN : GUEST_READ_MIN) && at + n <= this.layout.mem.size) bounds.needed = false;
    }
    if (bounds.needed) this.lookAtBounds(address, aligned);
    else if (aligned) this.checkLowBits(address);
    if (stores.needed) this.lookAtMap(address);
  }
  private lookAtBounds(address: number, aligned: boolean): void {
    const { bounds } = this.addresses, min = bounds.write ? GUEST_WRITE_MIN : GUEST_READ_MIN;
    // if it must be a multiple of 16, too, that is one more operation: low bits that are not zero become the highest
    const both = aligned && bounds.lo % 16 === 0, limit = this.layout.mem.size - (bounds.hi - bounds.lo) - min;
    if (aligned && !both) this.checkLowBits(address);
    this.alsoCanon();
    this.get(address);
    this.i64const(min - bounds.lo);
    this.byte(0x7d); // i64.sub
    if (both) {
      this.i64const(4);
      this.byte(0x8a); // i64.rotr
    }
    this.i64const(both ? Math.floor(limit / 16) : limit);
    this.byte(0x56); // i64.gt_u
    this.leaveIf();
  }
  /** In the code map, for what is stored. */
  private lookAtMap(address: number): void {
    const { stores } = this.addresses;
    this.alsoCanon();
    this.get(address);
    this.byte(0xa7);
    if (stores.lo !== 0) {
      this.i32const(stores.lo);
      this.byte(0x6a);
    }
    this.i32const(CODE_SHIFT);
    this.byte(0x76); // i32.shr_u
    // of 16 bytes or less it is enough to look where they start, else at two or four bytes of the map. As an i64: V8 loads an i32 that is compared with a constant twice
    this.memarg(mapLoad(stores.hi - stores.lo), this.links.codeMap);
    this.byte(0x50); // i64.eqz
    this.byte(0x45); // i32.eqz
    this.leaveIf();
  }
  /** Leaves before the present instruction if what is on the stack is not zero, which it seldom is. */
  private leaveIf(): void {
    this.seldom();
    this.if();
    this.leaveHere();
    this.end();
  }
  /** Looks at what a group accesses, also `reach` bytes on or back, the way that it goes. For each test that fails if it is not zero: bad(). */
  protected lookAt({ base, index, scale, lo, hi, write, aligned, step, clear }: Group, reach: number, bad: () => void): void {
    const min = write ? GUEST_WRITE_MIN : GUEST_READ_MIN, back = step < 0 ? reach : 0;
    const limit = this.layout.mem.size - (hi - lo) - reach - min;
    this.i64const(lo - min - back);
    if (base >= 0) {
      this.get(this.home[base]!);
      this.byte(0x7c);
    }
    if (index >= 0) {
      this.get(this.home[index]!);
      this.i64const(scale);
      this.byte(0x86);
      this.byte(0x7c);
    }
    const at = this.take("i64");
    this.get(at);
    this.i64const(Math.max(limit, 0));
    this.byte(limit < 0 ? 0x5a : 0x56); // i64.ge_u: never enough; i64.gt_u
    bad();
    if (aligned >= 0) {
      this.get(at);
      this.byte(0xa7);
      this.i32const(min + back - lo + aligned);
      this.byte(0x6a);
      this.i32const(15);
      this.byte(0x71);
      bad();
    }
    if (!clear) return;
    this.get(at);
    this.byte(0xa7);
    this.i32const(min);
    this.byte(0x6a);
    this.i32const(CODE_SHIFT);
    this.byte(0x76);
    this.memarg(reach > 0 ? 0x29 : mapLoad(hi - lo), this.links.codeMap);
    this.byte(0x50); // i64.eqz
    this.byte(0x45); // i32.eqz
    bad();
  }
  protected override testCode(): void {
    // done by check
  }
  protected emitCodeHit(): void {}
  protected override checkAligned(address: number): void {
    if (this.cover & ALIGNED) return;
    const symbol = this.symbolOf(address);
    if (symbol >= 0 && this.addresses.align(symbol, this.offsetOf(address))) return;
    // done by check, which follows
    this.toAlign = true;
  }
  private toAlign = false;
  private checkLowBits(address: number): void {
    this.alsoCanon();
    super.checkAligned(address, 16);
  }
  protected emitFault(): void {
    this.leaveHere();
  }
  override trapIf(c: number): void {
    this.alsoCanon();
    this.get(c);
    this.leaveIf();
  }
  override trap(): void {
    this.alsoCanon();
    this.leaveHere();
  }
  protected emitTrap(): void {
    this.leaveHere();
  }

  override unlikely(bad: readonly number[], _slow: () => void, excuse?: () => number): void {
    this.alsoCanon();
    if (excuse === undefined) {
      for (const c of bad) {
        this.get(c);
        this.leaveIf();
      }
      return;
    }
    const known = this.addresses.save();
    this.open(0x02); // to here if all is well
    this.open(0x02); // to here if something is bad
    for (const c of bad) {
      this.get(c);
      this.seldom();
      this.code.op(0x0d, 0);
      this.barrier();
    }
    this.code.op(0x0c, 1);
    this.end();
    this.cold = true;
    const excused = excuse();
    this.cold = false;
    this.get(this.eqz(excused));
    this.leaveIf();
    this.end();
    this.addresses.restore(known);
  }

  protected beforeHelper(name: string): void {
    if (!NO_STORE.test(name)) this.setState(ST_CODE_HIT, this.i32(0));
    if (STATEFUL.test(name)) {
      this.toMem();
      this.storeRegisters(this.dirty);
    } else this.alsoCanon(); // a status that is not 0 leaves
    if (name === "rdtsc") this.storeLeft(this.remaining - this.owed);
  }
  protected afterHelper(name: string): void {
    if (STATEFUL.test(name)) {
      this.get(this.left);
      const left = this.take("i32"), { dirty } = this;
      this.loadState(this.region.used);
      this.dirty = dirty; // it may be left out
      this.facts.scalar = this.facts.packed = 0;
      this.addresses.forget(0xffff);
      this.get(left);
      this.set(this.left);
      this.setFlag(MEM);
    }
    if (name.startsWith("sse_")) this.loadMxcsr();
    if (!NO_STORE.test(name)) {
      this.get(this.hit);
      this.get(this.getState(ST_CODE_HIT, "i32"));
      this.byte(0x72);
      this.set(this.hit);
      this.barrier();
      this.hitUsed = true;
    }
  }
}
