// os-node/lock.ts — one machine at a time may write to a disk's file.  cf. os_lock_file() in arch/um/os-Linux/file.c
//
// Node has no locks on files. So a file beside it, FILE.lock, names the process that writes: its number and when it started, so that a killed machine's lock is known to be stale.
import { closeSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from "node:fs";

/** When a process started, in ticks after boot; "" where that cannot be had, undefined if there is no such process. */
function started(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (e) {
    // it is somebody else's: it is there
    if ((e as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return "";
  }
}

/** Takes the lock of a file; returns how to give it back. Throws a sentence when another process has it. Where no file can be made beside it there is no lock. */
export function lockFile(path: string): () => void {
  const lock = `${realpathSync(path)}.lock`;
  const own = `${process.pid} ${started(process.pid) ?? ""}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      const fd = openSync(lock, "wx");
      writeSync(fd, own);
      closeSync(fd);
      break;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "EEXIST") return () => undefined;
    }
    let holder = "";
    try {
      holder = readFileSync(lock, "latin1");
    } catch {
      // it was given back in between
    }
    // this very process: a machine that restarts opens its disks again
    if (holder === own) break;
    const [pid = "", since = ""] = holder.trim().split(" ");
    if (/^\d+$/.test(pid) && started(Number(pid)) === since) throw new Error(`${path} is in use by another machine (process ${pid}). Two machines on one disk would destroy it.`);
    if (attempt > 3) return () => undefined;
    rmSync(lock, { force: true });
  }
  const unlock = (): void => {
    process.off("exit", unlock);
    rmSync(lock, { force: true });
  };
  process.on("exit", unlock);
  return unlock;
}
