// ipc/ipc.ts — all of a machine's System V and POSIX IPC objects.  cf. struct ipc_namespace
import type { Mqueue } from "./mqueue.ts";
import type { MsgQueue } from "./msg.ts";
import type { SemArray } from "./sem.ts";
import type { Shm } from "./shm.ts";
import { IpcIds } from "./util.ts";

export class Ipc {
  readonly shm = new IpcIds<Shm>();
  readonly sem = new IpcIds<SemArray>();
  readonly msg = new IpcIds<MsgQueue>();
  /** POSIX message queues by name, without the slash */
  readonly queues = new Map<string, Mqueue>();
}
