// Handlers, masks, pending signals, siginfo, SA_RESETHAND, SA_NODEFER, nested handlers, sigsuspend, sigaltstack.
#include "guest.h"
#include <ucontext.h>
static volatile int count, depth, maxdepth, last, onstack;
static char *stack;
static void h(int s) { count++, last = s; }
static void nest(int s) {
	(void)s;
	if (++depth > maxdepth) maxdepth = depth;
	if (count++ < 3) raise(SIGUSR1);
	depth--;
}
static void info(int s, siginfo_t *si, void *uc) {
	(void)uc;
	printf("sig %d code %d me %d value %d\n", s, si->si_code, si->si_pid == getpid(), si->si_code == SI_QUEUE ? si->si_value.sival_int : 0);
}
static void on_alt(int s) {
	char here;
	(void)s;
	onstack = &here > stack && &here < stack + 65536;
}
int main(void) {
	sigset_t set, old, pend;
	struct sigaction sa = {.sa_handler = h}, oa;
	SHOW(sigaction(SIGUSR1, &sa, &oa));
	printf("%d\n", oa.sa_handler == SIG_DFL);
	SHOW(sigaction(SIGKILL, &sa, 0));
	SHOW(sigaction(65, &sa, 0));
	raise(SIGUSR1);
	printf("count %d last %d\n", count, last);
	sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGKILL);
	SHOW(sigprocmask(SIG_BLOCK, &set, &old));
	sigprocmask(0, 0, &old);
	printf("kill blocked %d\n", sigismember(&old, SIGKILL));
	raise(SIGUSR1), raise(SIGUSR1);
	sigpending(&pend);
	printf("count %d pending %d\n", count, sigismember(&pend, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &set, 0);
	printf("count %d\n", count);
	count = 0;
	sa.sa_handler = nest, sa.sa_flags = 0;
	sigaction(SIGUSR1, &sa, 0);
	raise(SIGUSR1);
	printf("count %d deepest %d\n", count, maxdepth);
	count = maxdepth = 0, sa.sa_flags = SA_NODEFER;
	sigaction(SIGUSR1, &sa, 0);
	raise(SIGUSR1);
	printf("count %d deepest %d\n", count, maxdepth);
	sa.sa_handler = h, sa.sa_flags = SA_RESETHAND;
	sigaction(SIGUSR1, &sa, 0);
	raise(SIGUSR1);
	sigaction(SIGUSR1, 0, &oa);
	printf("reset %d\n", oa.sa_handler == SIG_DFL);
	sa.sa_sigaction = info, sa.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR2, &sa, 0), sigaction(SIGRTMIN, &sa, 0);
	kill(getpid(), SIGUSR2);
	sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 99});
	sigemptyset(&set), sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, 0);
	for (int i = 1; i < 4; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
	sigprocmask(SIG_UNBLOCK, &set, 0);
	sigemptyset(&set), sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, 0);
	sa.sa_handler = h, sa.sa_flags = 0, count = 0;
	sigaction(SIGUSR1, &sa, 0);
	raise(SIGUSR1);
	sigemptyset(&set);
	SHOW(sigsuspend(&set));
	printf("count %d\n", count);
	sigprocmask(0, 0, &old);
	printf("blocked again %d\n", sigismember(&old, SIGUSR1));
	struct timespec zero = {0, 0};
	siginfo_t si;
	sigemptyset(&set), sigaddset(&set, SIGUSR1);
	SHOW(sigtimedwait(&set, &si, &zero));
	raise(SIGUSR1);
	SHOW(sigtimedwait(&set, &si, &zero));
	stack = malloc(65536);
	stack_t ss = {stack, 0, 65536}, os;
	SHOW(sigaltstack(&ss, &os));
	printf("disabled %d\n", os.ss_flags == SS_DISABLE);
	sa.sa_handler = on_alt, sa.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &sa, 0);
	raise(SIGUSR2);
	printf("on alternate stack %d\n", onstack);
	ss.ss_size = 100;
	SHOW(sigaltstack(&ss, 0));
	SHOW(kill(getpid(), 65));
	SHOW(kill(1 << 30, 0));
	return 0;
}
