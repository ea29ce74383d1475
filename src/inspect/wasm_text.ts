// src/inspect/wasm_text.ts — a wasm module's functions as text: what the second tier has made of guest code. Reads what our own emitter writes.

const NAMES: Readonly<Record<number, string>> = {
  0x00: "unreachable", 0x01: "nop", 0x02: "block", 0x03: "loop", 0x04: "if", 0x05: "else", 0x0b: "end", 0x0c: "br", 0x0d: "br_if", 0x0e: "br_table", 0x0f: "return", 0x10: "call", 0x11: "call_indirect", 0x12: "return_call",
  0x13: "return_call_indirect", 0x1a: "drop", 0x1b: "select", 0x20: "local.get", 0x21: "local.set", 0x22: "local.tee", 0x23: "global.get", 0x24: "global.set", 0x28: "i32.load", 0x29: "i64.load", 0x2a: "f32.load", 0x2b: "f64.load",
  0x2c: "i32.load8_s", 0x2d: "i32.load8_u", 0x2e: "i32.load16_s", 0x2f: "i32.load16_u", 0x30: "i64.load8_s", 0x31: "i64.load8_u", 0x32: "i64.load16_s", 0x33: "i64.load16_u", 0x34: "i64.load32_s", 0x35: "i64.load32_u",
  0x36: "i32.store", 0x37: "i64.store", 0x38: "f32.store", 0x39: "f64.store", 0x3a: "i32.store8", 0x3b: "i32.store16", 0x3c: "i64.store8", 0x3d: "i64.store16", 0x3e: "i64.store32", 0x3f: "memory.size", 0x41: "i32.const",
  0x42: "i64.const", 0x43: "f32.const", 0x44: "f64.const",
};
const PLAIN = (
  "i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u " +
  "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr " +
  "i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign " +
  "f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u " +
  "f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s"
).split(" ");

class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte(): number {
    return this.bytes[this.at++]!;
  }
  u32(): number {
    let n = 0;
    for (let shift = 0; ; shift += 7) {
      const b = this.byte();
      n += (b & 127) * 2 ** shift;
      if (b < 128) return n;
    }
  }
  s64(): bigint {
    let n = 0n;
    let shift = 0n;
    for (;;) {
      const b = this.byte();
      n |= BigInt(b & 127) << shift;
      shift += 7n;
      if (b < 128) return BigInt.asIntN(64, b & 64 ? n - (1n << shift) : n);
    }
  }
}

const memarg = (r: Reader): string => {
  const align = r.u32();
  const offset = (align & 64) !== 0 ? (r.u32(), r.u32()) : r.u32();
  return offset === 0 ? "" : ` offset=0x${offset.toString(16)}`;
};
const constant = (n: bigint): string => (n > 4095n || n < -4095n ? `${n < 0n ? "-" : ""}0x${(n < 0n ? -n : n).toString(16)}` : String(n));

