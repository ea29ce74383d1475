// differ/signals.c — signals and processes: masks, queues, what waits say, credentials, sessions, limits.
#include "differ.h"
#include "families.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

static pid_t children[4];
static volatile int handled;
static siginfo_t last;

static void on_signal(int n, siginfo_t *i, void *context) {
	(void)context;
	handled = n;
	last = *i;
}

void start_signals(int actor) {
	(void)actor;
	for (int i = 0; i < 4; i++) children[i] = 0;
}

static int some_signal(void) { return seldom(10) ? ONE(0, -1, 65, 63, SIGKILL, SIGSTOP) : ONE(SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD, SIGCONT, SIGWINCH, SIGURG, 40, 41, 50); }
/** For the sequence's own process: nothing that ends or stops it. */
static int mild_signal(void) { return ONE(SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT, SIGWINCH, SIGURG, 40, 41); }
static uint64_t some_set(void) {
	uint64_t m = 0;
	for (int n = 1; n < 63; n++) if (n != SIGKILL && n != SIGSTOP && seldom(3)) m |= 1ul << (n - 1);
	return m;
}
static void say_handled(void) {
	if (!handled) return;
	say(" handled");
	say_siginfo(&last);
	handled = 0;
}
static int who(void) { return below(4); }
static void say_pid(pid_t p) {
	for (int i = 0; i < 4; i++) if (p > 0 && p == children[i]) { say(" child%d", i); return; }
	if (p == getpid()) say(" self");
	else if (p == getppid()) say(" parent");
	else say(" %d", p > 0 ? 1 : p);
}

struct kaction { void (*handler)(int, siginfo_t *, void *); unsigned long flags; void (*restorer)(void); uint64_t mask; };

static void act(void) {
	struct sigaction a = {0}, old;
	int n = seldom(6) ? some_signal() : mild_signal(), what = below(4);
	a.sa_flags = SA_SIGINFO | SOME(4, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_NOCLDSTOP, SA_ONSTACK) | (seldom(10) ? SA_NOCLDWAIT : 0);
	if (what == 0) a.sa_handler = SIG_IGN, a.sa_flags &= ~SA_SIGINFO;
	else if (what == 1 && (n == SIGCHLD || n == SIGCONT || n == SIGWINCH || n == SIGURG)) a.sa_handler = SIG_DFL, a.sa_flags &= ~SA_SIGINFO;
	else a.sa_sigaction = on_signal;
	uint64_t m = some_set();
	memcpy(&a.sa_mask, &m, 8);
	memset(&old, 0, sizeof old);
	say(" sigaction(%d, %s, %x)", n, a.sa_handler == SIG_IGN ? "ign" : a.sa_handler == SIG_DFL ? "dfl" : "handler", a.sa_flags);
	if (n == SIGKILL || n == SIGSTOP || n < 1 || n > 64) {
		struct kaction k = {0};
		sys(SYS_rt_sigaction, n, &k, 0L, 8L);
		return;
	}
	if (told(sigaction(n, &a, &old)) == 0) say(" was %s %x", old.sa_handler == SIG_IGN ? "ign" : old.sa_handler == SIG_DFL ? "dfl" : "handler", old.sa_flags & 0x7fffffff & ~0x04000000);
}

static void masks(void) {
	uint64_t m = some_set(), old = 0;
	int how = ONE(SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, 3, -1);
	size_t n = seldom(10) ? 4 : 8;
	switch (below(3)) {
	case 0:
		say(" sigprocmask(%d, %lx, %zu)", how, (long)m, n);
		if (sys(SYS_rt_sigprocmask, how, &m, &old, n) == 0) say(" %lx", (long)(old & ~(1ul << 63)));
		break;
	case 1:
		say(" sigpending");
		if (sys(SYS_rt_sigpending, &old, 8L) == 0) say(" %lx", (long)old);
		break;
	case 2: {
		siginfo_t i;
		struct timespec t = {0, ONE(0, 0, 0, 1000000000, -1)};
		memset(&i, 0, sizeof i);
		say(" sigtimedwait(%lx, %ld)", (long)m, t.tv_nsec);
		if (sys(SYS_rt_sigtimedwait, &m, &i, &t, 8L) > 0) say_siginfo(&i);
		break;
	}
	}
	say_handled();
}

