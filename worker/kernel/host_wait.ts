// kernel/host_wait.ts — waiting for the host (a flush to IndexedDB) without losing determinism.
//
// The machine stands still: the call's attempt ends here, no instruction retires and no virtual time passes until the promise settles,
// then the same call runs again and finds the outcome in task.restart. So host time never shows in the guest.
import { EIO, ENOSPC, type Errno } from "../include/uapi/errno.ts";
import { QuotaError } from "../arch/um/os.ts";
import type { Kernel } from "./kernel.ts";

/** Thrown by wait_host: do_syscall_64 leaves the task runnable and the run loop awaits kernel.host_work first. */
export class HostWait {}
export const HOST_WAIT = Object.freeze(new HostWait());

/** What a call that waits for the host keeps in its restart state: undefined = not asked yet. */
export interface HostResult {
  host?: "pending" | "done" | Errno;
}

/**
 * Runs `work` once per call: first attempt starts it; when it answers with a promise, the attempt ends and the next one returns (or throws
 * the errno of a failure: ENOSPC for QuotaError, EIO otherwise). `state` is the call's restart object.
 */
export function wait_host(kernel: Kernel, state: HostResult, work: () => Promise<void> | undefined): void {
  if (state.host === undefined || state.host === "pending") {
    const promise = work();
    if (promise === undefined) {
      state.host = "done";
      return;
    }
    state.host = "pending";
    kernel.arch.set_exit_work();
    kernel.host_work = promise.then(
      () => {
        state.host = "done";
      },
      (err: unknown) => {
        state.host = err instanceof QuotaError ? ENOSPC : EIO;
      },
    );
    throw HOST_WAIT;
  }
  if (state.host !== "done") throw state.host;
}
