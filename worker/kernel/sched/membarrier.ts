// kernel/sched/membarrier.ts — membarrier(2): on one CPU every switch is a barrier.  cf. kernel/sched/membarrier.c
import { EINVAL, EPERM } from "../../include/uapi/errno.ts";
import { Int, SYSCALL_DEFINE, UInt } from "../syscall.ts";

const QUERY = 0;
const GLOBAL = 1;
const GLOBAL_EXPEDITED = 2;
const REGISTER_GLOBAL_EXPEDITED = 4;
const PRIVATE_EXPEDITED = 8;
const REGISTER_PRIVATE_EXPEDITED = 16;
const GET_REGISTRATIONS = 512;

/** membarrier(2) */
export const sys_membarrier = SYSCALL_DEFINE("membarrier", [Int, UInt, Int], (task, cmd, flags, _cpu_id) => {
  if (flags !== 0) throw EINVAL;
  const { signal } = task;
  switch (cmd) {
    case QUERY:
      return GLOBAL | GLOBAL_EXPEDITED | REGISTER_GLOBAL_EXPEDITED | PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED | GET_REGISTRATIONS;
    case GLOBAL:
    case GLOBAL_EXPEDITED:
      return 0;
    case REGISTER_GLOBAL_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED:
      signal.membarrier_state |= cmd;
      return 0;
    case PRIVATE_EXPEDITED:
      if ((signal.membarrier_state & REGISTER_PRIVATE_EXPEDITED) === 0) throw EPERM;
      return 0;
    case GET_REGISTRATIONS:
      return signal.membarrier_state;
    default:
      throw EINVAL;
  }
});