static void send(void) {
	siginfo_t i;
	int n = mild_signal();
	memset(&i, 0, sizeof i);
	switch (below(6)) {
	case 0:
		say(" kill(self, %d)", n);
		sys(SYS_kill, getpid(), n);
		break;
	case 1:
		say(" tgkill(self, %d)", n);
		sys(SYS_tgkill, getpid(), syscall(SYS_gettid), n);
		break;
	case 2:
		i.si_code = ONE(SI_QUEUE, SI_QUEUE, SI_MESGQ, SI_TKILL, 0, 5);
		i.si_value.sival_int = below(100);
		i.si_pid = getpid();
		i.si_signo = n;
		say(" sigqueue(self, %d, code %d, %d)", n, i.si_code, i.si_value.sival_int);
		sys(SYS_rt_sigqueueinfo, getpid(), n, &i);
		break;
	case 3: {
		int k = who();
		n = some_signal();
		if (children[k] <= 0) break;
		say(" kill(child%d, %d)", k, n);
		sys(SYS_kill, children[k], n);
		struct timespec t = {0, 3000000};
		nanosleep(&t, 0);
		break;
	}
	case 4: {
		pid_t p = ONE(999999, 0x7fffffff);
		n = some_signal();
		say(" kill(%d, %d)", p, n);
		sys(SYS_kill, p, n);
		say(" tgkill");
		sys(SYS_tgkill, p, ONE(0, 5, -1), n);
		say(" tkill");
		sys(SYS_tkill, ONE(0, -1, 999999), n);
		break;
	}
	case 5: {
		int k = who();
		if (children[k] <= 0) break;
		int fd = syscall(SYS_pidfd_open, children[k], 0);
		n = some_signal();
		say(" pidfd_send_signal(child%d, %d)", k, n);
		sys(SYS_pidfd_send_signal, fd, n, 0L, seldom(8));
		close(fd);
		struct timespec t = {0, 3000000};
		nanosleep(&t, 0);
		break;
	}
	}
	say_handled();
}

static void processes(void) {
	int k = who(), status = 0;
	struct timespec t = {0, 3000000};
	switch (below(3)) {
	case 0: {
		if (children[k]) break;
		const char *what = WORD("x0", "x5", "x255", "k9", "k11", "k15", "k6", "p", "p", "p", "s19", "s20");
		say(" spawn(child%d, %s)", k, what);
		sigset_t all, before;
		// a signal in a process that shares our memory would be ours
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, &before);
		children[k] = spawn(what);
		sigprocmask(SIG_SETMASK, &before, 0);
		went(children[k]);
		t.tv_nsec = 20000000;
		nanosleep(&t, 0);
		break;
	}
	case 1: {
		int f = WNOHANG | SOME(2, WUNTRACED, WCONTINUED) | SOME(20, __WALL, __WCLONE, 0x100);
		pid_t p = seldom(3) ? children[k] : ONE(-1, -1, 0, 999999, -999999, -2147483647 - 1);
		if (!p) p = -1;
		say(" wait4(%s, %x)", p == children[k] ? "child" : p == -1 ? "-1" : p == 0 ? "0" : "?", f);
		long r = syscall(SYS_wait4, p, &status, f, 0L);
		if (r <= 0) told(r);
		else {
			say_pid(r);
			say_status(status);
			if (WIFEXITED(status) || WIFSIGNALED(status)) for (int i = 0; i < 4; i++) if (children[i] == r) children[i] = 0;
		}
		break;
	}
	case 2: {
		siginfo_t i;
		memset(&i, 0, sizeof i);
		int f = WNOHANG | SOME(2, WEXITED, WSTOPPED, WCONTINUED) | SOME(4, WNOWAIT) | SOME(30, 0x100), type = ONE(P_ALL, P_ALL, P_PID, P_PGID, 3, 9);
		pid_t p = type == P_PID ? (children[k] ? children[k] : ONE(0, -1, 999999)) : type == P_ALL ? 0 : ONE(0, -1, 999999);
		say(" waitid(%d, %s, %x)", type, type == P_PID && children[k] ? "child" : "?", f);
		long r = sys(SYS_waitid, type, p, &i, f, 0L);
		if (r == 0) {
			if (!i.si_pid) say(" none");
			else {
				say_pid(i.si_pid);
				say(" {%d %d %d}", i.si_signo, i.si_code, i.si_status);
				if (!(f & WNOWAIT) && i.si_code != CLD_STOPPED && i.si_code != CLD_CONTINUED) for (int q = 0; q < 4; q++) if (children[q] == i.si_pid) children[q] = 0;
			}
		}
		break;
	}
	}
	say_handled();
}

