// net/ipv4/tcp_minisocks.ts — what is left of a connection after its end: TIME_WAIT.  cf. net/ipv4/tcp_minisocks.c, inet_timewait_sock.c
import type { Kernel } from "../../kernel/kernel.ts";

/** TCP_TIMEWAIT_LEN, ns */
const TCP_TIMEWAIT_LEN = 60e9;

/** The side that closed first keeps its port for a minute. */
export class TimeWait {
  readonly rcv_saddr: number;
  readonly num: number;
  readonly daddr: number;
  readonly dport: number;
  readonly reuseaddr: boolean;
  readonly reuseport: boolean;
  /** CLOCK_MONOTONIC, ns */
  readonly until: number;
  constructor(s: { rcv_saddr: number; num: number; daddr: number; dport: number; reuseaddr: boolean; reuseport: boolean }, until: number) {
    this.rcv_saddr = s.rcv_saddr;
    this.num = s.num;
    this.daddr = s.daddr;
    this.dport = s.dport;
    this.reuseaddr = s.reuseaddr;
    this.reuseport = s.reuseport;
    this.until = until;
  }
}

/** cf. tcp_time_wait() */
export function tcp_time_wait(kernel: Kernel, s: ConstructorParameters<typeof TimeWait>[0]): void {
  kernel.net.time_wait.push(new TimeWait(s, kernel.time.monotonic() + TCP_TIMEWAIT_LEN));
}

/** Those whose minute is not over, oldest first. */
export function time_waiters(kernel: Kernel): readonly TimeWait[] {
  const { time_wait } = kernel.net;
  const now = kernel.time.monotonic();
  let gone = 0;
  while (gone < time_wait.length && time_wait[gone]!.until <= now) gone++;
  if (gone > 0) time_wait.splice(0, gone);
  return time_wait;
}
