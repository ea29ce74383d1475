// Small calls: uname, sysinfo, umask, getrandom, priority, prctl, rlimits, personality, capabilities of ids, sched_*.
#include "guest.h"
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
int main(void) {
	struct utsname u;
	SHOW(uname(&u));
	printf("%s %s\n", u.sysname, u.machine);
	SHOW(syscall(SYS_uname, 1));
	struct sysinfo si;
	SHOW(sysinfo(&si));
	printf("%d %d\n", si.totalram > 0, si.mem_unit > 0);
	printf("%o", umask(077));
	printf(" %o\n", umask(022));
	unsigned char r[64] = {0};
	SHOW(getrandom(r, 64, 0));
	int any = 0;
	for (int i = 0; i < 64; i++) any |= r[i];
	printf("%d\n", any != 0);
	SHOW(getrandom(r, 8, 0x100));
	SHOW(getrandom(r, 0, 0));
	errno = 0;
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(setpriority(PRIO_PROCESS, 0, 5));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(nice(3));
	SHOW(setpriority(PRIO_PROCESS, 0, 99));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(getpriority(9, 0));
	SHOW(prctl(PR_SET_NAME, "a-name-longer-than-fifteen"));
	char n[17] = "";
	SHOW(prctl(PR_GET_NAME, n));
	puts(n);
	SHOW(prctl(PR_SET_PDEATHSIG, SIGTERM));
	int sig = 0;
	SHOW(prctl(PR_GET_PDEATHSIG, &sig));
	printf("%d\n", sig);
	SHOW(prctl(PR_SET_PDEATHSIG, 99));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(12345, 0));
	struct rlimit l = {10, 20};
	SHOW(setrlimit(RLIMIT_CORE, &l));
	SHOW(getrlimit(RLIMIT_CORE, &l));
	printf("%ld %ld\n", (long)l.rlim_cur, (long)l.rlim_max);
	l.rlim_cur = 21;
	SHOW(setrlimit(RLIMIT_CORE, &l));
	SHOW(getrlimit(99, &l));
	l.rlim_cur = l.rlim_max = 40;
	SHOW(setrlimit(RLIMIT_NOFILE, &l));
	SHOW(dup2(0, 39));
	SHOW(dup2(0, 40));
	int last = -1, fd;
	while ((fd = dup(0)) >= 0) last = fd;
	printf("%d %s\n", last, ename(errno));
	SHOW(personality(0xffffffff));
	SHOW(sched_yield());
	SHOW(sched_getscheduler(0));
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_get_priority_min(SCHED_OTHER));
	SHOW(sched_get_priority_max(77));
	cpu_set_t c;
	TRY(sched_getaffinity(0, sizeof c, &c));
	printf("%d\n", CPU_COUNT(&c) > 0);
	SHOW(getuid() + geteuid() + getgid() + getegid());
	uid_t a, b, e;
	SHOW(setresuid(-1, 1000, -1));
	getresuid(&a, &b, &e);
	printf("%d %d %d\n", a, b, e);
	SHOW(seteuid(0));
	SHOW(setgid(7));
	SHOW(setuid(1000));
	getresuid(&a, &b, &e);
	printf("%d %d %d %d\n", a, b, e, getegid());
	SHOW(setuid(0));
	SHOW(setpriority(PRIO_PROCESS, 0, 0));
	SHOW(open("/etc/shadow", O_RDWR));
	SHOW(chown(".", 0, 0));
	SHOW(syscall(400));
	SHOW(syscall(SYS_getpid, 1, 2, 3) == getpid());
	return 0;
}
