// include/uapi/wait.ts — options of wait4 and waitid.  cf. include/uapi/linux/wait.h

export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WSTOPPED = WUNTRACED;
export const WEXITED = 4;
export const WCONTINUED = 8;
export const WNOWAIT = 0x01000000;
export const __WNOTHREAD = 0x20000000;
export const __WALL = 0x40000000;
export const __WCLONE = 0x80000000;

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;
