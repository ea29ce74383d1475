// kernel/time/ntp.ts — what a time daemon may say of the clock: adjtimex and clock_adjtime.  cf. kernel/time/ntp.c, timekeeping.c
//
// The clock is a count of instructions and cannot be off: a rate or an offset that is to be worked off is kept and told, and has no effect.
import { EINVAL, EOPNOTSUPP, EPERM } from "../../include/uapi/errno.ts";
import { CAP_SYS_TIME, capable } from "../cred.ts";
import { Int, Ptr, SYSCALL_DEFINE } from "../syscall.ts";
import type { Task } from "../task.ts";
import { check_write, clear_user, get_user_s32, get_user_s64, get_user_u32, put_user_u32, put_user_u64 } from "../uaccess.ts";
import { NSEC_PER_SEC } from "./timekeeping.ts";

const ADJ_OFFSET = 0x0001, ADJ_FREQUENCY = 0x0002, ADJ_MAXERROR = 0x0004, ADJ_ESTERROR = 0x0008, ADJ_STATUS = 0x0010, ADJ_TIMECONST = 0x0020, ADJ_TAI = 0x0080;
const ADJ_SETOFFSET = 0x0100, ADJ_MICRO = 0x1000, ADJ_NANO = 0x2000, ADJ_TICK = 0x4000, ADJ_ADJTIME = 0x8000, ADJ_OFFSET_READONLY = 0x2000;
const STA_PLL = 0x0001, STA_UNSYNC = 0x0040, STA_CLOCKERR = 0x1000, STA_NANO = 0x2000;
/** bits of the status that only the kernel sets */
const STA_RONLY = 0xff00;
const TIME_OK = 0;
const TIME_ERROR = 5;
/** 500 ppm, in 2^-16 ppm */
const MAXFREQ_SCALED = 500 * 65536;
const NTP_PHASE_LIMIT = 16_000_000;
const MAXPHASE = 500_000_000;
const MAXTC = 10;
const MAX_TAI_OFFSET = 100_000;
const USER_TICK = 10_000;
/** struct timex */
const TIMEX_SIZE = 208;

/** Plain data of adjtimex: offset in ns, errors in us, frequency in 2^-16 ppm. */
export class Ntp {
  offset = 0;
  freq = 0;
  maxerror = NTP_PHASE_LIMIT;
  esterror = NTP_PHASE_LIMIT;
  status = STA_UNSYNC;
  constant = 2;
  tick = USER_TICK;
  tai = 0;
  /** us, of ADJ_OFFSET_SINGLESHOT */
  adjust = 0;
}

const clamp = (v: number, lo: number, hi: number): number => Math.max(lo, Math.min(hi, v));

/** cf. timekeeping_validate_timex() */
function validate(task: Task, addr: number, modes: number): void {
  const m = task.kernel.mem;
  const admin = capable(task, CAP_SYS_TIME);
  if ((modes & ADJ_ADJTIME) !== 0) {
    if ((modes & ADJ_OFFSET) === 0) throw EINVAL;
    if ((modes & ADJ_OFFSET_READONLY) === 0 && !admin) throw EPERM;
    return;
  }
  if (modes !== 0 && !admin) throw EPERM;
  if ((modes & ADJ_TICK) !== 0) {
    const tick = get_user_s64(m, addr + 88);
    if (tick < 9000 || tick > 11000) throw EINVAL;
  }
  if ((modes & ADJ_SETOFFSET) !== 0) {
    const usec = get_user_s64(m, addr + 80);
    if (usec < 0 || usec >= ((modes & ADJ_NANO) !== 0 ? NSEC_PER_SEC : 1_000_000)) throw EINVAL;
  }
}

