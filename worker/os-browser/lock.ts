// worker/os-browser/lock.ts — one tab at a time may write to a disk.

/** A page that is being reloaded lets go of its lock a moment later. */
const PATIENCE_MS = 2000;

/** What the browser calls the lock of disk `name`. */
export const lockName = (name: string): string => `pagezero disk ${name}`;

/**
 * Takes the lock of disk `name` until this worker ends. False: another tab has it. Where the browser has no locks (plain HTTP), the answer is true,
 * and the owner word in the database decides who may write.
 */
export function lockDisk(name: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
  return new Promise((resolve) => {
    navigator.locks
      .request(lockName(name), { signal: abort.signal }, () => {
        clearTimeout(timer);
        resolve(true);
        // held for as long as the worker lives
        return new Promise<void>(() => undefined);
      })
      .catch(() => resolve(false));
  });
}
