// mm/access.ts — the memory of another process: what ptrace and /proc/PID/mem read and write.  cf. mm/nommu.c access_process_vm()
import type { Kernel } from "../kernel/kernel.ts";
import type { Mm } from "./mm_types.ts";

/** Where `addr` of `mm` is kept: in guest memory, or (nommu.fork=shadow) among the contents that are set aside. `len`: how far this is so. */
interface Place {
  readonly u8: Uint8Array;
  readonly at: number;
  readonly len: number;
}

function place_of(kernel: Kernel, mm: Mm, addr: number): Place | undefined {
  const vma = mm.find_vma(addr);
  if (vma === undefined) return undefined;
  const { u8 } = kernel.mem;
  const { shadow } = vma.vm_region;
  if (shadow === undefined || shadow.resident === mm) return { u8, at: addr, len: vma.vm_end - addr };
  const { ranges, bytes } = shadow.copies.get(mm)!;
  let at = 0;
  let next = vma.vm_end;
  for (const [from, to] of ranges) {
    if (addr >= from && addr < to) return { u8: bytes, at: at + addr - from, len: Math.min(to, vma.vm_end) - addr };
    if (from > addr) next = Math.min(next, from);
    at += to - from;
  }
  return { u8, at: addr, len: next - addr };
}

/** Copies from `mm`'s memory at `addr`; returns how many bytes are mapped there, up to `len`. */
export function read_process_vm(kernel: Kernel, mm: Mm, addr: number, buf: Uint8Array, off: number, len: number): number {
  let done = 0;
  while (done < len) {
    const place = place_of(kernel, mm, addr + done);
    if (place === undefined) break;
    const n = Math.min(len - done, place.len);
    if (place.u8 === buf) buf.copyWithin(off + done, place.at, place.at + n);
    else buf.set(place.u8.subarray(place.at, place.at + n), off + done);
    done += n;
  }
  return done;
}

/** Copies into `mm`'s memory at `addr`; code there is seen to change. Returns how many bytes are mapped there, up to `len`. */
export function write_process_vm(kernel: Kernel, mm: Mm, addr: number, buf: Uint8Array, off: number, len: number): number {
  let done = 0;
  while (done < len) {
    const place = place_of(kernel, mm, addr + done);
    if (place === undefined) break;
    const n = Math.min(len - done, place.len);
    if (place.u8 === buf) buf.copyWithin(place.at, off + done, off + done + n);
    else place.u8.set(buf.subarray(off + done, off + done + n), place.at);
    if (place.u8 === kernel.mem.u8) kernel.arch.flush_icache_range(place.at, n);
    done += n;
  }
  return done;
}
