// differ/pipes.c — pipes, FIFOs, eventfds, timerfds, signalfds; epoll, poll and select; splice and its like.
#include "differ.h"
#include "families.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static char data[70000], got[70000];

void start_pipes(int actor) {
	for (size_t i = 0; i < sizeof data; i++) data[i] = 'a' + i % 26 + actor;
	signal(SIGPIPE, SIG_IGN);
	if (!actor) {
		mkfifo("p", 0666);
		close(open("a", O_CREAT | O_RDWR, 0666));
	}
}

static void trim(void) { syscall(SYS_close_range, 14, 40, 0); }

static void make(void) {
	int v[2] = {-1, -1}, f = ONE(O_NONBLOCK, O_NONBLOCK, O_NONBLOCK | O_CLOEXEC, 0, O_DIRECT | O_NONBLOCK, 1);
	switch (below(9)) {
	case 0: case 1:
		say(" pipe2(0%o)", f);
		if (sys(SYS_pipe2, v, f) == 0) say(" %d %d", v[0], v[1]);
		break;
	case 2: {
		unsigned n = ONE(0, 0, 1, 5, 0xfffffffe, 0xffffffff);
		f = ONE(EFD_NONBLOCK, EFD_NONBLOCK | EFD_SEMAPHORE, EFD_CLOEXEC, 0, 2, EFD_NONBLOCK);
		say(" eventfd2(%u, 0%o)", n, f);
		sys(SYS_eventfd2, n, f);
		break;
	}
	case 3:
		f = ONE(0, O_CLOEXEC, 1);
		say(" epoll_create1(0%o)", f);
		sys(SYS_epoll_create1, f);
		break;
	case 4: {
		int c = ONE(CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, 2, 11, -1);
		f = ONE(TFD_NONBLOCK, TFD_NONBLOCK, TFD_NONBLOCK | TFD_CLOEXEC, 0, 1);
		say(" timerfd_create(%d, 0%o)", c, f);
		sys(SYS_timerfd_create, c, f);
		break;
	}
	case 5: {
		uint64_t m = 1ul << (SIGUSR1 - 1) | 1ul << (SIGUSR2 - 1) | (seldom(3) ? 1ul << (SIGKILL - 1) : 0);
		int fd = seldom(3) ? any_fd() : -1;
		size_t n = seldom(8) ? 4 : 8;
		f = ONE(SFD_NONBLOCK, SFD_NONBLOCK, 0, 1);
		say(" signalfd4(%d, %zu, 0%o)", fd, n, f);
		sys(SYS_signalfd4, fd, &m, n, f);
		break;
	}
	case 6: {
		int m = ONE(O_RDONLY, O_WRONLY, O_RDWR) | (seldom(6) ? 0 : O_NONBLOCK);
		say(" open(p, 0%o)", m);
		sys(SYS_open, "p", m);
		break;
	}
	case 7:
		say(" open(a)");
		sys(SYS_open, WORD("a", ".", "/dev/null", "/dev/zero", "a"), O_RDWR * !seldom(4));
		break;
	case 8:
		f = ONE(SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET) | SOCK_NONBLOCK;
		say(" socketpair(%d)", f);
		if (sys(SYS_socketpair, AF_UNIX, f, 0, v) == 0) say(" %d %d", v[0], v[1]);
		break;
	}
	trim();
}

static size_t length(void) { return ONE(0, 1, 4, 7, 8, 8, 8, 16, 100, 4096, 4097, 30000, 65536); }