static void groups_of(void) {
	int k = who();
	pid_t p = children[k];
	switch (below(5)) {
	case 0: {
		pid_t g = ONE(0, -1, 999999);
		say(" setpgid(%s, %d)", p ? "child" : "0", g);
		sys(SYS_setpgid, p, g);
		break;
	}
	case 1:
		say(" getpgid(%s)", p ? "child" : "bad");
		say_pid(syscall(SYS_getpgid, p ? p : 999999));
		break;
	case 2:
		say(" getsid");
		say_pid(syscall(SYS_getsid, p ? p : ONE(0, -1, 999999)));
		break;
	case 3:
		say(" setsid");
		went(syscall(SYS_setsid));
		break;
	case 4:
		say(" setpgid(parent)");
		sys(SYS_setpgid, getppid(), 0);
		break;
	}
}

static void ids(void) {
	static const long some[] = {-1, 0, 0, 1000, 1001, 1002};
	long a = PICK(some), b = PICK(some), c = PICK(some);
	unsigned r, e, s;
	switch (below(8)) {
	case 0: say(" setresuid(%ld, %ld, %ld)", a, b, c); sys(SYS_setresuid, a, b, c); break;
	case 1: say(" setresgid(%ld, %ld, %ld)", a, b, c); sys(SYS_setresgid, a, b, c); break;
	case 2: say(" setreuid(%ld, %ld)", a, b); sys(SYS_setreuid, a, b); break;
	case 3: say(" setregid(%ld, %ld)", a, b); sys(SYS_setregid, a, b); break;
	case 4: say(" setuid(%ld)", a); sys(SYS_setuid, a); break;
	case 5: say(" setfsuid(%ld)", a); sys(SYS_setfsuid, a); say(" setfsgid(%ld)", b); sys(SYS_setfsgid, b); break;
	case 6: {
		gid_t g[4] = {5, 6, 1000, 7};
		long n = ONE(0, 1, 3, -1, 65537);
		say(" setgroups(%ld)", n);
		sys(SYS_setgroups, n, g);
		n = ONE(0, 1, 4, -1);
		say(" getgroups(%ld)", n);
		sys(SYS_getgroups, n, g);
		break;
	}
	case 7: {
		int bits = ONE(0, 1, 2, 16, 0x2f, 0x40);
		say(" securebits(%x)", bits);
		if (bits & 1 && !seldom(10)) bits = 16;
		sys(SYS_prctl, PR_SET_SECUREBITS, bits, 0L, 0L, 0L);
		break;
	}
	}
	syscall(SYS_getresuid, &r, &e, &s);
	say(" uid %d %d %d", r, e, s);
	syscall(SYS_getresgid, &r, &e, &s);
	say(" gid %d %d %d", r, e, s);
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	syscall(SYS_capget, &h, d);
	say(" caps %x %x %x", d[0].effective, d[0].permitted, d[0].inheritable);
}

static void capabilities(void) {
	struct __user_cap_header_struct h = {seldom(6) ? 0x12345 : (unsigned)ONE(_LINUX_CAPABILITY_VERSION_3, _LINUX_CAPABILITY_VERSION_3, _LINUX_CAPABILITY_VERSION_1, _LINUX_CAPABILITY_VERSION_2), seldom(8) ? (int)ONE(999999, -1) : 0};
	struct __user_cap_data_struct d[2];
	memset(d, 0, sizeof d);
	if (below(2)) {
		say(" capget(%x, %d)", h.version, h.pid);
		sys(SYS_capget, &h, d);
		say(" version %x %x", h.version, d[0].effective);
	} else {
		syscall(SYS_capget, &(struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, 0}, d);
		uint32_t drop = 1u << below(32);
		if (below(2)) d[0].effective &= ~drop;
		if (seldom(3)) d[0].permitted &= ~drop;
		if (seldom(3)) d[0].inheritable |= drop;
		if (seldom(12)) d[0].effective |= drop;
		say(" capset(%x, %d, %x %x %x)", h.version, h.pid, d[0].effective, d[0].permitted, d[0].inheritable);
		sys(SYS_capset, &h, d);
	}
}

