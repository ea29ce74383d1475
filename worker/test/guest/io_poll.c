// poll, select and epoll on pipes: readiness, hang-up, time-outs, bad descriptors, edge and one-shot modes.
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
int main(void) {
	int p[2];
	char c;
	pipe(p);
	struct pollfd f[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 0}};
	SHOW(poll(f, 3, 0));
	printf("%x %x %x\n", f[0].revents, f[1].revents, f[2].revents);
	write(p[1], "ab", 2);
	SHOW(poll(f, 2, -1));
	printf("%x %x\n", f[0].revents, f[1].revents);
	f[2].fd = 99;
	SHOW(poll(f, 3, 1000));
	printf("%x\n", f[2].revents);
	fd_set r, w;
	struct timeval tv = {0, 1000};
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	SHOW(select(20, &r, &w, 0, &tv));
	printf("%d %d\n", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[1], &w));
	SHOW(select(-1, 0, 0, 0, &tv));
	tv.tv_usec = -1;
	SHOW(select(0, 0, 0, 0, &tv));
	tv.tv_usec = 2000;
	SHOW(select(0, 0, 0, 0, &tv));
	printf("left %ld\n", (long)tv.tv_usec);
	FD_ZERO(&r);
	FD_SET(70, &r);
	tv.tv_usec = 0;
	SHOW(select(71, &r, 0, 0, &tv));
	int e = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {EPOLLIN, {.u32 = 7}}, got[4];
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, e, &ev));
	SHOW(epoll_ctl(e, EPOLL_CTL_DEL, p[1], 0));
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, 99, &ev));
	int file = open("f", O_CREAT | O_RDWR, 0600);
	SHOW(epoll_ctl(e, EPOLL_CTL_ADD, file, &ev));
	SHOW(epoll_wait(e, got, 4, 0));
	printf("%x %u\n", got[0].events, got[0].data.u32);
	SHOW(epoll_wait(e, got, 4, 0));
	ev.events = EPOLLIN | EPOLLET;
	SHOW(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev));
	SHOW(epoll_wait(e, got, 4, 0));
	SHOW(epoll_wait(e, got, 4, 0));
	write(p[1], "c", 1);
	SHOW(epoll_wait(e, got, 4, 0));
	ev.events = EPOLLIN | EPOLLONESHOT;
	SHOW(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev));
	SHOW(epoll_wait(e, got, 4, 0));
	SHOW(epoll_wait(e, got, 4, 0));
	SHOW(epoll_wait(e, got, 0, 0));
	close(p[1]);
	while (read(p[0], &c, 1) > 0) {}
	f[0].revents = 0;
	SHOW(poll(f, 1, 0));
	printf("%x\n", f[0].revents);
	ev.events = EPOLLIN;
	epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev);
	SHOW(epoll_wait(e, got, 4, 10));
	printf("%x\n", got[0].events);
	close(p[0]);
	SHOW(epoll_wait(e, got, 4, 10));
	return 0;
}
