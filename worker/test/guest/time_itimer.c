// Interval timers and alarm: SIGALRM, remaining time, EINTR of pause, nanosleep's remainder, timerfd periods, gettimeofday.
#include "guest.h"
#include <poll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
static volatile int fired;
static void on(int sig) { fired++; }
int main(void) {
	struct sigaction sa = {.sa_handler = on};
	sigaction(SIGALRM, &sa, 0);
	struct itimerval it = {.it_value.tv_usec = 2000}, old;
	sigset_t block, none;
	sigemptyset(&none), sigemptyset(&block), sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, 0);
	SHOW(setitimer(ITIMER_REAL, &it, 0));
	SHOW(sigsuspend(&none));
	printf("fired %d\n", fired);
	it.it_interval.tv_usec = 1000;
	setitimer(ITIMER_REAL, &it, 0);
	while (fired < 4) sigsuspend(&none);
	it = (struct itimerval){0};
	SHOW(setitimer(ITIMER_REAL, &it, &old));
	printf("interval %ld\n", (long)old.it_interval.tv_usec);
	SHOW(getitimer(ITIMER_REAL, &it));
	printf("%ld %ld\n", (long)it.it_value.tv_sec, (long)it.it_value.tv_usec);
	SHOW(alarm(100));
	SHOW(alarm(0) >= 99);
	SHOW(alarm(0));
	SHOW(setitimer(99, &it, 0));
	it.it_value.tv_usec = 1000000;
	SHOW(setitimer(ITIMER_REAL, &it, 0));
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t n;
	SHOW(read(fd, &n, 8));
	struct itimerspec ts = {.it_value.tv_nsec = 1, .it_interval.tv_sec = 1000}, was;
	SHOW(timerfd_settime(fd, 0, &ts, 0));
	struct pollfd p = {.fd = fd, .events = POLLIN};
	SHOW(poll(&p, 1, -1));
	SHOW(read(fd, &n, 8));
	printf("%ld\n", (long)n);
	SHOW(timerfd_gettime(fd, &was));
	printf("%ld %d\n", (long)was.it_interval.tv_sec, was.it_value.tv_sec > 900);
	ts = (struct itimerspec){0};
	SHOW(timerfd_settime(fd, 0, &ts, 0));
	SHOW(timerfd_gettime(fd, &was));
	printf("%ld %ld\n", (long)was.it_value.tv_sec, (long)was.it_value.tv_nsec);
	ts.it_value.tv_nsec = 1000000000;
	SHOW(timerfd_settime(fd, 0, &ts, 0));
	SHOW(timerfd_create(12, 0));
	SHOW(timerfd_settime(1, 0, &ts, 0));
	struct timeval tv;
	SHOW(gettimeofday(&tv, 0));
	printf("%d\n", tv.tv_sec > 1600000000);
	sigprocmask(SIG_UNBLOCK, &block, 0);
	it = (struct itimerval){.it_value.tv_usec = 2000};
	setitimer(ITIMER_REAL, &it, 0);
	struct timespec long_ = {1000, 0}, left = {0, 0};
	SHOW(nanosleep(&long_, &left));
	printf("left %d\n", left.tv_sec >= 998);
	fired = 0;
	it.it_value.tv_usec = 1000;
	setitimer(ITIMER_VIRTUAL, &it, 0);
	sa.sa_handler = on;
	sigaction(SIGVTALRM, &sa, 0);
	while (!fired) ;
	printf("virtual %d\n", fired);
	return 0;
}
