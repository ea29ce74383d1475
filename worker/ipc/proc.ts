// ipc/proc.ts — /proc/sysvipc, as ipcs reads it.  cf. ipc/util.c sysvipc_proc_*, ipc/shm.c, sem.c, msg.c
import type { Kernel } from "../kernel/kernel.ts";
import { FixedEntry, ProcEntry, proc_create } from "../fs/proc/internal.ts";
import { MSGSIZE_MAX, MSG_MAX, QUEUES_MAX } from "./mqueue.ts";
import { MSGMAX, MSGMNB, MSGMNI } from "./msg.ts";
import { SEMMNI, SEMMSL, SEMOPM } from "./sem.ts";
import { SHMMNI } from "./shm.ts";
import type { IpcObject } from "./util.ts";

const n = (v: number, width: number): string => String(v).padStart(width);
const first = (o: IpcObject): string => `${n(o.key, 10)} ${n(o.id, 10)}  ${o.mode.toString(8).padStart(4)}`;
const owners = (o: IpcObject): string => `${n(o.uid, 5)} ${n(o.gid, 5)} ${n(o.cuid, 5)} ${n(o.cgid, 5)}`;

export class SysvShmEntry extends ProcEntry {
  show(kernel: Kernel): string {
    const head = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n";
    const lines = [...kernel.ipc.shm.slots.values()].map(
      (s) => `${first(s)} ${n(s.size, 21)} ${n(s.cpid, 5)} ${n(s.lpid, 5)}  ${n(s.nattch, 5)} ${owners(s)} ${n(s.atime, 10)} ${n(s.dtime, 10)} ${n(s.ctime, 10)} ${n(s.pages * 4096, 21)} ${n(0, 21)}\n`,
    );
    return head + lines.join("");
  }
}
export class SysvSemEntry extends ProcEntry {
  show(kernel: Kernel): string {
    const lines = [...kernel.ipc.sem.slots.values()].map((s) => `${first(s)} ${n(s.values.length, 10)} ${owners(s)} ${n(s.otime, 10)} ${n(s.ctime, 10)}\n`);
    return `       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n${lines.join("")}`;
  }
}
export class SysvMsgEntry extends ProcEntry {
  show(kernel: Kernel): string {
    const head = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n";
    const lines = [...kernel.ipc.msg.slots.values()].map(
      (q) => `${first(q)}  ${n(q.cbytes, 10)} ${n(q.messages.length, 10)} ${n(q.lspid, 5)} ${n(q.lrpid, 5)} ${owners(q)} ${n(q.stime, 10)} ${n(q.rtime, 10)} ${n(q.ctime, 10)}\n`,
    );
    return head + lines.join("");
  }
}

/** cf. ipc/ipc_sysctl.c, mq_sysctl.c. No limit of bytes: ULONG_MAX - 2^24 */
const LIMITS: Readonly<Record<string, string | number>> = {
  "kernel/shmmax": "18446744073692774399", "kernel/shmall": "18446744073692774399", "kernel/shmmni": SHMMNI, "kernel/shm_rmid_forced": 0, "kernel/msgmax": MSGMAX, "kernel/msgmnb": MSGMNB,
  "kernel/msgmni": MSGMNI, "kernel/sem": `${SEMMSL}\t${SEMMNI * SEMMSL}\t${SEMOPM}\t${SEMMNI}`, "fs/mqueue/msg_default": MSG_MAX, "fs/mqueue/msg_max": MSG_MAX,
  "fs/mqueue/msgsize_default": MSGSIZE_MAX, "fs/mqueue/msgsize_max": MSGSIZE_MAX, "fs/mqueue/queues_max": QUEUES_MAX,
};

export function ipc_proc_init(kernel: Kernel): void {
  for (const [name, value] of Object.entries(LIMITS)) proc_create(kernel, `sys/${name}`, new FixedEntry(value));
  proc_create(kernel, "sysvipc/shm", new SysvShmEntry());
  proc_create(kernel, "sysvipc/sem", new SysvSemEntry());
  proc_create(kernel, "sysvipc/msg", new SysvMsgEntry());
}
