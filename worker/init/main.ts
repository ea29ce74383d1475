// init/main.ts — start_kernel: every subsystem comes up in Linux's order and says so in Linux's words, then init runs.  cf. init/main.c, init/do_mounts.c
import { Errno } from "../include/uapi/errno.ts";
import { MS_RDONLY, MS_SILENT } from "../include/uapi/mount.ts";
import { MAJOR, MINOR, MKDEV } from "../include/uapi/stat.ts";
import { chr_dev_init } from "../drivers/char/mem.ts";
import { CharDevices } from "../drivers/char/chrdev.ts";
import { Random } from "../drivers/char/random.ts";
import { BlockDevices } from "../drivers/block/genhd.ts";
import { Devices } from "../drivers/base/core.ts";
import { devtmpfs_init } from "../fs/devtmpfs.ts";
import { kernel_execve } from "../fs/exec.ts";
import { FilesStruct, FsStruct } from "../fs/fs_struct.ts";
import { kern_path } from "../fs/namei.ts";
import { init_mount, mount_root } from "../fs/namespace.ts";
import { AT_FDCWD, O_RDWR } from "../include/uapi/fcntl.ts";
import { Filename } from "../fs/names.ts";
import { do_filp_open } from "../fs/open.ts";
import { Vfs } from "../fs/vfs.ts";
import { vfs_caches_init } from "../fs/vfs_init.ts";
import { PidFs } from "../fs/pidfs.ts";
import { setup_vsyscall, setup_zpoline_trampoline } from "../arch/um/trampoline.ts";
import type { UmArch } from "../arch/um/process.ts";
import { arch_initcalls, device_initcalls, fs_initcalls } from "./initcalls.ts";
import { type BootFile, write_boot_files } from "./files.ts";
import { kunit_init } from "../kunit/main.ts";
import { Futexes } from "../kernel/futex_types.ts";
import { new_task } from "../kernel/fork.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { panic } from "../kernel/panic.ts";
import { memparse, Params } from "../kernel/params.ts";
import { CONSOLE_LOGLEVEL_QUIET, Printk } from "../kernel/printk.ts";
import { Sched } from "../kernel/sched/core.ts";
import type { Task } from "../kernel/task.ts";
import { Timekeeping } from "../kernel/time/timekeeping.ts";
import { Uts } from "../kernel/utsname.ts";
import { NommuRegions } from "../mm/nommu_types.ts";
import { reserve_fixed } from "../mm/fixed.ts";
import { ShadowFork } from "../mm/shadow.ts";
import { PageAlloc } from "../mm/page_alloc.ts";

/** The kernel's own pages end here, and the pool begins (DESIGN.md's memory map). */
const POOL_START = 0x100000;
export const DEFAULT_MEM = 64 * 1024 * 1024;

/** What UML adds to a command line: a root device and a console, unless they are given.  cf. arch/um/kernel/um_arch.c */
export function um_command_line(line: string): string {
  const words = line.trim();
  const boot = new Params(words);
  const before = words.split(/ --(?: |$)/)[0]!;
  const rest = words.slice(before.length);
  return [before, ...(boot.has("root") ? [] : ["root=98:0"]), ...(boot.has("console") ? [] : ["console=tty0"])].filter((s) => s !== "").join(" ") + rest;
}

/** mem=, bytes: a multiple of 64 KiB. NaN if it makes no sense. */
export function mem_size(line: string): number {
  const text = new Params(line).get("mem");
  if (text === undefined) return DEFAULT_MEM;
  const n = memparse(text);
  return Math.floor(n / 65536) * 65536;
}

const hash_line = (name: string, entries: number, order: number, each: number): string =>
  `${name} hash table entries: ${entries} (order: ${order}, ${entries * each} bytes, linear)`;

