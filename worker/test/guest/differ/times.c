// differ/times.c — clocks, timers and sleeps: their errors, and what is certain about what they do.
#include "differ.h"
#include "families.h"
#include <sys/time.h>

static int timers[4], made;
static volatile int rang;

static void on_ring(int n) { rang = n; }

void start_times(int actor) {
	(void)actor;
	signal(SIGALRM, on_ring);
	signal(SIGUSR1, on_ring);
	signal(SIGVTALRM, on_ring);
	signal(SIGPROF, on_ring);
}

static int some_clock(void) { return seldom(5) ? ONE(-1, 12, 16, 99, 10) : ONE(CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_TAI); }
static struct timespec some_time(void) {
	struct timespec t = {0, ONE(0, 1, 1000, 999999999, 1000000000, -1)};
	if (seldom(3)) t.tv_sec = ONE(-1, 100000, 1L << 33);
	return t;
}

void step_times(void) {
	int c = some_clock(), k = below(4);
	struct timespec t = some_time(), u = {7, 7};
	struct itimerspec s = {some_time(), some_time()}, old;
	struct timespec tick = {0, 3000000};
	switch (below(12)) {
	case 0:
		say(" clock_gettime(%d)", c);
		sys(SYS_clock_gettime, c, &u);
		break;
	case 1:
		say(" clock_getres(%d)", c);
		if (sys(SYS_clock_getres, c, &u) == 0 && c != CLOCK_REALTIME_COARSE && c != CLOCK_MONOTONIC_COARSE) say(" %ld.%09ld", (long)u.tv_sec, u.tv_nsec);
		break;
	case 2: {
		int f = ONE(0, 0, TIMER_ABSTIME, 2);
		// in the past, or at once, or not at all
		if (t.tv_sec > 0) t.tv_sec = 0;
		if (t.tv_nsec == 999999999) t.tv_nsec = 5;
		if (c == CLOCK_PROCESS_CPUTIME_ID || c == CLOCK_REALTIME_ALARM || c == CLOCK_BOOTTIME_ALARM) c = CLOCK_MONOTONIC;
		say(" clock_nanosleep(%d, %d, %ld.%ld)", c, f, (long)t.tv_sec, t.tv_nsec);
		sys(SYS_clock_nanosleep, c, f, &t, &u);
		break;
	}
	case 3:
		if (t.tv_sec > 0) t.tv_sec = 0;
		if (t.tv_nsec == 999999999) t.tv_nsec = 5;
		say(" nanosleep(%ld.%ld)", (long)t.tv_sec, t.tv_nsec);
		sys(SYS_nanosleep, &t, &u);
		break;
	case 4: {
		struct sigevent e = {.sigev_notify = ONE(SIGEV_SIGNAL, SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID, 99), .sigev_signo = ONE(SIGUSR1, SIGUSR1, 0, 65, -1)};
		int id = -1;
		bool none = seldom(4);
		if (made >= 4 || c == CLOCK_REALTIME_ALARM || c == CLOCK_BOOTTIME_ALARM) break;
		say(" timer_create(%d, %d, %d%s)", c, e.sigev_notify, e.sigev_signo, none ? " none" : "");
		if (sys(SYS_timer_create, c, none ? 0 : &e, &id) == 0) timers[made++] = id;
		break;
	}
	case 5: {
		int f = ONE(0, 0, TIMER_ABSTIME, 2);
		if (k >= made) break;
		// soon for certain, or not for a long time
		if (s.it_value.tv_sec == 0 && s.it_value.tv_nsec > 1000000 && s.it_value.tv_nsec < 1000000000) s.it_value.tv_nsec = 1000;
		s.it_interval.tv_sec = ONE(0, 100000, -1);
		if (s.it_interval.tv_nsec == 1 || s.it_interval.tv_nsec == 1000) s.it_interval.tv_sec = 100000;
		say(" timer_settime(%d, %d, {%ld.%ld %ld.%ld})", k, f, (long)s.it_interval.tv_sec, s.it_interval.tv_nsec, (long)s.it_value.tv_sec, s.it_value.tv_nsec);
		if (sys(SYS_timer_settime, timers[k], f, &s, &old) == 0) say(" was %s %ld", old.it_value.tv_sec || old.it_value.tv_nsec ? "armed" : "not", (long)old.it_interval.tv_sec);
		nanosleep(&tick, 0);
		break;
	}
	case 6:
		if (k >= made) break;
		say(" timer_gettime(%d)", k);
		if (sys(SYS_timer_gettime, timers[k], &old) == 0) say(" %s %ld", old.it_value.tv_sec || old.it_value.tv_nsec ? "armed" : "not", (long)old.it_interval.tv_sec);
		say(" getoverrun");
		sys(SYS_timer_getoverrun, timers[k]);
		break;
	case 7:
		say(" bad timers");
		sys(SYS_timer_gettime, 77, &old);
		sys(SYS_timer_settime, -1, 0, &s, 0L);
		sys(SYS_timer_delete, 1000);
		sys(SYS_timer_getoverrun, -5);
		break;
	case 8:
		if (k >= made) break;
		say(" timer_delete(%d)", k);
		sys(SYS_timer_delete, timers[k]);
		timers[k] = timers[--made];
		break;
	case 9: {
		int w = ONE(ITIMER_REAL, ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF, 3, -1);
		struct itimerval v = {{ONE(0, 100000, -1), ONE(0, 999999, 1000000)}, {ONE(0, 100000, -1), ONE(0, 1, 1000, 1000000, -1)}}, o;
		if (w != ITIMER_REAL && v.it_value.tv_sec == 0) v.it_value.tv_sec = 100000;
		say(" setitimer(%d, {%ld.%ld %ld.%ld})", w, (long)v.it_interval.tv_sec, (long)v.it_interval.tv_usec, (long)v.it_value.tv_sec, (long)v.it_value.tv_usec);
		if (sys(SYS_setitimer, w, &v, &o) == 0) say(" was %s %ld", o.it_value.tv_sec || o.it_value.tv_usec ? "armed" : "not", (long)o.it_interval.tv_sec);
		nanosleep(&tick, 0);
		say(" getitimer");
		if (sys(SYS_getitimer, w, &o) == 0) say(" %s %ld", o.it_value.tv_sec || o.it_value.tv_usec ? "armed" : "not", (long)o.it_interval.tv_sec);
		break;
	}
	case 10: {
		int seconds = ONE(0, 100, 0x7fffffff);
		say(" alarm(%d)", seconds);
		long r = syscall(SYS_alarm, seconds);
		say(" %s", r ? "was armed" : "was not");
		break;
	}
	case 11: {
		struct timeval v = {0, 0};
		say(" gettimeofday");
		sys(SYS_gettimeofday, &v, 0L);
		say(" %s", v.tv_sec > 1000000000 ? "now" : "?");
		break;
	}
	}
	if (rang) say(" rang %d", rang);
	rang = 0;
}
