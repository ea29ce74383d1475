// differ/pointers.c — bad pointers beside other mistakes: which error comes first.
#include "differ.h"
#include "families.h"
#include <sys/socket.h>

// f descriptor, p path, r memory that is read, w memory that is written, n length, i small number, 0 zero; what can hurt is not here
static const struct { short nr; const char *name, *kinds; } calls[] = {
	{SYS_read, "read", "fwn"}, {SYS_write, "write", "frn"}, {SYS_open, "open", "p0"}, {SYS_stat, "stat", "pw"}, {SYS_fstat, "fstat", "fw"}, {SYS_lstat, "lstat", "pw"}, {SYS_poll, "poll", "wi0"},
	{SYS_pread64, "pread64", "fwnn"}, {SYS_pwrite64, "pwrite64", "frnn"}, {SYS_readv, "readv", "fri"}, {SYS_writev, "writev", "fri"}, {SYS_access, "access", "pi"}, {SYS_pipe2, "pipe2", "wi"}, {SYS_select, "select", "iwwww"},
	{SYS_nanosleep, "nanosleep", "rw"}, {SYS_getitimer, "getitimer", "iw"}, {SYS_sendfile, "sendfile", "ffwn"}, {SYS_socketpair, "socketpair", "ii0w"}, {SYS_bind, "bind", "frn"}, {SYS_connect, "connect", "frn"},
	{SYS_accept4, "accept4", "fww0"}, {SYS_getsockname, "getsockname", "fww"}, {SYS_getpeername, "getpeername", "fww"}, {SYS_sendto, "sendto", "frn0rn"}, {SYS_recvfrom, "recvfrom", "fwnnww"}, {SYS_sendmsg, "sendmsg", "fr0"},
	{SYS_recvmsg, "recvmsg", "fw0"}, {SYS_setsockopt, "setsockopt", "fiirn"}, {SYS_getsockopt, "getsockopt", "fiiww"}, {SYS_uname, "uname", "w"}, {SYS_truncate, "truncate", "pn"}, {SYS_getdents64, "getdents64", "fwn"},
	{SYS_getcwd, "getcwd", "wn"}, {SYS_chdir, "chdir", "p"}, {SYS_rename, "rename", "pp"}, {SYS_mkdir, "mkdir", "pi"}, {SYS_rmdir, "rmdir", "p"}, {SYS_link, "link", "pp"}, {SYS_unlink, "unlink", "p"},
	{SYS_symlink, "symlink", "pp"}, {SYS_readlink, "readlink", "pwn"}, {SYS_chmod, "chmod", "pi"}, {SYS_gettimeofday, "gettimeofday", "ww"}, {SYS_getrlimit, "getrlimit", "iw"}, {SYS_getrusage, "getrusage", "iw"}, {SYS_sysinfo, "sysinfo", "w"},
	{SYS_times, "times", "w"}, {SYS_getgroups, "getgroups", "iw"}, {SYS_getresuid, "getresuid", "www"}, {SYS_capget, "capget", "ww"}, {SYS_rt_sigpending, "rt_sigpending", "wi"}, {SYS_rt_sigtimedwait, "rt_sigtimedwait", "rwri"},
	{SYS_rt_sigaction, "rt_sigaction", "irwi"}, {SYS_rt_sigprocmask, "rt_sigprocmask", "irwi"}, {SYS_sigaltstack, "sigaltstack", "rw"}, {SYS_utime, "utime", "pr"}, {SYS_utimensat, "utimensat", "fpri"}, {SYS_futimesat, "futimesat", "fpr"}, {SYS_mknod, "mknod", "pi0"},
	{SYS_statfs, "statfs", "pw"}, {SYS_fstatfs, "fstatfs", "fw"}, {SYS_sched_getparam, "sched_getparam", "0w"}, {SYS_sched_rr_get_interval, "sched_rr_get_interval", "0w"}, {SYS_sched_getaffinity, "sched_getaffinity", "0nw"},
	{SYS_listxattr, "listxattr", "pwn"}, {SYS_time, "time", "w"}, {SYS_futex, "futex", "wiiw"}, {SYS_epoll_ctl, "epoll_ctl", "fifr"},
	{SYS_epoll_wait, "epoll_wait", "fwi0"}, {SYS_timer_create, "timer_create", "irw"}, {SYS_timer_gettime, "timer_gettime", "iw"}, {SYS_timer_settime, "timer_settime", "iirw"}, {SYS_clock_gettime, "clock_gettime", "iw"}, {SYS_clock_getres, "clock_getres", "iw"},
	{SYS_clock_nanosleep, "clock_nanosleep", "iirw"}, {SYS_waitid, "waitid", "iiwiw"}, {SYS_wait4, "wait4", "iwiw"}, {SYS_openat, "openat", "fp0"}, {SYS_mkdirat, "mkdirat", "fpi"}, {SYS_newfstatat, "newfstatat", "fpwi"}, {SYS_unlinkat, "unlinkat", "fpi"},
	{SYS_renameat2, "renameat2", "fpfpi"}, {SYS_linkat, "linkat", "fpfpi"}, {SYS_symlinkat, "symlinkat", "pfp"}, {SYS_readlinkat, "readlinkat", "fpwn"}, {SYS_faccessat, "faccessat", "fpi"}, {SYS_ppoll, "ppoll", "wirri"}, {SYS_pselect6, "pselect6", "iwwwrr"},
	{SYS_splice, "splice", "fwfwni"}, {SYS_tee, "tee", "ffni"}, {SYS_vmsplice, "vmsplice", "frii"}, {SYS_copy_file_range, "copy_file_range", "fwfwni"}, {SYS_signalfd4, "signalfd4", "frii"}, {SYS_timerfd_settime, "timerfd_settime", "firw"}, {SYS_timerfd_gettime, "timerfd_gettime", "fw"},
	{SYS_preadv, "preadv", "frinn"}, {SYS_pwritev, "pwritev", "frinn"}, {SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo", "iiir"}, {SYS_recvmmsg, "recvmmsg", "fwi0r"}, {SYS_sendmmsg, "sendmmsg", "fwi0"}, {SYS_getcpu, "getcpu", "ww0"},
	{SYS_sched_getattr, "sched_getattr", "0wni"}, {SYS_getrandom, "getrandom", "wni"}, {SYS_statx, "statx", "fpiiw"}, {SYS_inotify_add_watch, "inotify_add_watch", "fpi"}, {SYS_fcntl, "F_GETLK", "f5w"}, {SYS_ioctl, "FIONREAD", "fFw"},
	{SYS_msgget, "msgget", "ii"}, {SYS_msgsnd, "msgsnd", "irni"}, {SYS_msgrcv, "msgrcv", "iwnii"}, {SYS_msgctl, "msgctl", "iiw"}, {SYS_semop, "semop", "iri"}, {SYS_semctl, "semctl", "iiiw"}, {SYS_shmctl, "shmctl", "iiw"}, {SYS_mq_open, "mq_open", "pi0r"},
	{SYS_mq_unlink, "mq_unlink", "p"}, {SYS_mq_timedsend, "mq_timedsend", "frnir"}, {SYS_mq_timedreceive, "mq_timedreceive", "fwnwr"}, {SYS_mq_notify, "mq_notify", "fr"}, {SYS_mq_getsetattr, "mq_getsetattr", "frw"}, {SYS_prctl, "PR_GET_NAME", "Nw"}, {SYS_setgroups, "setgroups", "ir"},
	{SYS_getitimer, "getitimer", "iw"}, {SYS_setitimer, "setitimer", "irw"}, {SYS_openat2, "openat2", "fprn"}, {SYS_clone3, "clone3", "rn"}, {SYS_pidfd_send_signal, "pidfd_send_signal", "fiwi"}, {SYS_execve, "execve", "prr"},
};

void start_pointers(int actor) {
	(void)actor;
	int v[2];
	mkdir("d", 0777);
	open("a", O_CREAT | O_RDWR, 0666);
	open(".", O_RDONLY);
	pipe2(v, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, v);
	socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	syscall(SYS_epoll_create1, 0);
	syscall(SYS_timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
	syscall(SYS_inotify_init1, O_NONBLOCK);
	syscall(SYS_eventfd2, 0, O_NONBLOCK);
	setgid(1000);
	setuid(1000);
}

static long room[4096];
/** The kernel's half: what is merely not there is not refused as early everywhere. */
static long bad(void) { return ONE(-1, -4096, INT64_MIN); }

void step_pointers(void) {
	unsigned k = below(sizeof calls / sizeof *calls);
	long a[6] = {0};
	memset(room, 0, sizeof room);
	say(" %s(", calls[k].name);
	for (int i = 0; calls[k].kinds[i]; i++) {
		bool wrong = seldom(2);
		switch (calls[k].kinds[i]) {
		case 'f': a[i] = wrong && below(2) ? ONE(-1, 99, -100) : 3 + below(12); break;
		case 'p': a[i] = wrong ? (below(4) ? bad() : 0) : (long)WORD("a", "d", "no", "", "a/b"); break;
		case 'r': case 'w': a[i] = wrong ? bad() : seldom(4) ? 0 : (long)room; break;
		case 'n': a[i] = wrong ? ONE(-1, INT64_MIN, INT32_MAX) : ONE(0, 1, 8, 16, 24, 100); break;
		case 'i': a[i] = ONE(0, 0, 1, 2, 3, 8, 99, -1); break;
		case '5': a[i] = F_GETLK; break;
		case 'F': a[i] = 0x541b; break;
		case 'N': a[i] = 16; break;
		}
		if (a[i] == (long)room) say(" room");
		else if (calls[k].kinds[i] == 'p' && a[i] > 4096 && a[i] < 1L << 47) say(" \"%s\"", (char *)a[i]);
		else if (a[i] == (long)room || (a[i] > 4096 && a[i] != INT32_MAX) || a[i] < -4096) say(" %s", a[i] == INT64_MIN ? "MIN" : "BAD");
		else say(" %ld", a[i]);
	}
	say(")");
	// a length that nothing stops would run over all that is there, without an MMU
	for (int i = 0; calls[k].kinds[i]; i++) if (calls[k].kinds[i] == 'n' && a[i] == INT32_MAX) for (int j = 0; j < 6; j++) if (a[j] == (long)room) a[j] = -4096;
	// nothing is started, and nothing sleeps for long
	if (calls[k].nr == SYS_clone3 && a[0] == (long)room && a[1] != 8) a[1] = 8;
	if (calls[k].nr == SYS_execve && a[0] > 0 && a[0] < 1L << 47) a[0] = (long)"no";
	if (calls[k].nr == SYS_futex) a[1] = below(2) ? 129 : 99; // a private one: others are looked up in memory, with an MMU
	// alarm clocks are hardware
	if ((!strncmp(calls[k].name, "clock", 5) || calls[k].nr == SYS_timer_create) && a[0] == 8) a[0] = 1;
	long r = syscall(calls[k].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (r >= 0) say(" = ok");
	else told(r);
	syscall(SYS_close_range, 15, 40, 0);
}