/** Everything up to the moment before init runs. The tasks are idle; kernel_init goes on with them. */
export function start_kernel(kernel: Kernel, line: string, start_time: number): void {
  const arch = kernel.arch as UmArch;
  kernel.params = new Params(line);
  const { params } = kernel;
  kernel.time = new Timekeeping(kernel, start_time);
  kernel.printk = new Printk(kernel);
  const log = kernel.printk;
  if (params.has("quiet")) log.console_loglevel = CONSOLE_LOGLEVEL_QUIET;
  log.console_loglevel = params.number("loglevel") ?? log.console_loglevel;
  if (params.get("printk.time") === "1") log.printk_time = true;
  kernel.uts = new Uts();
  if (params.has("hostname")) kernel.uts.nodename = params.get("hostname")!;
  for (const text of ["Core dump limits :", "\tsoft - 0", "\thard - NONE"]) if (!params.has("quiet")) kernel.os.hostPrint(text);

  const { uts, mem } = kernel;
  const hex = (n: number): string => `0x${n.toString(16).padStart(16, "0")}`;
  const span = `[mem ${hex(0)}-${hex(mem.size - 1)}]`;
  log.notice(`${uts.sysname} version ${uts.release} (pagezero) (TypeScript to WebAssembly) ${uts.version}`);
  log.info(`Zone ranges:\n  Normal   ${span}\nMovable zone start for each node\nEarly memory node ranges\n  node   0: ${span}\nInitmem setup node 0 ${span}`);
  kernel.pages = new PageAlloc(POOL_START, mem.size);
  kernel.regions = new NommuRegions();
  if (params.get("nommu.fork") === "shadow") kernel.shadow = new ShadowFork();
  reserve_fixed(kernel);
  log.info(`Built 1 zonelists, mobility grouping off.  Total pages: ${mem.size / 4096}`);
  log.notice(`Kernel command line: ${params.saved_command_line}`);
  const unknown = unknown_line(params);
  if (unknown !== undefined) log.notice(unknown);
  kernel.sched = new Sched(kernel);
  kernel.futexes = new Futexes();
  kernel.random = new Random(random_seed(kernel));
  kernel.chrdev = new CharDevices(kernel);
  kernel.blkdev = new BlockDevices();
  kernel.devices = new Devices(kernel);
  kernel.vfs = new Vfs(kernel);
  log.info(hash_line("Dentry cache", 32768, 6, 8));
  log.info(hash_line("Inode-cache", 16384, 5, 8));
  log.info(`Memory: ${(kernel.pages.nr_free * 4096) / 1024}K/${mem.size / 1024}K available (${POOL_START / 1024}K reserved)`);
  log.info("SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=1, Nodes=1\nNR_IRQS: 64\nclocksource: timer: mask: 0xffffffffffffffff max_cycles: 0x1cd42e205, max_idle_ns: 881590404426 ns");
  log.info("Calibrating delay loop... 2000.00 BogoMIPS (lpj=10000000)\npid_max: default: 32768 minimum: 301");
  vfs_caches_init(kernel);
  kernel.pidfs = new PidFs();
  devtmpfs_init(kernel);
  log.info("devtmpfs: initialized");
  log.info("clocksource: jiffies: mask: 0xffffffff max_cycles: 0xffffffff, max_idle_ns: 19112604462750000 ns\nfutex hash table entries: 256 (order: 0, 6144 bytes, linear)");
  if (arch.zpoline.mode === "0") setup_vsyscall(mem);
  else {
    setup_zpoline_trampoline(mem);
    log.info("zpoline: setting up trampoline code done");
  }
  log.info("clocksource: Switched to clocksource timer");
  arch_initcalls(kernel);
  fs_initcalls(kernel);
  chr_dev_init(kernel);
  device_initcalls(kernel);
}

/** `mem=` was taken by UML but stays on the line: the generic parser does not know it, so init gets it in its environment. */
function unknown_line(params: Params): string | undefined {
  return params.unknown_message();
}

function random_seed(kernel: Kernel): Uint8Array {
  const text = kernel.params.get("seed");
  if (text === undefined) return new TextBytes("seed=0").bytes;
  return new TextBytes(`seed=${text.replace(/^0x/i, "").toLowerCase().replace(/^0+(?=.)/, "")}`).bytes;
}
class TextBytes {
  readonly bytes: Uint8Array;
  constructor(text: string) {
    this.bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  }
}

