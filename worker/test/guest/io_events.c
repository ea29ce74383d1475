// eventfd, timerfd, signalfd.
#include "guest.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
int main(void) {
	uint64_t v = 5;
	int e = eventfd(3, EFD_NONBLOCK);
	SHOW(read(e, &v, 8));
	printf("%llu\n", (unsigned long long)v);
	SHOW(read(e, &v, 8));
	SHOW(read(e, &v, 4));
	v = 7;
	SHOW(write(e, &v, 8));
	SHOW(write(e, &v, 8));
	SHOW(read(e, &v, 8));
	printf("%llu\n", (unsigned long long)v);
	v = ~0ull;
	SHOW(write(e, &v, 8));
	v = ~0ull - 1;
	SHOW(write(e, &v, 8));
	v = 1;
	SHOW(write(e, &v, 8));
	struct pollfd p = {e, POLLIN | POLLOUT, 0};
	SHOW(poll(&p, 1, 0));
	printf("%x\n", p.revents);
	int s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	SHOW(read(s, &v, 8));
	printf("%llu\n", (unsigned long long)v);
	SHOW(read(s, &v, 8));
	SHOW(read(s, &v, 8));
	SHOW(eventfd(0, 0x40));

	int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec its = {{0, 0}, {0, 1000000}}, old;
	SHOW(read(t, &v, 8));
	SHOW(timerfd_settime(t, 0, &its, &old));
	printf("%ld %ld\n", (long)old.it_value.tv_sec, old.it_value.tv_nsec);
	p.fd = t, p.events = POLLIN;
	SHOW(poll(&p, 1, 10000));
	SHOW(read(t, &v, 8));
	printf("%llu\n", (unsigned long long)v);
	SHOW(timerfd_gettime(t, &its));
	printf("%ld %ld\n", (long)its.it_value.tv_sec, its.it_value.tv_nsec);
	its.it_value.tv_nsec = 1000000000;
	SHOW(timerfd_settime(t, 0, &its, 0));
	SHOW(timerfd_create(99, 0));

	sigset_t set;
	sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, 0);
	int f = signalfd(-1, &set, SFD_NONBLOCK);
	struct signalfd_siginfo si[3];
	SHOW(read(f, si, sizeof si));
	kill(getpid(), SIGUSR2), kill(getpid(), SIGUSR1), kill(getpid(), SIGUSR1);
	p.fd = f;
	SHOW(poll(&p, 1, 0));
	SHOW(read(f, si, sizeof si) / sizeof *si);
	printf("%u %u from me %d code %d\n", si[0].ssi_signo, si[1].ssi_signo, si[0].ssi_pid == (unsigned)getpid(), si[0].ssi_code);
	SHOW(read(f, si, 10));
	return 0;
}
