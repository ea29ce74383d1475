// hot_calls.c — calls in loops that become compiled, each of which leaves something to be seen to before the loop goes on: a signal, a mask to be put back,
// an earlier timer, CPU time to be watched, another task.
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int handled[64];
static void handler(int sig) { handled[sig]++; }

static long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}
static volatile int turn;
static void *other(void *rounds) {
	for (int i = 0; i < (long)rounds; i++) {
		while (turn != 1) sched_yield();
		turn = 0;
	}
	return 0;
}

int main(void) {
	const int rounds = 1200;
	struct sigaction act = {.sa_handler = handler};
	for (int s = 1; s < 32; s++)
		if (s == SIGUSR1 || s == SIGUSR2 || s == SIGALRM || s == SIGVTALRM || s == SIGPROF) sigaction(s, &act, 0);

	// at once, and the handler has run when kill returns
	int late = 0;
	for (int i = 0; i < rounds; i++) {
		getppid();
		if (i % 3 == 0) kill(getpid(), SIGUSR1);
		if (handled[SIGUSR1] != i / 3 + 1) late++;
	}
	printf("kill: %d handled, %d late\n", handled[SIGUSR1], late);

	// blocked, and let in by ppoll for as long as it lasts
	sigset_t set, empty;
	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, 0);
	const struct timespec zero = {0, 0};
	int early = 0, interrupted = 0;
	for (int i = 0; i < rounds; i++) {
		if (i % 5 == 0) raise(SIGUSR2);
		if (handled[SIGUSR2] != (i + 4) / 5) early++;
		if (ppoll(0, 0, &zero, &empty) < 0) interrupted++;
		sigset_t is;
		sigprocmask(SIG_BLOCK, 0, &is);
		if (!sigismember(&is, SIGUSR2)) early++;
	}
	printf("ppoll: %d handled, %d early, %s\n", handled[SIGUSR2], early, interrupted == handled[SIGUSR2] || interrupted == 0 ? "each or none interrupted" : "some interrupted");

	// timers that are due within the loop that sets them
	for (int i = 0; i < 40; i++) {
		struct itimerval it = {{0, 0}, {0, 50 + 10 * i}};
		int before = handled[SIGALRM];
		setitimer(ITIMER_REAL, &it, 0);
		while (handled[SIGALRM] == before) getppid();
	}
	printf("real: %d\n", handled[SIGALRM]);
	for (int i = 0; i < 20; i++) {
		struct itimerval it = {{0, 0}, {0, 100}};
		int which = i % 2, sig = which ? SIGPROF : SIGVTALRM, before = handled[sig];
		setitimer(which ? ITIMER_PROF : ITIMER_VIRTUAL, &it, 0);
		while (handled[sig] == before) getppid();
	}
	printf("cpu: %d %d\n", handled[SIGVTALRM], handled[SIGPROF]);

	// the clock goes on from call to call
	long last = now(), back = 0;
	for (int i = 0; i < rounds; i++) {
		long t = now();
		if (t <= last) back++;
		last = t;
	}
	printf("clock: %ld times back\n", back);

	// two that take turns
	pthread_t thread;
	pthread_create(&thread, 0, other, (void *)(long)rounds);
	for (int i = 0; i < rounds; i++) {
		turn = 1;
		while (turn != 0) sched_yield();
	}
	pthread_join(thread, 0);
	printf("turns taken\n");

	// results of all kinds: an error, a large number
	int wrong = 0;
	for (int i = 0; i < rounds; i++) {
		if (close(-1) != -1) wrong++;
		if (lseek(0, 0, 99) != -1) wrong++;
		if ((long)sysconf(_SC_PAGESIZE) != 4096) wrong++;
	}
	printf("errors: %d wrong\n", wrong);
	return 0;
}