static void move(void) {
	int fd = any_fd(), to = any_fd();
	size_t n = length();
	long r;
	loff_t o = ONE(0, 0, 10, -1, 5000), o2 = ONE(0, 100, -5);
	bool no = below(3), no2 = below(3);
	int f = seldom(12) ? ONE(16, -1) : SOME(3, 2) | SOME(4, 1, 4) | SOME(10, 8) | (seldom(5) ? 0 : 2);
	switch (below(11)) {
	case 0: case 1: case 2:
		if (n == 8) {
			uint64_t v = ONE(0, 1, 2, 5, -1, -2, 0xffffffff);
			say(" write(%d, %lx)", fd, (long)v);
			sys(SYS_write, fd, &v, 8);
			break;
		}
		say(" write(%d, %zu)", fd, n);
		sys(SYS_write, fd, data, n);
		break;
	case 3: case 4: case 5:
		say(" read(%d, %zu)", fd, n);
		r = sys(SYS_read, fd, got, n);
		if (r > 0) say_bytes(got, r);
		break;
	case 6: {
		struct iovec v[3] = {{data, n}, {data + 1, ONE(0, 1, 5000)}, {data + 2, 3}};
		say(" writev(%d, %zu, %zu, 3)", fd, n, v[1].iov_len);
		sys(SYS_writev, fd, v, 3L);
		break;
	}
	case 7:
		say(" splice(%d, %ld, %d, %ld, %zu, %x)", fd, no ? -7 : (long)o, to, no2 ? -7 : (long)o2, n, f);
		r = sys(SYS_splice, fd, no ? 0 : &o, to, no2 ? 0 : &o2, n, f);
		if (r >= 0) say(" %ld %ld", (long)o, (long)o2);
		break;
	case 8:
		say(" tee(%d, %d, %zu, %x)", fd, to, n, f);
		sys(SYS_tee, fd, to, n, f);
		break;
	case 9: {
		struct iovec v[2] = {{data, 0}, {data + 5, 10}};
		// how many pages it takes is a matter of addresses
		if (n > 16) n = 16;
		v[0].iov_len = n;
		say(" vmsplice(%d, %zu, %x)", fd, n, f);
		sys(SYS_vmsplice, fd, v, 2L, f);
		break;
	}
	case 10:
		say(" sendfile(%d, %d, %ld, %zu)", fd, to, no ? -7 : (long)o, n);
		r = sys(SYS_sendfile, fd, to, no ? 0 : &o, n);
		if (r >= 0) say(" %ld", (long)o);
		break;
	}
}

static void control(void) {
	int fd = any_fd();
	int n = -1;
	long a;
	switch (below(7)) {
	case 0: case 1:
		say(" close(%d)", fd);
		sys(SYS_close, fd == CONTROL ? -1 : fd);
		break;
	case 2:
		say(" dup(%d)", fd);
		sys(SYS_dup, fd);
		trim();
		break;
	case 3:
		a = ONE(0, 1, 4096, 4097, 65536, 100000, 1 << 20, (1 << 20) + 1, 1L << 31, -1);
		say(" F_SETPIPE_SZ(%d, %ld)", fd, a);
		sys(SYS_fcntl, fd, F_SETPIPE_SZ, a);
		say(" F_GETPIPE_SZ");
		sys(SYS_fcntl, fd, F_GETPIPE_SZ);
		break;
	case 4:
		a = ONE(0, O_NONBLOCK, O_NONBLOCK, O_NONBLOCK | O_ASYNC, O_APPEND | O_NONBLOCK, O_NONBLOCK | O_DIRECT);
		say(" F_SETFL(%d, 0%lo)", fd, a);
		sys(SYS_fcntl, fd, F_SETFL, a);
		say(" %o", fcntl(fd, F_GETFL));
		break;
	case 5: {
		int c = ONE(FIONREAD, FIONREAD, TCGETS, FIOCLEX, FIONCLEX, FIOASYNC, FIONBIO, 0x5411);
		if (c == FIONBIO) n = 1;
		else if (c == FIOASYNC) n = 0;
		say(" ioctl(%d, %x)", fd, c);
		char room[64] = {0};
		memcpy(room, &n, 4);
		if (sys(SYS_ioctl, fd, c, room) >= 0 && c == FIONREAD) say(" %d", *(int *)room);
		break;
	}
	case 6:
		say(" lseek(%d)", fd);
		sys(SYS_lseek, fd, ONE(0, 1, -1), ONE(0, 1, 2, 9));
		break;
	}
}

static const int events_of_all[] = {POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM, POLLRDBAND, POLLWRBAND, POLLMSG, POLLERR, POLLHUP};

