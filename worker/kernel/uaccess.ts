// kernel/uaccess.ts — how the kernel touches user memory.  cf. include/linux/uaccess.h
//
// Guest address = offset in memory, so these are plain accesses behind one range check. Unlike Linux without an MMU (where a bad
// pointer faults in the kernel and panics it), a range outside [0x1000, mem=) is EFAULT.
import { EFAULT, ENAMETOOLONG } from "../include/uapi/errno.ts";
import { memset } from "../lib/bytes.ts";

/** Guest memory as the kernel sees it. The views cover the whole memory; `size` is the end of guest RAM. */
export interface Memory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly view: DataView;
  /** mem=, bytes: the first address past guest RAM */
  readonly size: number;
  /** The kernel writes [addr, addr+len) on behalf of a program, now: if code was there, it is looked at anew before a program goes on. */
  written(addr: number, len: number): void;
}

/** below it are page 0 and the kernel's own pages, which a program may not write (DESIGN.md's memory map) */
export const USER_MIN_WRITE = 0x100000;
const USER_MIN_READ = 0x1000;

/** Whether [addr, addr+len) may be read by the kernel for a program. */
export function access_ok(m: Memory, addr: number, len: number): boolean {
  return addr >= USER_MIN_READ && addr + len <= m.size;
}
export function check_read(m: Memory, addr: number, len: number): void {
  if (!(addr >= USER_MIN_READ && addr + len <= m.size)) throw EFAULT;
}
/** For what is written at once: after a sleep it is asked for again. */
export function check_write(m: Memory, addr: number, len: number): void {
  if (!(addr >= USER_MIN_WRITE && addr + len <= m.size)) throw EFAULT;
  m.written(addr, len);
}

export function get_user_u8(m: Memory, addr: number): number {
  check_read(m, addr, 1);
  return m.u8[addr]!;
}
export function get_user_u16(m: Memory, addr: number): number {
  check_read(m, addr, 2);
  return m.view.getUint16(addr, true);
}
export function get_user_u32(m: Memory, addr: number): number {
  check_read(m, addr, 4);
  return m.view.getUint32(addr, true);
}
export function get_user_s32(m: Memory, addr: number): number {
  check_read(m, addr, 4);
  return m.view.getInt32(addr, true);
}
/** exact up to 2^53; larger values come out rounded, which no address or length survives anyway */
export function get_user_u64(m: Memory, addr: number): number {
  check_read(m, addr, 8);
  return m.view.getUint32(addr, true) + m.view.getUint32(addr + 4, true) * 0x100000000;
}
export function get_user_s64(m: Memory, addr: number): number {
  check_read(m, addr, 8);
  return m.view.getUint32(addr, true) + m.view.getInt32(addr + 4, true) * 0x100000000;
}
export function put_user_u8(m: Memory, addr: number, v: number): void {
  check_write(m, addr, 1);
  m.u8[addr] = v;
}
export function put_user_u16(m: Memory, addr: number, v: number): void {
  check_write(m, addr, 2);
  m.view.setUint16(addr, v, true);
}
export function put_user_u32(m: Memory, addr: number, v: number): void {
  check_write(m, addr, 4);
  m.view.setUint32(addr, v, true);
}
/** any exact integer, signed or unsigned */
export function put_user_u64(m: Memory, addr: number, v: number): void {
  check_write(m, addr, 8);
  m.view.setUint32(addr, v >>> 0, true);
  m.view.setUint32(addr + 4, Math.floor(v / 0x100000000) >>> 0, true);
}

/** A copy of [addr, addr+len): for what must not change under the kernel, and for host interfaces that refuse shared memory. */
export function copy_from_user(m: Memory, addr: number, len: number): Uint8Array {
  check_read(m, addr, len);
  return m.u8.slice(addr, addr + len);
}
export function copy_to_user(m: Memory, addr: number, bytes: Uint8Array): void {
  check_write(m, addr, bytes.length);
  m.u8.set(bytes, addr);
}
export function clear_user(m: Memory, addr: number, len: number): void {
  check_write(m, addr, len);
  memset(m.u8, 0, addr, addr + len);
}

/** A NUL-terminated string as a byte string (one char per byte, latin1). Throws EFAULT, or `toolong` when `max` bytes hold no NUL. */
export function strncpy_from_user(m: Memory, addr: number, max = 4096, toolong = ENAMETOOLONG): string {
  if (!(addr >= USER_MIN_READ && addr < m.size)) throw EFAULT;
  const u8 = m.u8;
  const end = Math.min(addr + max, m.size);
  let s = "";
  for (let p = addr; p < end; p++) {
    const c = u8[p]!;
    if (c === 0) return s;
    s += String.fromCharCode(c);
  }
  if (end === m.size && addr + max > m.size) throw EFAULT;
  throw toolong;
}