/** One instruction; undefined where this reader ends its knowledge. */
function instruction(r: Reader): readonly [name: string, args: string] | undefined {
  const op = r.byte();
  if (op >= 0x45 && op <= 0xc4) return [PLAIN[op - 0x45] ?? `0x${op.toString(16)}`, ""];
  if (op >= 0x28 && op <= 0x3e) return [NAMES[op]!, memarg(r)];
  const name = NAMES[op];
  switch (op) {
    case 0x02:
    case 0x03:
    case 0x04: {
      const t = r.s64();
      return [name!, t === -64n ? "" : { "-1": " i32", "-2": " i64", "-3": " f32", "-4": " f64", "-5": " v128" }[String(t)] ?? ` type ${t}`];
    }
    case 0x0e: {
      const n = r.u32();
      return [name!, Array.from({ length: n + 1 }, () => ` ${r.u32()}`).join("")];
    }
    case 0x11:
    case 0x13:
      return [name!, ` type ${r.u32()} table ${r.u32()}`];
    case 0x41:
    case 0x42:
      return [name!, ` ${constant(r.s64())}`];
    case 0x43:
      r.at += 4;
      return [name!, ` ${new DataView(r.bytes.buffer, r.bytes.byteOffset).getFloat32(r.at - 4, true)}`];
    case 0x44:
      r.at += 8;
      return [name!, ` ${new DataView(r.bytes.buffer, r.bytes.byteOffset).getFloat64(r.at - 8, true)}`];
    case 0x3f:
      r.byte();
      return [name!, ""];
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x12:
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24:
      return [name!, ` ${r.u32()}`];
    case 0xfc: {
      const sub = r.u32();
      if (sub > 7) return undefined;
      return [["i32.trunc_sat_f32_s", "i32.trunc_sat_f32_u", "i32.trunc_sat_f64_s", "i32.trunc_sat_f64_u", "i64.trunc_sat_f32_s", "i64.trunc_sat_f32_u", "i64.trunc_sat_f64_s", "i64.trunc_sat_f64_u"][sub]!, ""];
    }
    case 0xfd: {
      const sub = r.u32();
      if (sub <= 11) return [sub === 11 ? "v128.store" : "v128.load", memarg(r)];
      if (sub === 12 || sub === 13) {
        r.at += 16;
        return [sub === 12 ? "v128.const" : "i8x16.shuffle", " …"];
      }
      if (sub >= 21 && sub <= 34) return [`simd.lane 0x${sub.toString(16)}`, ` ${r.byte()}`];
      if (sub >= 84 && sub <= 91) return [`simd.memory_lane 0x${sub.toString(16)}`, `${memarg(r)} ${r.byte()}`];
      if (sub === 92 || sub === 93) return [`v128.load${sub === 92 ? 32 : 64}_zero`, memarg(r)];
      return [`simd 0x${sub.toString(16)}`, ""];
    }
    default:
      return name === undefined ? undefined : [name, ""];
  }
}

/** The function that the module exports as `name`, as lines; at most `most` of them. */
export function wasmText(module: Uint8Array, name: string, most = 400): string[] {
  const r = new Reader(module, 8);
  let imported = 0;
  let index = -1;
  while (r.at < module.length) {
    const id = r.byte();
    const size = r.u32();
    const end = r.at + size;
    if (id === 2) {
      for (let n = r.u32(); n > 0; n--) {
        for (const _ of [0, 1]) {
          const length = r.u32();
          r.at += length;
        }
        const kind = r.byte();
        if (kind === 0) {
          r.u32();
          imported++;
        } else {
          if (kind === 1) r.byte();
          if (kind === 3) r.at += 2;
          else {
            const limits = r.byte();
            r.u32();
            if ((limits & 1) !== 0) r.u32();
          }
        }
      }
    } else if (id === 7) {
      for (let n = r.u32(); n > 0; n--) {
        const length = r.u32();
        const exported = new TextDecoder().decode(module.slice(r.at, r.at + length));
        r.at += length;
        r.byte();
        const i = r.u32();
        if (exported === name) index = i;
      }
    } else if (id === 10) {
      r.u32();
      for (let i = imported; i < index; i++) {
        const length = r.u32();
        r.at += length;
      }
      return body(r, most);
    }
    r.at = end;
  }
  return [];
}

function body(r: Reader, most: number): string[] {
  const length = r.u32();
  const end = r.at + length;
  const out: string[] = [];
  const locals: string[] = [];
  for (let n = r.u32(); n > 0; n--) {
    const many = r.u32();
    locals.push(`${many} × ${{ 0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128" }[r.byte()] ?? "?"}`);
  }
  if (locals.length > 0) out.push(`local ${locals.join(", ")}`);
  let depth = 0;
  while (r.at < end && out.length < most) {
    const insn = instruction(r);
    if (insn === undefined) {
      out.push("…");
      break;
    }
    const [name, args] = insn;
    if (name === "end" || name === "else") depth--;
    out.push(`${"  ".repeat(Math.max(0, depth))}${name}${args}`);
    if (name === "block" || name === "loop" || name === "if" || name === "else") depth++;
  }
  if (r.at < end) out.push(`… ${end - r.at} more bytes`);
  return out;
}
