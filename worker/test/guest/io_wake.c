// Who is woken, and for how long one waits: changes of /proc/mounts, exclusive epolls, eventfd, timerfd, signalfd, select and poll with their errors.
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <poll.h>
#include <sys/mount.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <sys/signalfd.h>
#include <sys/ioctl.h>
static int ev;
static volatile int woken;
static void*waiter(void*a) {
	struct epoll_event e;
	int ep = epoll_create1(0);
	e.events = EPOLLIN|(unsigned long)a;
	e.data.u64 = 1;
	epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e);
	int n = epoll_wait(ep, &e, 1, 600);
	if (n>0)__sync_fetch_and_add(&woken, 1);
	close(ep);
	return 0;
}
static int shared;
static void*waiter2(void*a) {
	struct epoll_event e;
	int n = epoll_wait(shared, &e, 1, 600);
	if (n>0)__sync_fetch_and_add(&woken, 1);
	return 0;
}
static int P(int fd, int ev, int ms) {
	struct pollfd p = {fd, ev, 0};
	int r = poll(&p, 1, ms);
	return r<=0?r:p.revents;
}
int main(void) {
	setvbuf(stdout, 0, _IOLBF, 0);
	int m = open("/proc/self/mounts", O_RDONLY);
	char b[65536];
	SHOW(P(m, POLLIN|POLLPRI, 0));
	read(m, b, sizeof b);
	mkdir("mm", 0755);
	SHOW(mount("none", "mm", "tmpfs", 0, 0));
	SHOW(P(m, POLLPRI, 0));
	SHOW(P(m, POLLPRI, 0));
	SHOW(umount("mm"));
	SHOW(P(m, POLLIN|POLLPRI, 0));
	int mi = open("/proc/self/mountinfo", O_RDONLY);
	SHOW(P(mi, POLLPRI, 0));
	struct epoll_event e;
	int ep = epoll_create1(0);
	e.events = EPOLLPRI;
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, mi, &e));
	SHOW(epoll_wait(ep, &e, 1, 0));
	mount("none", "mm", "tmpfs", 0, 0);
	SHOW(epoll_wait(ep, &e, 1, 0));
	printf("%x\n", e.events);
	SHOW(epoll_wait(ep, &e, 1, 0));
	umount("mm");
	SHOW(mount("none", "mm", "nosuch", 0, 0));
	int st = open("/proc/self/status", O_RDONLY);
	e.events = EPOLLIN;
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, st, &e));
	SHOW(P(st, POLLIN|POLLOUT|POLLPRI, 0));
	// exclusive
	ev = eventfd(0, EFD_SEMAPHORE);
	pthread_t t[3];
	woken = 0;
	for (int i = 0;i<3;i++)pthread_create(&t[i], 0, waiter, (void*)(unsigned long)EPOLLEXCLUSIVE);
	usleep(100000);
	unsigned long one = 1;
	write(ev, &one, 8);
	for (int i = 0;i<3;i++)pthread_join(t[i], 0);
	printf("exclusive woken %d\n", woken);
	woken = 0;
	read(ev, &one, 8);
	for (int i = 0;i<3;i++)pthread_create(&t[i], 0, waiter, 0);
	usleep(100000);
	one = 1;
	write(ev, &one, 8);
	for (int i = 0;i<3;i++)pthread_join(t[i], 0);
	printf("all woken %d\n", woken);
	// one epoll, three threads, edge-triggered: one is woken
	read(ev, &one, 8);
	shared = epoll_create1(0);
	e.events = EPOLLIN|EPOLLET;
	epoll_ctl(shared, EPOLL_CTL_ADD, ev, &e);
	woken = 0;
	for (int i = 0;i<3;i++)pthread_create(&t[i], 0, waiter2, 0);
	usleep(100000);
	one = 1;
	write(ev, &one, 8);
	for (int i = 0;i<3;i++)pthread_join(t[i], 0);
	printf("shared ET woken %d\n", woken);
	e.events = EPOLLIN|EPOLLEXCLUSIVE|EPOLLONESHOT;
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e));
	e.events = EPOLLIN|EPOLLEXCLUSIVE|EPOLLET;
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, ev, &e));
	e.events = EPOLLIN;
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, ev, &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, ev, 0));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, ev, 0));
	SHOW(epoll_ctl(ep, 9, ev, &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &e));
	SHOW(epoll_ctl(99, EPOLL_CTL_ADD, ev, &e));
	SHOW(epoll_wait(ev, &e, 1, 0));
	SHOW(epoll_wait(ep, &e, 0, 0));
	SHOW(epoll_create1(5));
	SHOW(epoll_create(0));
	SHOW(epoll_pwait(ep, &e, 1, 0, 0));
	// eventfd
	int ef = eventfd(3, EFD_NONBLOCK);
	unsigned long v;
	SHOW(read(ef, &v, 8));
	SHOW(read(ef, &v, 8));
	SHOW(read(ef, &v, 4));
	v = -1;
	SHOW(write(ef, &v, 8));
	v = -2;
	SHOW(write(ef, &v, 8));
	v = 1;
	SHOW(write(ef, &v, 8));
	SHOW(P(ef, POLLIN|POLLOUT, 0));
	SHOW(read(ef, &v, 8));
	printf("%lx\n", v);
	SHOW(P(ef, POLLIN|POLLOUT, 0));
	SHOW(eventfd(0, 77));
	SHOW(lseek(ef, 0, 0));
	SHOW(write(ef, &v, 7));
	// timerfd
	int tf = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec it = {{0, 1000000}, {0, 1000000}}, o;
	SHOW(timerfd_settime(tf, 0, &it, 0));
	usleep(20000);
	SHOW(read(tf, &v, 8));
	printf("%d\n", v>=10);
	it.it_value.tv_nsec = 2000000000;
	SHOW(timerfd_settime(tf, 0, &it, 0));
	SHOW(timerfd_settime(tf, 8, &it, 0));
	SHOW(timerfd_create(99, 0));
	SHOW(timerfd_create(CLOCK_REALTIME, 5));
	SHOW(timerfd_gettime(ef, &o));
	memset(&it, 0, sizeof it);
	SHOW(timerfd_settime(tf, 0, &it, &o));
	SHOW(read(tf, &v, 8));
	SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	SHOW(timerfd_create(CLOCK_BOOTTIME_ALARM, 0)>=0);
	// select
	fd_set r;
	FD_ZERO(&r);
	FD_SET(ef, &r);
	struct timeval tv = {0, 5000};
	SHOW(select(ef+1, &r, 0, 0, &tv));
	printf("%ld %ld\n", tv.tv_sec, (long)tv.tv_usec);
	FD_SET(500, &r);
	tv.tv_usec = 0;
	SHOW(select(501, &r, 0, 0, &tv));
	SHOW(select(-1, 0, 0, 0, &tv));
	tv.tv_usec = -1;
	SHOW(select(0, 0, 0, 0, &tv));
	tv.tv_usec = 1000001;
	tv.tv_sec = 0;
	SHOW(select(0, 0, 0, 0, &tv));
	struct timespec ts = {0, -1};
	SHOW(ppoll(0, 0, &ts, 0));
	ts.tv_nsec = 1000;
	SHOW(ppoll(0, 0, &ts, 0));
	struct pollfd pp[3] = {{-1, POLLIN, 7}, {99, POLLIN, 0}, {ef, POLLOUT, 0}};
	SHOW(poll(pp, 3, 0));
	printf("%x %x %x\n", pp[0].revents, pp[1].revents, pp[2].revents);
	SHOW(poll(pp, 1000000, 0));
	SHOW(poll((void*)8, 1, 0));
	// signalfd
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGKILL);
	sigprocmask(SIG_BLOCK, &s, 0);
	int sf = signalfd(-1, &s, SFD_NONBLOCK);
	union sigval sv = {.sival_int = 42};
	SHOW(sigqueue(getpid(), SIGUSR1, sv));
	struct signalfd_siginfo si;
	SHOW(P(sf, POLLIN, 0));
	SHOW(read(sf, &si, 10));
	SHOW(read(sf, &si, sizeof si));
	printf("%d %d %d %d\n", si.ssi_signo, si.ssi_code, si.ssi_int, si.ssi_pid==getpid());
	SHOW(read(sf, &si, sizeof si));
	SHOW(signalfd(ef, &s, 0));
	SHOW(signalfd(-1, &s, 77));
	SHOW(write(sf, &si, sizeof si));
	return 0;
}
