// ipc/shm.ts — System V shared memory.  cf. ipc/shm.c
//
// A segment is one contiguous run of pages. Each attachment is a file of its own over it, mapped directly, so that the segment counts its
// attachments by their files.
import { EINVAL, ENOMEM, EPERM } from "../include/uapi/errno.ts";
import { O_RDONLY, O_RDWR } from "../include/uapi/fcntl.ts";
import { CAP_IPC_LOCK, capable } from "../kernel/cred.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Hex, Int, Ptr, SYSCALL_DEFINE, Size } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { check_read, clear_user, put_user_u32, put_user_u64 } from "../kernel/uaccess.ts";
import { File, FileOperations } from "../fs/fs.ts";
import { fput } from "../fs/file_table.ts";
import { MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE, do_mmap, do_munmap } from "../mm/nommu.ts";
import { IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT, IpcObject, get_perm, ipc_check_owner, ipc_now, ipcperms, put_perm } from "./util.ts";
import { memset } from "../lib/bytes.ts";

export const SHMMNI = 4096;
const SHM_RDONLY = 0o10000;
const SHM_RND = 0o20000;
const SHM_REMAP = 0o40000;
const SHM_EXEC = 0o100000;
const SHM_HUGETLB = 0o4000;
const SHM_DEST = 0o1000;
const SHM_LOCKED = 0o2000;
const SHM_LOCK = 11;
const SHM_UNLOCK = 12;
const SHM_STAT = 13;
const SHM_INFO = 14;
const SHM_STAT_ANY = 15;
const DS_SIZE = 112;

export class Shm extends IpcObject {
  readonly addr: number;
  /** bytes, as asked for */
  readonly size: number;
  nattch = 0;
  atime = 0;
  dtime = 0;
  ctime: number;
  readonly cpid: number;
  lpid = 0;
  constructor(task: Task, key: number, mode: number, addr: number, size: number) {
    super(task, key, mode);
    this.addr = addr;
    this.size = size;
    this.ctime = ipc_now(task);
    this.cpid = task.tgid;
  }
  get pages(): number {
    return Math.ceil(this.size / 4096);
  }
}

/** One attachment. */
export class ShmFileData extends FileOperations {
  private readonly kernel: Kernel;
  readonly shm: Shm;
  constructor(kernel: Kernel, shm: Shm) {
    super();
    this.kernel = kernel;
    this.shm = shm;
    shm.nattch++;
  }
  override get mmap_capabilities(): "direct" {
    return "direct";
  }
  override get_unmapped_area(_file: File, pgoff: number, len: number): number | undefined {
    return pgoff * 4096 + len <= this.shm.pages * 4096 ? this.shm.addr + pgoff * 4096 : undefined;
  }
  override d_dname(): string {
    return `/SYSV${(this.shm.key >>> 0).toString(16).padStart(8, "0")}`;
  }
  override release(_file: File, task: Task | undefined): void {
    const { shm, kernel } = this;
    shm.nattch--;
    shm.dtime = kernel.time.realtime().sec;
    if (task !== undefined) shm.lpid = task.tgid;
    if (shm.nattch === 0 && (shm.mode & SHM_DEST) !== 0) shm_destroy(kernel, shm);
  }
}
function shm_destroy(kernel: Kernel, shm: Shm): void {
  if (!shm.deleted) kernel.ipc.shm.remove(shm);
  kernel.arch.flush_icache_range(shm.addr, shm.pages * 4096);
  kernel.pages.free_pages_exact(shm.addr, shm.pages);
}

/** shmget(2) */
export const sys_shmget = SYSCALL_DEFINE("shmget", [Int, Size, Hex], (task, key, size, shmflg) => {
  const { kernel } = task;
  if ((shmflg & SHM_HUGETLB) !== 0) throw EINVAL;
  const make = (): Shm => {
    if (size < 1 || size > 2 ** 47) throw EINVAL;
    const pages = Math.ceil(size / 4096);
    const addr = kernel.pages.alloc_pages_exact(pages);
    if (addr === undefined) throw ENOMEM;
    kernel.arch.flush_icache_range(addr, pages * 4096);
    memset(kernel.mem.u8, 0, addr, addr + pages * 4096);
    return new Shm(task, key, shmflg, addr, size);
  };
  return kernel.ipc.shm.ipcget(task, key, shmflg, make, SHMMNI, (shm) => {
    if (shm.size < size) throw EINVAL;
  });
});

