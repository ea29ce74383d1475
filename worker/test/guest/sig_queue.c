// Queued signals: sigqueue values, order, sigtimedwait, signalfd, sigpending, alternate stack, SA_RESETHAND, SA_NODEFER, nested handlers.
#include "guest.h"
#include <sys/signalfd.h>
static int count;
static void info(int sig, siginfo_t *si, void *uc) { printf("handler %d code %d value %d\n", sig, si->si_code, si->si_value.sival_int); }
static char stack[32768];
static void onstack(int sig) {
	char here;
	stack_t now;
	sigaltstack(0, &now);
	printf("on alternate %d flags %d\n", &here >= stack && &here < stack + sizeof stack, now.ss_flags);
	stack_t off = {.ss_flags = SS_DISABLE};
	SHOW(sigaltstack(&off, 0));
}
static void nested(int sig) {
	int n = ++count;
	printf("enter %d\n", n);
	if (n < 3) raise(sig);
	printf("leave %d\n", n);
}
int main(void) {
	sigset_t set, old;
	setvbuf(stdout, 0, _IONBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1), sigaddset(&set, SIGRTMIN), sigaddset(&set, SIGRTMIN + 1), sigaddset(&set, SIGCHLD);
	SHOW(sigprocmask(SIG_BLOCK, &set, 0));
	union sigval v = {.sival_int = 10};
	SHOW(sigqueue(getpid(), SIGRTMIN + 1, v));
	v.sival_int = 20;
	SHOW(sigqueue(getpid(), SIGRTMIN, v));
	v.sival_int = 21;
	SHOW(sigqueue(getpid(), SIGRTMIN, v));
	v.sival_int = 1;
	sigqueue(getpid(), SIGUSR1, v);
	v.sival_int = 2;
	sigqueue(getpid(), SIGUSR1, v);
	sigset_t pending;
	sigpending(&pending);
	printf("%d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN), sigismember(&pending, SIGHUP));
	siginfo_t si;
	struct timespec zero = {0};
	for (int i = 0; i < 5; i++) {
		int s = sigtimedwait(&set, &si, &zero);
		if (s < 0) printf("%s\n", ename(errno));
		else printf("%d code %d value %d\n", s == SIGUSR1 ? s : s - SIGRTMIN + 100, si.si_code, si.si_value.sival_int);
	}
	struct sigaction sa = {.sa_sigaction = info, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &sa, 0);
	raise(SIGUSR1);
	printf("blocked\n");
	sigprocmask(SIG_UNBLOCK, &set, &old);
	printf("was blocked %d\n", sigismember(&old, SIGUSR1));
	sigprocmask(SIG_BLOCK, &set, 0);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	struct signalfd_siginfo ssi;
	SHOW(read(fd, &ssi, sizeof ssi));
	kill(getpid(), SIGUSR1);
	SHOW(read(fd, &ssi, sizeof ssi));
	printf("%d %d %d\n", ssi.ssi_signo, ssi.ssi_code, ssi.ssi_pid == getpid());
	SHOW(read(fd, &ssi, 10));
	sigset_t only;
	sigfillset(&only);
	sigdelset(&only, SIGUSR1);
	kill(getpid(), SIGUSR1);
	SHOW(sigsuspend(&only));
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
	SHOW(sigaltstack(&ss, 0));
	sa = (struct sigaction){.sa_handler = onstack, .sa_flags = SA_ONSTACK};
	sigaction(SIGUSR2, &sa, 0);
	raise(SIGUSR2);
	ss.ss_size = 10;
	SHOW(sigaltstack(&ss, 0));
	sa = (struct sigaction){.sa_handler = nested, .sa_flags = SA_NODEFER};
	sigaction(SIGHUP, &sa, 0);
	raise(SIGHUP);
	count = 1;
	sa.sa_flags = SA_RESETHAND;
	sigaction(SIGHUP, &sa, 0);
	sa.sa_handler = 0;
	count = 5;
	raise(SIGHUP);
	sigaction(SIGHUP, 0, &sa);
	printf("reset %d\n", sa.sa_handler == SIG_DFL);
	SHOW(sigaction(SIGKILL, &sa, 0));
	SHOW(sigaction(65, &sa, 0));
	SHOW(kill(getpid(), 0));
	SHOW(kill(getpid(), 65));
	SHOW(kill(999999999, SIGTERM));
	SHOW(syscall(SYS_rt_sigprocmask, 9, &set, 0, 8));
	SHOW(syscall(SYS_rt_sigprocmask, 0, &set, 0, 4));
	SHOW(syscall(SYS_tgkill, getpid(), getpid(), 0));
	raise(SIGHUP);
	return 1;
}
