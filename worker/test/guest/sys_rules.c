// waitid, signals, limits, prctl, priorities, timers, vectors: what each says to what it is not made for.
#include "guest.h"
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/file.h>
#include <ucontext.h>
static volatile int got, code, val;
static void h(int s, siginfo_t*i, void*u) {
	got++;
	code = i->si_code;
	val = i->si_value.sival_int;
}
static void dump(const char*n, siginfo_t*i) {
	printf("%s: signo %d code %d status %d pid %d\n", n, i->si_signo, i->si_code, i->si_status, i->si_pid>0);
}
int main(int argc, char**argv) {
	setvbuf(stdout, 0, _IOLBF, 0);
	if (argc>1) {
		if (argv[1][0]=='a')abort();
		if (argv[1][0]=='s') {
			raise(SIGSTOP);
			_exit(5);
		}
		if (argv[1][0]=='k') {
			raise(SIGKILL);
		}
		if (argv[1][0]=='7')_exit(7);
		if (argv[1][0]=='p')for (;;)pause();
		if (argv[1][0]=='v') {
			*(volatile int*)-64 = 1;
		}
		_exit(1);
	}
	struct rlimit rl = {RLIM_INFINITY, RLIM_INFINITY};
	int st;
	pid_t p = respawn("a");
	waitpid(p, &st, 0);
	printf("abort: sig %d\n", WTERMSIG(st));
	rl.rlim_cur = 0;
	p = respawn("a");
	waitpid(p, &st, 0);
	siginfo_t si;
	p = respawn("s");
	memset(&si, 0, sizeof si);
	SHOW(waitid(P_PID, p, &si, WSTOPPED|WNOWAIT));
	dump("stop", &si);
	SHOW(waitid(P_PID, p, &si, WSTOPPED));
	memset(&si, 0, sizeof si);
	SHOW(waitid(P_PID, p, &si, WSTOPPED|WNOHANG));
	dump("none", &si);
	kill(p, SIGCONT);
	memset(&si, 0, sizeof si);
	SHOW(waitid(P_PID, p, &si, WCONTINUED));
	dump("cont", &si);
	SHOW(waitid(P_PID, p, &si, WEXITED|WNOWAIT));
	dump("exit", &si);
	SHOW(waitid(P_ALL, 0, &si, WEXITED));
	dump("exit", &si);
	SHOW(waitid(P_ALL, 0, &si, WEXITED));
	SHOW(waitid(P_PID, p, &si, 0));
	SHOW(waitid(9, p, &si, WEXITED));
	SHOW(waitid(P_PID, -1, &si, WEXITED));
	SHOW(waitid(P_PGID, 99999, &si, WEXITED));
	SHOW(wait4(-1, &st, 0x40000000, 0));
	SHOW(wait4(-1, &st, 99999, 0));
	SHOW(wait4(1<<30, &st, 0, 0));
	p = respawn("k");
	waitid(P_PID, p, &si, WEXITED);
	dump("kill", &si);
	p = respawn("v");
	waitid(P_PID, p, &si, WEXITED);
	dump("segv", &si);
	p = respawn("p");
	SHOW(kill(p, 0));
	SHOW(kill(p, 65));
	SHOW(kill(p, -1));
	SHOW(kill(99999, 0));
	SHOW(syscall(SYS_tkill, -1, 0));
	SHOW(syscall(SYS_tgkill, 1, p, 0));
	SHOW(syscall(SYS_tgkill, p, p, 0));
	kill(p, SIGTERM);
	struct rusage ru;
	SHOW(wait4(p, &st, 0, &ru)==p);
	printf("%d %d\n", WIFSIGNALED(st), WTERMSIG(st));
	SHOW(kill(p, 0));
	// signals
	struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO|SA_RESETHAND};
	SHOW(sigaction(SIGKILL, &sa, 0));
	SHOW(sigaction(0, &sa, 0));
	SHOW(sigaction(65, &sa, 0));
	SHOW(sigaction(SIGRTMIN, &sa, 0));
	union sigval sv = {.sival_int = 7};
	SHOW(sigqueue(getpid(), SIGRTMIN, sv));
	printf("%d %d %d\n", got, code, val);
	struct sigaction o;
	sigaction(SIGRTMIN, 0, &o);
	printf("reset %d\n", o.sa_handler==SIG_DFL);
	sigset_t s, os;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGRTMIN);
	SHOW(sigprocmask(99, &s, 0));
	sigprocmask(SIG_BLOCK, &s, &os);
	raise(SIGUSR1);
	raise(SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, sv);
	sv.sival_int = 8;
	sigqueue(getpid(), SIGRTMIN, sv);
	sigpending(&os);
	printf("pend %d %d %d\n", sigismember(&os, SIGUSR1), sigismember(&os, SIGRTMIN), sigismember(&os, SIGTERM));
	struct timespec ts = {0, 0};
	memset(&si, 0, sizeof si);
	SHOW(sigtimedwait(&s, &si, &ts));
	printf("%d\n", si.si_code);
	SHOW(sigtimedwait(&s, &si, &ts)==SIGRTMIN);
	printf("%d %d\n", si.si_code, si.si_value.sival_int);
	SHOW(sigtimedwait(&s, &si, &ts)==SIGRTMIN);
	printf("%d\n", si.si_value.sival_int);
	SHOW(sigtimedwait(&s, &si, &ts));
	ts.tv_nsec = -1;
	SHOW(sigtimedwait(&s, &si, &ts));
	stack_t ss = {.ss_sp = 0, .ss_size = 100, .ss_flags = 0}, oss;
	SHOW(sigaltstack(&ss, 0));
	ss.ss_flags = 77;
	SHOW(sigaltstack(&ss, 0));
	ss.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&ss, &oss));
	printf("%d\n", oss.ss_flags);
	// rlimits
	struct rlimit r;
	SHOW(getrlimit(99, &r));
	r.rlim_cur = 5;
	r.rlim_max = 4;
	SHOW(setrlimit(RLIMIT_NOFILE, &r));
	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = 10;
	setrlimit(RLIMIT_NOFILE, &r);
	int fd, n = 0;
	while ((fd = dup(1))>=0)n++;
	printf("%s max %d\n", ename(errno), n>0);
	for (fd = 3;fd<10;fd++)close(fd);
	SHOW(fcntl(1, F_DUPFD, 10));
	SHOW(dup2(1, 10));
	SHOW(dup3(1, 1, 0));
	SHOW(dup3(1, 5, 1));
	r.rlim_cur = 100;
	setrlimit(RLIMIT_NOFILE, &r);
	SHOW(fcntl(1, F_DUPFD, -1));
	SHOW(fcntl(1, 999, 0));
	r.rlim_cur = r.rlim_max = 100;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &r);
	fd = open("big", O_CREAT|O_RDWR, 0600);
	char b[200] = {0};
	SHOW(write(fd, b, 200));
	SHOW(write(fd, b, 1));
	SHOW(ftruncate(fd, 101));
	SHOW(pwrite(fd, b, 10, 95));
	// prctl
	SHOW(prctl(PR_SET_PDEATHSIG, 99));
	SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR2));
	int v;
	SHOW(prctl(PR_GET_PDEATHSIG, &v));
	printf("%d\n", v);
	SHOW(prctl(PR_SET_DUMPABLE, 2));
	SHOW(prctl(PR_SET_DUMPABLE, 0));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_DUMPABLE, 1));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_CAPBSET_READ, 0));
	SHOW(prctl(PR_CAPBSET_READ, 99));
	SHOW(prctl(PR_GET_SECUREBITS));
	SHOW(prctl(PR_SET_TIMERSLACK, 5000));
	SHOW(prctl(PR_GET_TIMERSLACK));
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
	SHOW(prctl(PR_GET_CHILD_SUBREAPER, &v));
	SHOW(prctl(PR_GET_TSC, &v));
	SHOW(prctl(9999));
	SHOW(prctl(PR_SET_KEEPCAPS, 2));
	SHOW(prctl(PR_GET_KEEPCAPS));
	SHOW(prctl(PR_SET_NAME, "abcdefghijklmnopqrstuvw"));
	char nm[17] = {0};
	prctl(PR_GET_NAME, nm);
	puts(nm);
	SHOW(prctl(PR_GET_SECCOMP));
	SHOW(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)<0&&errno==EINVAL?0:0);
	// priorities
	SHOW(setpriority(9, 0, 0));
	SHOW(getpriority(PRIO_PROCESS, 99999));
	SHOW(setpriority(PRIO_PROCESS, 0, 5));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(nice(1));
	SHOW(setpriority(PRIO_PROCESS, 0, 100));
	SHOW(getpriority(PRIO_PROCESS, 0));
	// itimers
	struct itimerval it = {{0, 0}, {0, 1000001}};
	SHOW(setitimer(ITIMER_REAL, &it, 0));
	SHOW(setitimer(9, &it, 0));
	it.it_value.tv_usec = 500000;
	SHOW(setitimer(ITIMER_REAL, &it, 0));
	SHOW(getitimer(ITIMER_REAL, &it));
	printf("%d\n", it.it_value.tv_usec>400000);
	SHOW(alarm(0)>0);
	SHOW(getpgid(99999));
	SHOW(getsid(99999));
	SHOW(setpgid(0, 99999));
	SHOW(setpgid(99999, 0));
	SHOW(setpgid(0, -1));
	struct iovec iv[2] = {{b, 10}, {b, -1UL}};
	SHOW(writev(fd, iv, 2));
	SHOW(writev(fd, iv, -1));
	SHOW(writev(fd, iv, 0));
	SHOW(writev(fd, iv, 1025));
	SHOW(readv(99, iv, 1));
	SHOW(read(1, (void*)-64, 4)<0);
	SHOW(flock(fd, 99));
	SHOW(flock(99, LOCK_SH));
	SHOW(flock(fd, LOCK_EX|LOCK_NB));
	int g = open("big", O_RDWR);
	SHOW(flock(g, LOCK_SH|LOCK_NB));
	return 0;
}