/** shmat(2): the segment is where it is; any other address is EINVAL */
export const sys_shmat = SYSCALL_DEFINE("shmat", [Int, Ptr, Hex], (task, shmid, shmaddr, shmflg) => {
  const { kernel } = task;
  const shm = kernel.ipc.shm.get(shmid);
  if ((shmflg & SHM_REMAP) !== 0) throw EINVAL;
  let addr = shmaddr;
  if (addr !== 0 && addr % 4096 !== 0) {
    if ((shmflg & SHM_RND) === 0) throw EINVAL;
    addr -= addr % 4096;
  }
  if (addr !== 0 && addr !== shm.addr) throw EINVAL;
  const rdonly = (shmflg & SHM_RDONLY) !== 0;
  ipcperms(task, shm, (rdonly ? 0o444 : 0o666) | ((shmflg & SHM_EXEC) !== 0 ? 0o111 : 0));
  const file = new File(undefined, undefined, rdonly ? O_RDONLY : O_RDWR, new ShmFileData(kernel, shm));
  try {
    const prot = PROT_READ | (rdonly ? 0 : PROT_WRITE) | ((shmflg & SHM_EXEC) !== 0 ? PROT_EXEC : 0);
    const at = do_mmap(task, file, 0, shm.size, prot, MAP_SHARED, 0);
    shm.atime = ipc_now(task);
    shm.lpid = task.tgid;
    return at;
  } finally {
    fput(task, file);
  }
});

/** shmdt(2) */
export const sys_shmdt = SYSCALL_DEFINE("shmdt", [Ptr], (task, shmaddr) => {
  const vma = task.mm?.vmas.find((v) => v.vm_start === shmaddr && v.vm_file?.f_op instanceof ShmFileData);
  if (vma === undefined) throw EINVAL;
  const { shm } = vma.vm_file!.f_op as ShmFileData;
  do_munmap(task, vma.vm_start, vma.vm_end - vma.vm_start);
  shm.lpid = task.tgid;
  return 0;
});

function put_ds(task: Task, buf: number, shm: Shm): void {
  const m = task.kernel.mem;
  put_perm(task, buf, shm, DS_SIZE);
  put_user_u64(m, buf + 48, shm.size);
  put_user_u64(m, buf + 56, shm.atime);
  put_user_u64(m, buf + 64, shm.dtime);
  put_user_u64(m, buf + 72, shm.ctime);
  put_user_u32(m, buf + 80, shm.cpid);
  put_user_u32(m, buf + 84, shm.lpid);
  put_user_u64(m, buf + 88, shm.nattch);
}

/** shmctl(2) */
export const sys_shmctl = SYSCALL_DEFINE("shmctl", [Int, Int, Ptr], (task, shmid, cmd, buf) => {
  const { kernel } = task;
  const ids = kernel.ipc.shm;
  const m = kernel.mem;
  if (shmid < 0 || cmd < 0) throw EINVAL;
  switch (cmd) {
    case IPC_INFO: {
      clear_user(m, buf, 72);
      const max = 2 ** 53;
      [max, 1, SHMMNI, SHMMNI, max].forEach((v, i) => put_user_u64(m, buf + 8 * i, v));
      return ids.max();
    }
    case SHM_INFO: {
      clear_user(m, buf, 48);
      put_user_u32(m, buf, ids.slots.size);
      const pages = [...ids.slots.values()].reduce((n, s) => n + s.pages, 0);
      put_user_u64(m, buf + 8, pages);
      put_user_u64(m, buf + 16, pages);
      return ids.max();
    }
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY: {
      const shm = cmd === IPC_STAT ? ids.get(shmid) : ids.at(shmid);
      if (cmd !== SHM_STAT_ANY) ipcperms(task, shm, 0o444);
      put_ds(task, buf, shm);
      return cmd === IPC_STAT ? 0 : shm.id;
    }
    case IPC_SET: {
      check_read(m, buf, 112);
      const shm = ids.get(shmid);
      ipc_check_owner(task, shm);
      get_perm(task, buf, shm);
      shm.ctime = ipc_now(task);
      return 0;
    }
    case IPC_RMID: {
      const shm = ids.get(shmid);
      ipc_check_owner(task, shm);
      shm.mode |= SHM_DEST;
      // it stays, without a key, until nobody has it attached
      shm.key = 0;
      if (shm.nattch === 0) shm_destroy(kernel, shm);
      return 0;
    }
    case SHM_LOCK:
    case SHM_UNLOCK: {
      const shm = ids.get(shmid);
      if (!capable(task, CAP_IPC_LOCK) && task.cred.euid !== shm.uid && task.cred.euid !== shm.cuid) throw EPERM;
      shm.mode = cmd === SHM_LOCK ? shm.mode | SHM_LOCKED : shm.mode & ~SHM_LOCKED;
      return 0;
    }
    default:
      throw EINVAL;
  }
});