/** root= as a device number; undefined if it names none. */
function name_to_dev(kernel: Kernel, text: string): number | undefined {
  const numbers = /^(\d+):(\d+)$/.exec(text);
  if (numbers) return MKDEV(Number(numbers[1]), Number(numbers[2]));
  const hexa = /^[0-9a-f]{3,4}$/i.exec(text);
  const named = kernel.blkdev.by_name(text.replace(/^\/dev\//, ""));
  if (named !== undefined) return named.bd_dev;
  return hexa ? MKDEV(parseInt(text, 16) >> 8, parseInt(text, 16) & 0xff) : undefined;
}

/** Mounts the root file system, and devtmpfs on its /dev.  cf. prepare_namespace() */
function prepare_namespace(kernel: Kernel): void {
  const { params, printk: log } = kernel;
  const root = params.get("root") ?? "";
  const dev = name_to_dev(kernel, root);
  const bdev = dev === undefined ? undefined : kernel.blkdev.lookup(dev);
  const flags = (params.params.findLast((p) => p.name === "ro" || p.name === "rw")?.name ?? "ro") === "rw" ? 0 : MS_RDONLY;
  const shown = dev === undefined ? "unknown-block(0,0)" : `unknown-block(${MAJOR(dev)},${MINOR(dev)})`;
  const cannot = (error: number): void => {
    log.emerg(`VFS: Cannot open root device "${root}" or ${shown}: error ${error}`);
    log.emerg(`Please append a correct "root=" boot option; here are the available partitions:`);
    for (const d of kernel.blkdev.devices.values())
      log.emerg(`${MAJOR(d.bd_dev).toString(16).padStart(2, "0")}${MINOR(d.bd_dev).toString(16).padStart(2, "0")}  ${String(d.size / 1024).padStart(11)} ${d.name}`);
    panic(kernel, `VFS: Unable to mount root fs on ${shown}`, ["mount_root_generic", "mount_root", "prepare_namespace", "kernel_init_freeable"]);
  };
  if (bdev === undefined) return cannot(-6);
  const wanted = params.get("rootfstype")?.split(",");
  const types = kernel.vfs.file_systems.filter((t) => (wanted === undefined ? t.requires_dev : wanted.includes(t.name)));
  let error = -22;
  for (const type of types) {
    for (const ro of flags === 0 ? [0, MS_RDONLY] : [MS_RDONLY]) {
      try {
        mount_root(kernel, type, `/dev/${bdev.name}`, ro | MS_SILENT, params.get("rootflags") ?? "");
        log.info(`VFS: Mounted root (${type.name} filesystem)${ro === 0 ? "" : " readonly"} on device ${MAJOR(bdev.bd_dev)}:${MINOR(bdev.bd_dev)}.`);
        return;
      } catch (e) {
        if (!(e instanceof Errno)) throw e;
        error = -e.code;
        // a read-only disk is mounted read-only without being asked
        if (error !== -13 && error !== -30) break;
      }
    }
  }
  cannot(error);
}

/** Makes process 1 and starts its program. `files`: added to the root file system before. Returns it, runnable.  cf. kernel_init() */
export function kernel_init(kernel: Kernel, files: readonly BootFile[] = []): Task {
  const { params, printk: log } = kernel;
  const task = new_task(kernel, "swapper", kernel.arch.thread_size, false);
  task.signal.pgrp = task.signal.session = 0;
  task.fs = new FsStruct(kernel.vfs.root, kernel.vfs.root);
  task.files = new FilesStruct();
  kernel.current = task;
  kunit_init(kernel);
  prepare_namespace(kernel);
  task.fs.set_root(kernel.vfs.root);
  task.fs.set_pwd(kernel.vfs.root);
  try {
    init_mount(kernel, "devtmpfs", "devtmpfs", kern_path(task, "/dev"));
    log.info("devtmpfs: mounted");
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
    log.info(`devtmpfs: error mounting ${-e.code}`);
  }
  write_boot_files(kernel, task, files);
  console_on_rootfs(kernel, task);
  log.info("This architecture does not have kernel memory protection.");
  run_init(kernel, task, params);
  kernel.current = undefined;
  kernel.sched.wake_up_new_task(task);
  return task;
}

/** Descriptors 0, 1, 2 of init.  cf. console_on_rootfs() */
function console_on_rootfs(kernel: Kernel, task: Task): void {
  try {
    const file = do_filp_open(task, AT_FDCWD, new Filename("/dev/console"), O_RDWR, 0);
    task.files!.alloc_fd(task, file);
    for (let i = 0; i < 2; i++) {
      file.f_count++;
      task.files!.alloc_fd(task, file);
    }
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
    kernel.printk.err("Warning: unable to open an initial console.");
  }
}

function run_init(kernel: Kernel, task: Task, params: Params): void {
  const { printk: log } = kernel;
  const attempt = (path: string): number => {
    const argv = [path, ...params.argv_init];
    log.info(`Run ${path} as init process`);
    log.debug(["  with arguments:", ...argv.map((a) => `    ${a}`), "  with environment:", ...params.envp_init.map((e) => `    ${e}`)].join("\n"));
    try {
      kernel_execve(task, path, argv, [...params.envp_init]);
      return 0;
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
      return -e.code;
    }
  };
  const init = params.get("init");
  if (init !== undefined) {
    const error = attempt(init);
    if (error === 0) return;
    panic(kernel, `Requested init ${init} failed (error ${error}).`);
  }
  for (const path of ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"]) {
    const error = attempt(path);
    if (error === 0) return;
    if (error !== -2) log.err(`Starting init: ${path} exists but couldn't execute it (error ${error})`);
  }
  panic(kernel, "No working init found.  Try passing init= option to kernel. See Linux Documentation/admin-guide/init.rst for guidance.");
}
