// Clocks go forward and agree; sleeping takes at least as long as asked; bad arguments.
#include "guest.h"
#include <sys/time.h>
#include <sys/times.h>
static long long ns(clockid_t c) {
	struct timespec t;
	clock_gettime(c, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}
int main(void) {
	struct timespec t, r;
	long long a = ns(CLOCK_MONOTONIC), b;
	struct timeval tv;
	int back = 0;
	for (int i = 0; i < 1000; i++) b = ns(CLOCK_MONOTONIC), back += b < a, a = b;
	printf("backwards %d\n", back);
	t.tv_sec = 0, t.tv_nsec = 3000000;
	a = ns(CLOCK_MONOTONIC);
	SHOW(nanosleep(&t, 0));
	printf("slept %d\n", ns(CLOCK_MONOTONIC) - a >= 3000000);
	a = ns(CLOCK_MONOTONIC) + 2000000;
	t.tv_sec = a / 1000000000, t.tv_nsec = a % 1000000000;
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0));
	printf("absolute %d\n", ns(CLOCK_MONOTONIC) >= a);
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0));
	t.tv_nsec = 1000000000;
	SHOW(syscall(SYS_nanosleep, &t, 0));
	t.tv_nsec = -1;
	SHOW(syscall(SYS_nanosleep, &t, 0));
	SHOW(syscall(SYS_clock_gettime, 99, &t));
	SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &t));
	a = ns(CLOCK_REALTIME) / 1000;
	gettimeofday(&tv, 0);
	b = ns(CLOCK_REALTIME) / 1000;
	printf("agree %d\n", a <= tv.tv_sec * 1000000LL + tv.tv_usec && tv.tv_sec * 1000000LL + tv.tv_usec <= b);
	// time(2) may be read from a clock of the last tick
	long long sec = time(0);
	printf("time %d\n", a / 1000000 - 1 <= sec && sec <= ns(CLOCK_REALTIME) / 1000000000);
	a = ns(CLOCK_PROCESS_CPUTIME_ID);
	for (volatile int i = 0; i < 1000000; i++) {}
	printf("cpu time %d\n", ns(CLOCK_PROCESS_CPUTIME_ID) > a);
	struct tms tms;
	printf("times %d\n", times(&tms) != (clock_t)-1);
	timer_t id;
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	sigset_t set;
	siginfo_t si;
	sigemptyset(&set), sigaddset(&set, SIGUSR1), sigprocmask(SIG_BLOCK, &set, 0);
	ev.sigev_value.sival_int = 77;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &id));
	struct itimerspec its = {{0, 0}, {0, 1000000}};
	SHOW(timer_settime(id, 0, &its, 0));
	sigwaitinfo(&set, &si);
	printf("code %d value %d\n", si.si_code, si.si_value.sival_int);
	SHOW(timer_getoverrun(id));
	SHOW(timer_delete(id));
	SHOW(syscall(SYS_timer_delete, 12345));
	(void)r;
	return 0;
}
