// drivers/char/random.ts — the random number generator: ChaCha20 keyed from seed= or the host.  cf. drivers/char/random.c
//
// The machine is deterministic: with the same seed the same calls give the same bytes. As Linux does, each request is a ChaCha20 key stream whose
// first 32 bytes become the next key (so that earlier output can't be computed from the state).
import { EFAULT, EINVAL } from "../../include/uapi/errno.ts";
import { Hex, OutBuf, SYSCALL_DEFINE, Size } from "../../kernel/syscall.ts";
import type { Task } from "../../kernel/task.ts";
import { put_user_u32, get_user_s32, USER_MIN_WRITE } from "../../kernel/uaccess.ts";
import { CAP_SYS_ADMIN, capable } from "../../kernel/cred.ts";
import { EPERM, ENOTTY } from "../../include/uapi/errno.ts";
import { type File, FMODE_LSEEK, FMODE_NOWAIT, FileOperations } from "../../fs/fs.ts";

const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
const RNDGETENTCNT = 0x80045200;
const RNDADDTOENTCNT = 0x40045201;
const RNDADDENTROPY = 0x40085203;
const RNDZAPENTCNT = 0x5204;
const RNDCLEARPOOL = 0x5206;
const RNDRESEEDCRNG = 0x5207;
/** bits; /proc/sys/kernel/random/poolsize */
export const POOL_BITS = 256;

function quarter(x: Uint32Array, a: number, b: number, c: number, d: number): void {
  let va = x[a]!;
  let vb = x[b]!;
  let vc = x[c]!;
  let vd = x[d]!;
  va = (va + vb) | 0;
  vd ^= va;
  vd = (vd << 16) | (vd >>> 16);
  vc = (vc + vd) | 0;
  vb ^= vc;
  vb = (vb << 12) | (vb >>> 20);
  va = (va + vb) | 0;
  vd ^= va;
  vd = (vd << 8) | (vd >>> 24);
  vc = (vc + vd) | 0;
  vb ^= vc;
  vb = (vb << 7) | (vb >>> 25);
  x[a] = va;
  x[b] = vb;
  x[c] = vc;
  x[d] = vd;
}

/** One ChaCha20 block of `state` (RFC 8439, 2.3); the counter in word 12 goes up. */
export function chacha20_block(state: Uint32Array, out: Uint32Array): void {
  out.set(state);
  for (let i = 0; i < 10; i++) {
    quarter(out, 0, 4, 8, 12);
    quarter(out, 1, 5, 9, 13);
    quarter(out, 2, 6, 10, 14);
    quarter(out, 3, 7, 11, 15);
    quarter(out, 0, 5, 10, 15);
    quarter(out, 1, 6, 11, 12);
    quarter(out, 2, 7, 8, 13);
    quarter(out, 3, 4, 9, 14);
  }
  for (let i = 0; i < 16; i++) out[i] = (out[i]! + state[i]!) | 0;
  state[12] = (state[12]! + 1) | 0;
}

export class Random {
  private readonly key = new Uint32Array(8);
  /** /proc/sys/kernel/random/boot_id, made at the first look */
  boot_id = "";

  /** `seed`: any number of bytes. */
  constructor(seed: Uint8Array) {
    this.add_entropy(seed);
  }
  /** Mixes bytes into the key: each 32 of them are added, then the key is replaced by its own key stream. */
  add_entropy(bytes: Uint8Array): void {
    for (let at = 0; at < Math.max(bytes.length, 1); at += 32) {
      for (let i = 0; i < 32 && at + i < bytes.length; i++) {
        const w = i >> 2;
        this.key[w] = this.key[w]! ^ (bytes[at + i]! << ((i & 3) * 8));
      }
      this.fill(new Uint8Array(0), 0, 0);
    }
  }
  /** Fills buf[off, off+len). */
  fill(buf: Uint8Array, off: number, len: number): void {
    const state = new Uint32Array(16);
    state.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);
    state.set(this.key, 4);
    const block = new Uint32Array(16);
    const bytes = new Uint8Array(block.buffer);
    chacha20_block(state, block);
    this.key.set(block.subarray(0, 8));
    let at = 32;
    for (let i = 0; i < len; i++) {
      if (at === 64) {
        chacha20_block(state, block);
        at = 0;
      }
      buf[off + i] = bytes[at++]!;
    }
  }
  bytes(n: number): Uint8Array {
    const out = new Uint8Array(n);
    this.fill(out, 0, n);
    return out;
  }
  /** A random UUID as text (version 4). */
  uuid(): string {
    const b = this.bytes(16);
    b[6] = (b[6]! & 0x0f) | 0x40;
    b[8] = (b[8]! & 0x3f) | 0x80;
    const hex = [...b].map((v) => v.toString(16).padStart(2, "0")).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

/** /dev/random and /dev/urandom: the same once the generator is seeded, which it is from the start. */
export class RandomFops extends FileOperations {
  override get has_fasync(): boolean {
    return true;
  }
  override get f_mode(): number {
    return FMODE_LSEEK | FMODE_NOWAIT;
  }
  override llseek(file: File): number {
    return file.f_pos;
  }
  override read(_file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    task.kernel.random.fill(buf, off, len);
    return len;
  }
  override write(_file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    task.kernel.random.add_entropy(buf.slice(off, off + len));
    return len;
  }
  override ioctl(_file: File, task: Task, cmd: number, arg: number): number {
    const m = task.kernel.mem;
    switch (cmd) {
      case RNDGETENTCNT:
        put_user_u32(m, arg, POOL_BITS);
        return 0;
      case RNDADDTOENTCNT:
        if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
        if (get_user_s32(m, arg) < 0) throw EINVAL;
        return 0;
      case RNDADDENTROPY: {
        if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
        const bits = get_user_s32(m, arg);
        const size = get_user_s32(m, arg + 4);
        if (bits < 0 || size < 0) throw EINVAL;
        if (arg + 8 + size > m.size) throw EFAULT;
        task.kernel.random.add_entropy(m.u8.slice(arg + 8, arg + 8 + size));
        return 0;
      }
      case RNDZAPENTCNT:
      case RNDCLEARPOOL:
      case RNDRESEEDCRNG:
        if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
        return 0;
      default:
        throw ENOTTY;
    }
  }
}

export const random_fops = new RandomFops();

/** getrandom(2) */
export const sys_getrandom = SYSCALL_DEFINE("getrandom", [OutBuf, Size, Hex], (task, buf, count, flags) => {
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) throw EINVAL;
  if ((flags & (GRND_INSECURE | GRND_RANDOM)) === (GRND_INSECURE | GRND_RANDOM)) throw EINVAL;
  const m = task.kernel.mem;
  const n = Math.min(count, 0x7fffffff);
  if (n === 0) return 0;
  if (buf < USER_MIN_WRITE || buf >= m.size) throw EFAULT;
  const len = Math.min(n, m.size - buf);
  m.written(buf, len);
  task.kernel.random.fill(m.u8, buf, len);
  return len;
});