static void control(void) {
	static const int ops[] = {PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_GET_KEEPCAPS, PR_SET_KEEPCAPS, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_SECUREBITS, PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER,
		PR_GET_NO_NEW_PRIVS, PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_CAP_AMBIENT, PR_GET_THP_DISABLE, PR_GET_TIMING, PR_SET_TIMING, 9999};
	int op = PICK(ops);
	char room[64] = "name";
	long a = ONE(0, 1, 2, 3, 9, 64, 65, -1, 40), b = seldom(6) ? 1 : 0;
	if (op == PR_SET_NAME || op == PR_GET_NAME || op == PR_GET_PDEATHSIG || op == PR_GET_CHILD_SUBREAPER) a = (long)room;
	if (op == PR_SET_DUMPABLE && a == 2) a = 1;
	if (op == PR_SET_PDEATHSIG && a > 0 && a < 64) a = 17;
	say(" prctl(%d, %ld, %ld)", op, a == (long)room ? -7 : a, b);
	sys(SYS_prctl, op, a, b, 0L, 0L);
	if (op == PR_GET_PDEATHSIG || op == PR_GET_CHILD_SUBREAPER) say(" %d", *(int *)room);
}

static void limits(void) {
	struct rlimit l = {0}, old = {0};
	int r = seldom(8) ? ONE(-1, 16, 99) : ONE(RLIMIT_FSIZE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_SIGPENDING, RLIMIT_CORE);
	switch (below(6)) {
	case 0:
		l.rlim_cur = ONE(0, 1000, 20, -1);
		l.rlim_max = ONE(1000, 1000, 500, 20, -1);
		say(" prlimit(%d, %ld, %ld)", r, (long)l.rlim_cur, (long)l.rlim_max);
		// the queue of signals is what other steps look at
		if (r == RLIMIT_SIGPENDING) { say(" not"); break; }
		if (sys(SYS_prlimit64, 0, r, &l, &old) == 0 && r != RLIMIT_CORE) say(" was %ld %ld", (long)old.rlim_cur, (long)old.rlim_max);
		break;
	case 1: {
		int which = ONE(PRIO_PROCESS, PRIO_PGRP, PRIO_USER, 3), p = ONE(0, 0, 999999, -1), n = ONE(-20, 0, 5, 19, 50, -30);
		say(" setpriority(%d, %d, %d)", which, p, n);
		if (which != PRIO_USER) sys(SYS_setpriority, which, p, n);
		say(" getpriority");
		if (which != PRIO_USER) sys(SYS_getpriority, which, p);
		break;
	}
	case 2: {
		struct sched_param p = {ONE(0, 0, 1, 100, -1)};
		int policy = ONE(SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, 4, 99, -1), pid = ONE(0, 0, -1, 999999);
		// never a real-time one
		say(" sched_setscheduler(%d, %d, %d)", pid, policy, p.sched_priority);
		sys(SYS_sched_setscheduler, pid, policy, &p);
		say(" getscheduler");
		sys(SYS_sched_getscheduler, pid);
		break;
	}
	case 3: {
		int policy = ONE(0, 1, 2, 3, 4, 5, 6, 7, 99, -1);
		say(" priority of %d", policy);
		sys(SYS_sched_get_priority_max, policy);
		sys(SYS_sched_get_priority_min, policy);
		break;
	}
	case 4: {
		struct rusage u;
		int w = ONE(RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD, 2, -2);
		say(" getrusage(%d)", w);
		sys(SYS_getrusage, w, &u);
		break;
	}
	case 5: {
		stack_t s = {0}, o = {0};
		static char area[32768];
		s.ss_sp = area;
		s.ss_size = ONE(32768, 8192, 100, 2047);
		s.ss_flags = ONE(0, 0, SS_DISABLE, SS_ONSTACK, 1 << 31, 5);
		say(" sigaltstack(%zu, %x)", s.ss_size, s.ss_flags);
		if (sys(SYS_sigaltstack, &s, &o) == 0) say(" was %zu %x", o.ss_size, o.ss_flags);
		break;
	}
	}
}

void step_signals(void) {
	switch (below(16)) {
	case 0: case 1: act(); break;
	case 2: case 3: masks(); break;
	case 4: case 5: case 6: send(); break;
	case 7: case 8: case 9: case 10: processes(); break;
	case 11: groups_of(); break;
	case 12: ids(); break;
	case 13: capabilities(); break;
	case 14: control(); break;
	case 15: limits(); break;
	}
}
