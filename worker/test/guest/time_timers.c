// POSIX timers: one shot, periods with overruns, thread-directed, CPU-time clocks; absolute sleeps; timers end at exec.
#include "guest.h"
#include <sys/time.h>
static volatile int count, value, overruns;
static void on(int sig, siginfo_t *si, void *u) { count++, value = si->si_code == SI_TIMER ? si->si_value.sival_int : -1, overruns += si->si_overrun; }
static long ms(clockid_t c) {
	struct timespec t;
	clock_gettime(c, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static void spin(long cpu) {
	for (long end = ms(CLOCK_PROCESS_CPUTIME_ID) + cpu; ms(CLOCK_PROCESS_CPUTIME_ID) < end;);
}
int main(int argc, char **argv) {
	if (argc > 1) {
		usleep(60000);
		puts("no timer came along");
		return 0;
	}
	setvbuf(stdout, 0, _IONBF, 0);
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	sigaction(SIGRTMIN, &sa, 0);
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 7};
	timer_t t, u;
	struct itimerspec its = {.it_value = {0, 20000000}}, old;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &t));
	SHOW(timer_settime(t, 0, &its, 0));
	SHOW(timer_gettime(t, &old));
	printf("%d %ld\n", old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 20000000, old.it_interval.tv_nsec);
	while (!count) pause();
	printf("%d %d\n", count, value);
	SHOW(timer_gettime(t, &old));
	printf("%ld %ld\n", (long)old.it_value.tv_sec, old.it_value.tv_nsec);

	// blocked while many periods pass: one signal, the rest are overruns
	sigset_t set;
	sigemptyset(&set), sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, 0);
	count = overruns = 0;
	its.it_value.tv_nsec = its.it_interval.tv_nsec = 10000000;
	timer_settime(t, 0, &its, 0);
	usleep(105000);
	sigprocmask(SIG_UNBLOCK, &set, 0);
	printf("%d %d %d\n", count >= 1, overruns >= 8, timer_getoverrun(t) >= 8);
	memset(&its, 0, sizeof its);
	timer_settime(t, 0, &its, &old);
	printf("%ld\n", old.it_interval.tv_nsec);
	count = 0;
	usleep(30000);
	printf("%d\n", count);

	ev.sigev_notify = SIGEV_NONE;
	SHOW(timer_create(CLOCK_REALTIME, &ev, &u));
	its.it_value.tv_sec = 100;
	timer_settime(u, 0, &its, 0);
	timer_gettime(u, &old);
	printf("%d\n", old.it_value.tv_sec >= 99);
	SHOW(timer_delete(u));
	SHOW(timer_delete(u));
	ev.sigev_signo = 99, ev.sigev_notify = SIGEV_SIGNAL;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &u));
	SHOW(timer_create(77, 0, &u));

	// CPU time
	ev.sigev_signo = SIGRTMIN, ev.sigev_value.sival_int = 8;
	SHOW(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &u));
	count = 0;
	memset(&its, 0, sizeof its);
	its.it_value.tv_nsec = 30000000;
	timer_settime(u, 0, &its, 0);
	usleep(50000);
	printf("%d\n", count);
	spin(60);
	printf("%d %d\n", count, value);
	signal(SIGVTALRM, (void (*)(int))on);
	count = 0;
	struct itimerval iv = {.it_value = {0, 20000}}, ov;
	SHOW(setitimer(ITIMER_VIRTUAL, &iv, 0));
	for (volatile long i = 0; !count && i < 3000000000; i++);
	printf("%d\n", count);
	SHOW(getitimer(ITIMER_VIRTUAL, &ov));
	printf("%ld\n", (long)ov.it_value.tv_usec);

	struct timespec when;
	clock_gettime(CLOCK_MONOTONIC, &when);
	long before = ms(CLOCK_MONOTONIC);
	when.tv_nsec += 40000000;
	if (when.tv_nsec >= 1000000000) when.tv_nsec -= 1000000000, when.tv_sec++;
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, 0));
	printf("%d\n", ms(CLOCK_MONOTONIC) - before >= 39);
	SHOW(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &(struct timespec){5, 0}, 0));
	SHOW(-clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, -5}, 0) < 0);
	its.it_value.tv_nsec = 30000000;
	timer_settime(t, 0, &its, 0);
	char *av[] = {"guest", "x", 0};
	execv("/proc/self/exe", av);
	return 1;
}