static void wait_for(void) {
	int fd = any_fd(), fd2 = any_fd(), ep = any_fd();
	switch (below(8)) {
	case 0: case 1: {
		struct pollfd p[4];
		int n = below(5);
		for (int i = 0; i < 4; i++) {
			p[i].fd = any_fd();
			p[i].events = 0;
			p[i].revents = 0x5555;
			for (int k = 0; k < 11; k++) if (below(2)) p[i].events |= events_of_all[k];
		}
		int t = seldom(6) ? 5 : 0;
		say(" poll(%d, %d) {", n, t);
		for (int i = 0; i < n; i++) say(" %d:%x", p[i].fd, p[i].events);
		say(" }");
		sys(SYS_poll, p, (long)n, t);
		for (int i = 0; i < n; i++) say(" %x", p[i].revents);
		break;
	}
	case 2: {
		fd_set s[3];
		int n = ONE(0, 5, 15, 20, -1, 1024);
		struct timespec t = {0, ONE(0, 0, 5000000, -1, 1000000000)};
		for (int i = 0; i < 3; i++) {
			FD_ZERO(&s[i]);
			for (int k = 3; k < 14; k++) if (seldom(3)) FD_SET(k, &s[i]);
		}
		// the bits of what is not open make it EBADF: seldom wanted
		if (!seldom(6)) for (int i = 0; i < 3; i++) for (int k = 3; k < 14; k++) if (fcntl(k, F_GETFD) < 0) FD_CLR(k, &s[i]);
		say(" pselect6(%d, %lx %lx %lx, %ld)", n, *(long *)&s[0], *(long *)&s[1], *(long *)&s[2], t.tv_nsec);
		sys(SYS_pselect6, n, &s[0], &s[1], &s[2], &t, 0L);
		say(" %lx %lx %lx", *(long *)&s[0], *(long *)&s[1], *(long *)&s[2]);
		break;
	}
	case 3: case 4: case 5: {
		struct epoll_event e = {0, {0}};
		int op = ONE(EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, 7);
		for (int k = 0; k < 11; k++) if (seldom(3)) e.events |= events_of_all[k];
		e.events |= (seldom(3) ? EPOLLET : 0) | (seldom(4) ? EPOLLONESHOT : 0) | (seldom(12) ? EPOLLEXCLUSIVE : 0) | (seldom(12) ? EPOLLWAKEUP : 0);
		e.data.u64 = fd;
		say(" epoll_ctl(%d, %d, %d, %x)", ep, op, fd, e.events);
		sys(SYS_epoll_ctl, ep, op, fd, &e);
		break;
	}
	case 6: case 7: {
		struct epoll_event e[8];
		int n = ONE(8, 8, 1, 2, 0, -1, 0x10000000), t = seldom(6) ? 5 : 0;
		// which of two errors comes first has changed
		if (fcntl(ep, F_GETFD) < 0) n = 8;
		say(" epoll_wait(%d, %d, %d)", ep, n, t);
		long r = sys(SYS_epoll_pwait, ep, e, n, t, 0L, 8L);
		for (int i = 0; i < r; i++) say(" %ld:%x", (long)e[i].data.u64, e[i].events);
		break;
	}
	}
	(void)fd2;
}

static void timer(void) {
	int fd = any_fd(), f = ONE(0, 0, TFD_TIMER_ABSTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, TFD_TIMER_CANCEL_ON_SET, 4);
	// one that is long past or far away: never one that may be either
	struct itimerspec t = {{0, 0}, {0, ONE(0, 1, 1000000000, -1)}}, old = {{9, 9}, {9, 9}};
	if (below(2)) t.it_value.tv_sec = ONE(100000000, -1, 1L << 40);
	if (seldom(4)) t.it_interval.tv_sec = ONE(100000, -1);
	if (below(2)) {
		say(" timerfd_settime(%d, %d, {%ld.%ld %ld.%ld})", fd, f, (long)t.it_interval.tv_sec, t.it_interval.tv_nsec, (long)t.it_value.tv_sec, t.it_value.tv_nsec);
		sys(SYS_timerfd_settime, fd, f, &t, &old);
		struct timespec tick = {0, 3000000};
		nanosleep(&tick, 0);
	} else {
		say(" timerfd_gettime(%d)", fd);
		if (sys(SYS_timerfd_gettime, fd, &old) == 0) say(" {%ld %s}", (long)old.it_interval.tv_sec, old.it_value.tv_sec || old.it_value.tv_nsec ? "armed" : "not");
	}
}

static void signal_it(void) {
	sigset_t s;
	if (below(2)) {
		int n = ONE(SIGUSR1, SIGUSR2);
		sigemptyset(&s);
		sigaddset(&s, SIGUSR1);
		sigaddset(&s, SIGUSR2);
		sigprocmask(SIG_BLOCK, &s, 0);
		say(" kill(self, %d)", n);
		sys(SYS_kill, getpid(), n);
		return;
	}
	int fd = any_fd();
	struct signalfd_siginfo i[2];
	memset(i, 0, sizeof i);
	size_t n = ONE(128, 256, 100, 0);
	say(" read signals(%d, %zu)", fd, n);
	long r = sys(SYS_read, fd, i, n);
	if (r == 128 || r == 256) for (int k = 0; k < r / 128; k++) if (i[k].ssi_signo < 65) say(" {%u %d %s %u}", i[k].ssi_signo, i[k].ssi_code, (int)i[k].ssi_pid == getpid() ? "self" : "?", i[k].ssi_uid);
}

void step_pipes(void) {
	switch (below(16)) {
	case 0: case 1: case 2: make(); break;
	case 3: case 4: case 5: case 6: case 7: move(); break;
	case 8: case 9: control(); break;
	case 10: case 11: case 12: case 13: wait_for(); break;
	case 14: timer(); break;
	case 15: signal_it(); break;
	}
}
