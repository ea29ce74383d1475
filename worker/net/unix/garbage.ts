// net/unix/garbage.ts — sockets that nobody can reach any more, because the only descriptors of them are in their own queues.  cf. net/unix/garbage.c
//
// A socket in flight may be garbage when every reference to its file is one in flight. Of these, those are garbage that no queue outside of them holds.
import type { File } from "../../fs/fs.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { scm_destroy } from "../scm.ts";
import { UnixSock, type UnixSkb } from "./af_unix.ts";

/** The files were put into a message. */
export function unix_inflight(kernel: Kernel, fds: readonly File[]): void {
  const { inflight } = kernel.net;
  for (const { f_op } of fds) if (f_op instanceof UnixSock) inflight.set(f_op, (inflight.get(f_op) ?? 0) + 1);
}
/** They were taken out of it. */
export function unix_notinflight(kernel: Kernel, fds: readonly File[]): void {
  const { inflight } = kernel.net;
  for (const { f_op } of fds) {
    if (!(f_op instanceof UnixSock)) continue;
    const n = inflight.get(f_op)! - 1;
    if (n === 0) inflight.delete(f_op);
    else inflight.set(f_op, n);
  }
}

/** Messages that go with a socket: its queue, and those of connections that nobody has accepted. */
function queues(s: UnixSock): UnixSkb[] {
  return [...s.rxq, ...s.pending.flatMap((end) => end.rxq)];
}
const children = (s: UnixSock): UnixSock[] => queues(s).flatMap((skb) => skb.fds.map((f) => f.f_op).filter((s) => s instanceof UnixSock));

/** Called when a socket goes.  cf. unix_gc() */
export function unix_gc(kernel: Kernel, task: Task | undefined): void {
  const { net } = kernel;
  if (net.inflight.size === 0 || net.gc_running) return;
  /** candidates, with how many references from outside of the candidates' queues they have */
  const outside = new Map<UnixSock, number>();
  for (const [s, n] of net.inflight) if (s.file.f_count === n) outside.set(s, n);
  for (const s of [...outside.keys()]) for (const c of children(s)) if (outside.has(c)) outside.set(c, outside.get(c)! - 1);
  const reached = [...outside].filter(([, n]) => n > 0).map(([s]) => s);
  for (let s = reached.pop(); s !== undefined; s = reached.pop()) {
    if (!outside.delete(s)) continue;
    reached.push(...children(s).filter((c) => outside.has(c)));
  }
  if (outside.size === 0) return;
  const hit: { fds: File[] } = { fds: [] };
  for (const s of outside.keys())
    for (const skb of queues(s)) {
      unix_notinflight(kernel, skb.fds);
      hit.fds.push(...skb.fds);
      skb.fds = [];
    }
  net.gc_running = true;
  scm_destroy(task, hit);
  net.gc_running = false;
}
