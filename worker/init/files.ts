// init/files.ts — files that a boot link adds to the root file system before init runs.  cf. init/initramfs.c
import { EEXIST, Errno } from "../include/uapi/errno.ts";
import { AT_FDCWD, O_CREAT, O_TRUNC, O_WRONLY } from "../include/uapi/fcntl.ts";
import { fput } from "../fs/file_table.ts";
import { mkdir_at } from "../fs/namei_ops.ts";
import { Filename } from "../fs/names.ts";
import { do_filp_open } from "../fs/open.ts";
import { vfs_write } from "../fs/read_write.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";

export interface BootFile {
  /** absolute; folders that are missing are made */
  readonly path: string;
  readonly bytes: Uint8Array;
}

function write_file(task: Task, { path, bytes }: BootFile): void {
  const parts = path.split("/").filter((p) => p !== "");
  for (let i = 1; i < parts.length; i++) {
    try {
      mkdir_at(task, AT_FDCWD, new Filename(`/${parts.slice(0, i).join("/")}`), 0o755);
    } catch (e) {
      if (e !== EEXIST) throw e;
    }
  }
  // a script can be run: whoever sends a file may want that
  const mode = bytes[0] === 0x23 && bytes[1] === 0x21 ? 0o755 : 0o644;
  const file = do_filp_open(task, AT_FDCWD, new Filename(path), O_WRONLY | O_CREAT | O_TRUNC, mode);
  try {
    for (let at = 0; at < bytes.length; ) at += vfs_write(task, file, bytes, at, bytes.length - at, at);
  } finally {
    fput(task, file);
  }
}

/** Writes them as root; one that cannot be written is told in the log, and the boot goes on. */
export function write_boot_files(kernel: Kernel, task: Task, files: readonly BootFile[]): void {
  for (const file of files) {
    // paths are byte strings here
    const path = unescape(encodeURIComponent(file.path));
    try {
      write_file(task, { ...file, path });
      kernel.printk.info(`boot link: wrote ${path}, ${file.bytes.length} bytes`);
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
      kernel.printk.warn(`boot link: ${path} cannot be written: error ${-e.code}`);
    }
  }
}
