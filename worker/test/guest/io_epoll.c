// epoll: level and edge triggered, one-shot, nested, errors; with pipes, eventfds and timers.
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
static int ep;
static void await_events(const char *what, int ms) {
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, ms);
	printf("%s %d", what, n);
	for (int i = 0; i < n; i++) printf(" %x:%d", e[i].events, (int)e[i].data.u32);
	printf("\n");
}
int main(void) {
	int p[2];
	char b[16];
	ep = epoll_create1(EPOLL_CLOEXEC);
	pipe(p);
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = 1};
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	await_events("empty", 0);
	write(p[1], "xy", 2);
	await_events("level", 0);
	await_events("level", 0);
	e.events = EPOLLIN | EPOLLET;
	SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	await_events("edge", 0);
	await_events("edge", 0);
	write(p[1], "z", 1);
	await_events("edge", 0);
	e.events = EPOLLIN | EPOLLONESHOT;
	epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e);
	await_events("oneshot", 0);
	await_events("oneshot", 0);
	epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e);
	await_events("again", 0);
	read(p[0], b, 16);
	e.events = EPOLLIN | EPOLLRDHUP;
	epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e);
	close(p[1]);
	await_events("hup", 0);
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], 0));
	SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], 0));
	await_events("none", 1);
	int ev = eventfd(0, EFD_NONBLOCK);
	e.events = EPOLLIN | EPOLLOUT, e.data.u32 = 2;
	epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e);
	await_events("eventfd", 0);
	eventfd_write(ev, 3);
	await_events("eventfd", 0);
	eventfd_t v;
	eventfd_read(ev, &v);
	printf("%ld\n", (long)v);
	SHOW(read(ev, b, 8));
	SHOW(read(ev, b, 4));
	epoll_ctl(ep, EPOLL_CTL_DEL, ev, 0);
	int tm = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec its = {.it_value.tv_nsec = 1000000};
	timerfd_settime(tm, 0, &its, 0);
	e.events = EPOLLIN, e.data.u32 = 3;
	epoll_ctl(ep, EPOLL_CTL_ADD, tm, &e);
	await_events("timer", 10000);
	uint64_t expirations = 0;
	SHOW(read(tm, &expirations, 8));
	printf("%d\n", (int)expirations);
	int outer = epoll_create(1), dup_ = dup(ev);
	e.data.u32 = 4;
	SHOW(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, outer, &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
	e.data.u32 = 5;
	epoll_ctl(ep, EPOLL_CTL_ADD, dup_, &e);
	eventfd_write(ev, 1);
	struct epoll_event o[2];
	printf("nested %d", epoll_wait(outer, o, 2, 0));
	printf(" %d\n", (int)o[0].data.u32);
	await_events("dup", 0);
	close(dup_);
	await_events("dup closed", 0);
	close(ev);
	await_events("all closed", 0);
	int file = open("f", O_CREAT | O_RDWR, 0600);
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, file, &e));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &e));
	SHOW(epoll_ctl(file, EPOLL_CTL_ADD, tm, &e));
	SHOW(epoll_ctl(ep, 77, tm, &e));
	SHOW(epoll_wait(ep, o, 0, 0));
	SHOW(epoll_wait(tm, o, 2, 0));
	SHOW(epoll_create(0));
	SHOW(epoll_create1(12345));
	return 0;
}