/** cf. process_adjtimex_modes() */
function process_modes(task: Task, ntp: Ntp, addr: number, modes: number): void {
  const m = task.kernel.mem;
  const long = (at: number): number => get_user_s64(m, addr + at);
  if ((modes & ADJ_STATUS) !== 0) ntp.status = (ntp.status & STA_RONLY) | (get_user_s32(m, addr + 40) & ~STA_RONLY);
  if ((modes & ADJ_NANO) !== 0) ntp.status |= STA_NANO;
  if ((modes & ADJ_MICRO) !== 0) ntp.status &= ~STA_NANO;
  if ((modes & ADJ_FREQUENCY) !== 0) ntp.freq = clamp(long(16), -MAXFREQ_SCALED, MAXFREQ_SCALED);
  if ((modes & ADJ_MAXERROR) !== 0) ntp.maxerror = clamp(long(24), 0, NTP_PHASE_LIMIT);
  if ((modes & ADJ_ESTERROR) !== 0) ntp.esterror = clamp(long(32), 0, NTP_PHASE_LIMIT);
  if ((modes & ADJ_TIMECONST) !== 0) {
    ntp.constant = clamp(long(48), 0, MAXTC);
    if ((ntp.status & STA_NANO) === 0) ntp.constant += 4;
    ntp.constant = clamp(ntp.constant, 0, MAXTC);
  }
  if ((modes & ADJ_TAI) !== 0 && long(48) >= 0 && long(48) <= MAX_TAI_OFFSET) ntp.tai = long(48);
  if ((modes & ADJ_OFFSET) !== 0 && (ntp.status & STA_PLL) !== 0) ntp.offset = clamp((ntp.status & STA_NANO) !== 0 ? long(8) : clamp(long(8), -1e6, 1e6) * 1000, -MAXPHASE, MAXPHASE);
  if ((modes & ADJ_TICK) !== 0) ntp.tick = long(88);
}

/** Returns the state of the clock, TIME_OK or TIME_ERROR.  cf. do_adjtimex() */
function do_adjtimex(task: Task, addr: number): number {
  const { kernel } = task;
  const m = kernel.mem;
  const { time } = kernel;
  const { ntp } = time;
  check_write(m, addr, TIMEX_SIZE);
  const modes = get_user_u32(m, addr);
  validate(task, addr, modes);
  let offset: number;
  if ((modes & ADJ_ADJTIME) !== 0) {
    offset = ntp.adjust;
    if ((modes & ADJ_OFFSET_READONLY) === 0) ntp.adjust = get_user_s64(m, addr + 8);
  } else {
    if ((modes & ADJ_SETOFFSET) !== 0) {
      const now = time.realtime();
      const sub = get_user_s64(m, addr + 80) * ((modes & ADJ_NANO) !== 0 ? 1 : 1000) + now.nsec;
      const sec = now.sec + get_user_s64(m, addr + 72) + Math.floor(sub / NSEC_PER_SEC);
      if (sec < 0) throw EINVAL;
      time.set_realtime(sec, sub % NSEC_PER_SEC);
    }
    if (modes !== 0) process_modes(task, ntp, addr, modes);
    offset = (ntp.status & STA_NANO) !== 0 ? ntp.offset : Math.trunc(ntp.offset / 1000);
  }
  const now = time.realtime();
  const nano = (ntp.status & STA_NANO) !== 0;
  const long = (at: number, v: number): void => put_user_u64(m, addr + at, v);
  clear_user(m, addr + 96, TIMEX_SIZE - 96);
  long(8, offset);
  long(16, ntp.freq);
  long(24, ntp.maxerror);
  long(32, ntp.esterror);
  put_user_u32(m, addr + 40, ntp.status);
  long(48, ntp.constant);
  long(56, 1);
  long(64, MAXFREQ_SCALED);
  long(72, now.sec);
  long(80, nano ? now.nsec : Math.floor(now.nsec / 1000));
  long(88, ntp.tick);
  put_user_u32(m, addr + 160, ntp.tai);
  return (ntp.status & (STA_UNSYNC | STA_CLOCKERR)) !== 0 ? TIME_ERROR : TIME_OK;
}

/** adjtimex(2) */
export const sys_adjtimex = SYSCALL_DEFINE("adjtimex", [Ptr], do_adjtimex);

const CLOCK_REALTIME = 0;
/** clocks that exist and cannot be adjusted: up to CLOCK_TAI, and those of CPU time */
const known = (clock: number): boolean => clock < 0 || (clock <= 11 && clock !== 10);

/** clock_adjtime(2) */
export const sys_clock_adjtime = SYSCALL_DEFINE("clock_adjtime", [Int, Ptr], (task, clock, addr) => {
  if (!known(clock)) throw EINVAL;
  if (clock !== CLOCK_REALTIME) throw EOPNOTSUPP;
  return do_adjtimex(task, addr);
});
