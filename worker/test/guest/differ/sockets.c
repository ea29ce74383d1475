// differ/sockets.c — sockets: AF_UNIX of all types, TCP and UDP on loopback.
#include "differ.h"
#include "families.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char data[70000], got[70000];
union address { struct sockaddr any; struct sockaddr_un un; struct sockaddr_in in; char bytes[200]; };

void start_sockets(int actor) {
	for (size_t i = 0; i < sizeof data; i++) data[i] = 'a' + i % 26 + actor;
	signal(SIGPIPE, SIG_IGN);
	if (!actor) close(open("a", O_CREAT | O_RDWR, 0666));
	if (actor) {
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
	}
}

static void trim(void) { syscall(SYS_close_range, 14, 40, 0); }

/** An address of the kind that `fd` is likely to be; its length. */
static socklen_t some_address(int fd, union address *a) {
	int domain = AF_UNIX;
	socklen_t n = sizeof domain;
	memset(a, 0, sizeof *a);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
	if (seldom(15)) domain = ONE(AF_UNIX, AF_INET, AF_UNSPEC, 77);
	a->any.sa_family = domain;
	if (domain == AF_INET) {
		a->in.sin_port = htons(ONE(5001, 5001, 5002, 5003, 0, 80));
		a->in.sin_addr.s_addr = htonl(ONE(INADDR_LOOPBACK, INADDR_LOOPBACK, INADDR_LOOPBACK, INADDR_ANY, 0x7f000002));
		say(" {inet %d %x}", ntohs(a->in.sin_port), ntohl(a->in.sin_addr.s_addr));
		return seldom(15) ? ONE(0, 1, 15, 17, 100, -1) : sizeof a->in;
	}
	if (domain == AF_UNIX) {
		const char *name = WORD("s", "t", "u", "s", "a", "no/s", "", "\1x", "\1y", "\1x");
		if (*name == 1) {
			a->un.sun_path[1] = name[1];
			say(" {unix @%c}", name[1]);
			return offsetof(struct sockaddr_un, sun_path) + 2;
		}
		strcpy(a->un.sun_path, name);
		say(" {unix %s}", name);
		return seldom(15) ? ONE(0, 1, 2, 3, 110, 111, -1) : (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + !seldom(4) * (*name != 0));
	}
	say(" {%d}", domain);
	return seldom(3) ? 2 : 16;
}

static void say_address(const union address *a, socklen_t n) {
	if (n == 0) say(" {}");
	else if (a->any.sa_family == AF_INET) {
		int port = ntohs(a->in.sin_port);
		say(" {%u inet %s %x}", n, port > 10000 ? "ephemeral" : port ? (port == 5001 ? "5001" : port == 5002 ? "5002" : port == 5003 ? "5003" : "other") : "0", ntohl(a->in.sin_addr.s_addr));
	} else if (a->any.sa_family == AF_UNIX) {
		// the names that autobind gives are random on some kernels
		if (n == 8 && !a->un.sun_path[0]) say(" {autobound}");
		else {
			say(" {%u unix", n);
			say_bytes(a->un.sun_path, n > 2 ? n - 2 : 0);
			say("}");
		}
	} else say(" {%u family %d}", n, a->any.sa_family);
}

static void make(void) {
	int v[2];
	int domain = seldom(20) ? ONE(0, 45, 99) : ONE(AF_UNIX, AF_UNIX, AF_INET), type = ONE(SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_DGRAM, SOCK_SEQPACKET);
	int proto = seldom(12) ? ONE(1, 6, 17, 99, -1) : 0, flags = seldom(15) ? ONE(SOCK_CLOEXEC, 0x1000) : SOCK_NONBLOCK;
	if (seldom(20)) type = ONE(0, 4, SOCK_RAW);
	// the networks and raw sockets that the two kernels have are not the same
	if (domain == AF_INET && type == SOCK_RAW) type = SOCK_DGRAM;
	if (domain == AF_INET && type == SOCK_DGRAM && proto == 1) proto = 0;
	if (seldom(3)) {
		say(" socketpair(%d, %d, %d)", domain, type | flags, proto);
		if (sys(SYS_socketpair, domain, type | flags, proto, v) == 0) say(" %d %d", v[0], v[1]);
	} else {
		say(" socket(%d, %d, %d)", domain, type | flags, proto);
		sys(SYS_socket, domain, type | flags, proto);
	}
	trim();
}

static void connect_them(void) {
	union address a;
	int fd = any_fd();
	socklen_t n;
	switch (below(9)) {
	case 0: case 1:
		say(" bind(%d", fd);
		n = some_address(fd, &a);
		say(", %d)", (int)n);
		sys(SYS_bind, fd, &a, n);
		break;
	case 2: case 3: {
		int b = ONE(0, 1, 5, 5, -1);
		say(" listen(%d, %d)", fd, b);
		sys(SYS_listen, fd, b);
		break;
	}
	case 4: case 5: case 6:
		say(" connect(%d", fd);
		n = some_address(fd, &a);
		say(", %d)", (int)n);
		sys(SYS_connect, fd, &a, n);
		break;
	default: {
		int f = ONE(SOCK_NONBLOCK, SOCK_NONBLOCK, 0, SOCK_CLOEXEC, 1);
		n = ONE(sizeof a, sizeof a, 0, 3, -1);
		bool none = seldom(3);
		memset(&a, 0x55, sizeof a);
		say(" accept4(%d, %d, 0%o)", fd, none ? -7 : (int)n, f);
		if (sys(SYS_accept4, fd, none ? 0 : &a, none ? 0 : &n, f) >= 0 && !none) {
			if (n > 3 && a.any.sa_family < 3) say_address(&a, n);
			else say(" %u", n);
		}
		trim();
	}
	}
}

static int message_flags(void) { return SOME(2, MSG_DONTWAIT) | SOME(8, MSG_PEEK, MSG_TRUNC) | SOME(16, MSG_WAITALL, MSG_OOB, MSG_MORE, MSG_EOR, MSG_CMSG_CLOEXEC, MSG_ERRQUEUE) | SOME(40, MSG_DONTROUTE, MSG_CONFIRM) | MSG_NOSIGNAL * below(2); }

static void talk(void) {
	int fd = any_fd(), f = message_flags();
	size_t n = ONE(0, 1, 3, 10, 10, 100, 5000, 40000);
	union address a;
	socklen_t an = sizeof a;
	long r;
	switch (below(8)) {
	case 0: case 1:
		say(" send(%d, %zu, %x)", fd, n, f);
		sys(SYS_sendto, fd, data, n, f, 0L, 0);
		break;
	case 2:
		say(" sendto(%d, %zu, %x", fd, n, f);
		an = some_address(fd, &a);
		say(", %d)", (int)an);
		sys(SYS_sendto, fd, data, n, f, &a, an);
		break;
	case 3: case 4:
		memset(&a, 0, sizeof a);
		say(" recvfrom(%d, %zu, %x)", fd, n, f);
		r = sys(SYS_recvfrom, fd, got, n, f, &a, &an);
		if (r > 0) say_bytes(got, r < (long)n ? r : (long)n);
		if (r >= 0) say_address(&a, an);
		break;
	case 5: case 6: {
		char room[200] = {0};
		struct iovec v[2] = {{data, n}, {data + 7, ONE(0, 3, 1000)}};
		struct msghdr m = {.msg_iov = v, .msg_iovlen = below(3)};
		say(" sendmsg(%d, %zu, %x", fd, n, f);
		if (below(2)) {
			struct cmsghdr *c = (void *)room;
			m.msg_control = room;
			if (below(2)) {
				int count = ONE(1, 1, 2, 3);
				c->cmsg_level = SOL_SOCKET;
				c->cmsg_type = SCM_RIGHTS;
				c->cmsg_len = CMSG_LEN(4 * count) - (seldom(10) ? 1 : 0);
				for (int i = 0; i < count; i++) ((int *)CMSG_DATA(c))[i] = any_fd();
				m.msg_controllen = CMSG_SPACE(4 * count);
				say(" rights");
				for (int i = 0; i < count; i++) say(" %d", ((int *)CMSG_DATA(c))[i]);
			} else {
				struct ucred who = {getpid(), ONE(0, 1000, 5), ONE(0, 1000)};
				c->cmsg_level = seldom(8) ? 99 : SOL_SOCKET;
				c->cmsg_type = seldom(8) ? 77 : SCM_CREDENTIALS;
				c->cmsg_len = CMSG_LEN(seldom(10) ? 8 : sizeof who);
				memcpy(CMSG_DATA(c), &who, sizeof who);
				m.msg_controllen = CMSG_SPACE(sizeof who);
				say(" credentials %d %d", who.uid, who.gid);
			}
		}
		if (seldom(4)) {
			m.msg_namelen = some_address(fd, &a);
			m.msg_name = &a;
		}
		say(")");
		sys(SYS_sendmsg, fd, &m, f);
		break;
	}
	default: {
		char room[200] = {0};
		struct iovec v[2] = {{got, n}, {got + 50000, ONE(0, 3, 1000)}};
		struct msghdr m = {.msg_iov = v, .msg_iovlen = below(3), .msg_control = room, .msg_controllen = ONE(200, 200, 0, 16, 20, 24)};
		if (below(2)) m.msg_name = &a, m.msg_namelen = sizeof a;
		memset(&a, 0, sizeof a);
		say(" recvmsg(%d, %zu, %x, %zu)", fd, n, f, m.msg_controllen);
		r = sys(SYS_recvmsg, fd, &m, f);
		if (r < 0) break;
		say(" flags=%x control=%zu", m.msg_flags, (size_t)m.msg_controllen);
		if (m.msg_name) say_address(&a, m.msg_namelen);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			say(" cmsg %d,%d %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / 4; i++) say(" fd %d", ((int *)CMSG_DATA(c))[i]);
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) say(" uid %d gid %d", ((struct ucred *)CMSG_DATA(c))->uid, ((struct ucred *)CMSG_DATA(c))->gid);
		}
		trim();
	}
	}
}

static void options(void) {
	static const struct { int level, name; const char *what; } all[] = {
		{SOL_SOCKET, SO_TYPE, "type"}, {SOL_SOCKET, SO_ERROR, "error"}, {SOL_SOCKET, SO_REUSEADDR, "reuseaddr"}, {SOL_SOCKET, SO_KEEPALIVE, "keepalive"},
		{SOL_SOCKET, SO_BROADCAST, "broadcast"}, {SOL_SOCKET, SO_OOBINLINE, "oobinline"}, {SOL_SOCKET, SO_ACCEPTCONN, "acceptconn"}, {SOL_SOCKET, SO_DOMAIN, "domain"},
		{SOL_SOCKET, SO_PROTOCOL, "protocol"}, {SOL_SOCKET, SO_SNDBUF, "sndbuf"}, {SOL_SOCKET, SO_RCVBUF, "rcvbuf"}, {SOL_SOCKET, SO_RCVLOWAT, "rcvlowat"}, {SOL_SOCKET, SO_SNDLOWAT, "sndlowat"},
		{SOL_SOCKET, SO_LINGER, "linger"}, {SOL_SOCKET, SO_RCVTIMEO, "rcvtimeo"}, {SOL_SOCKET, SO_PEERCRED, "peercred"}, {SOL_SOCKET, SO_PRIORITY, "priority"}, {SOL_SOCKET, SO_DEBUG, "debug"}, {SOL_SOCKET, SO_DONTROUTE, "dontroute"},
		{SOL_SOCKET, SO_TIMESTAMP, "timestamp"}, {SOL_SOCKET, SO_PEERNAME, "peername"}, {SOL_SOCKET, SO_NO_CHECK, "no_check"}, {SOL_SOCKET, SO_MARK, "mark"},
		{SOL_SOCKET, SO_BINDTODEVICE, "bindtodevice"}, {SOL_SOCKET, 9999, "9999"}, {IPPROTO_TCP, TCP_NODELAY, "nodelay"}, {IPPROTO_TCP, TCP_CORK, "cork"}, {IPPROTO_TCP, TCP_KEEPIDLE, "keepidle"}, {IPPROTO_TCP, TCP_KEEPINTVL, "keepintvl"},
		{IPPROTO_TCP, TCP_KEEPCNT, "keepcnt"}, {IPPROTO_TCP, TCP_SYNCNT, "syncnt"}, {IPPROTO_TCP, TCP_LINGER2, "linger2"}, {IPPROTO_TCP, TCP_DEFER_ACCEPT, "defer"}, {IPPROTO_TCP, TCP_USER_TIMEOUT, "user_timeout"}, {IPPROTO_TCP, TCP_QUICKACK, "quickack"},
		{IPPROTO_IP, IP_TOS, "tos"}, {IPPROTO_IP, IP_TTL, "ttl"}, {IPPROTO_IP, IP_MULTICAST_TTL, "multicast_ttl"}, {IPPROTO_IP, IP_MULTICAST_LOOP, "multicast_loop"}, {IPPROTO_IP, IP_PKTINFO, "pktinfo"}, {IPPROTO_IP, IP_RECVTTL, "recvttl"},
		{IPPROTO_IP, IP_RECVERR, "recverr"}, {IPPROTO_IP, IP_MTU_DISCOVER, "mtu_discover"}, {IPPROTO_IP, IP_FREEBIND, "freebind"}, {IPPROTO_IP, 9999, "ip 9999"}, {IPPROTO_TCP, 9999, "tcp 9999"}, {99, 1, "level 99"},
	};
	int fd = any_fd(), k = below(sizeof all / sizeof *all);
	char v[64];
	if (seldom(8)) {
		// only AF_UNIX has it on newer kernels
		int domain = 0, one = below(2);
		socklen_t size = sizeof domain;
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
		if (domain == AF_UNIX) {
			say(" passcred(%d, %d)", fd, one);
			sys(SYS_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, &one, 4);
		}
		return;
	}
	socklen_t n = ONE(4, 4, 4, 8, 16, 1, 0, 64, -1);
	memset(v, 0, sizeof v);
	if (below(2)) {
		int x = ONE(0, 1, 1, 2, 64, 255, 256, 5000, -1, 1 << 20);
		memcpy(v, &x, 4);
		if (n > 64) n = 64;
		// the device is there or not, a privilege of some kernels
		if (all[k].name == SO_RCVTIMEO) x = 0, memcpy(v, &x, 4);
		say(" setsockopt(%d, %s, %d, %d)", fd, all[k].what, x, (int)n);
		sys(SYS_setsockopt, fd, all[k].level, all[k].name, v, n);
		return;
	}
	say(" getsockopt(%d, %s, %d)", fd, all[k].what, (int)n);
	if ((int)n > 64) n = 64;
	if (sys(SYS_getsockopt, fd, all[k].level, all[k].name, v, &n) == 0) {
		say(" %u", n);
		if (all[k].name == SO_PEERCRED && all[k].level == SOL_SOCKET && n == 12) say(" uid %d gid %d", ((int *)v)[1], ((int *)v)[2]);
		// their sizes are the host's
		else if (!(all[k].level == SOL_SOCKET && (all[k].name == SO_SNDBUF || all[k].name == SO_RCVBUF || all[k].name == SO_PEERNAME || all[k].name == SO_PEERCRED))) for (unsigned i = 0; i < n && i < 16; i++) say("%s%02x", i ? "" : " ", (unsigned char)v[i]);
	}
}

static void state(void) {
	union address a;
	int fd = any_fd();
	socklen_t n = ONE(sizeof a, sizeof a, 2, 0, 5, -1);
	memset(&a, 0x55, sizeof a);
	switch (below(8)) {
	case 0: case 1: {
		bool peer = below(2);
		say(" get%sname(%d, %d)", peer ? "peer" : "sock", fd, (int)n);
		if (sys(peer ? SYS_getpeername : SYS_getsockname, fd, &a, &n) == 0) {
			if (n >= 2 && a.any.sa_family < 3) say_address(&a, n);
			else say(" %u", n);
		}
		break;
	}
	case 2: {
		int how = ONE(0, 1, 2, 2, 3, -1);
		say(" shutdown(%d, %d)", fd, how);
		sys(SYS_shutdown, fd, how);
		break;
	}
	case 3: case 4: {
		struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND, 0};
		say(" poll(%d)", fd);
		sys(SYS_poll, &p, 1L, 0);
		say(" %x", p.revents);
		break;
	}
	case 5: {
		int v = -1, c = ONE(FIONREAD, 0x5411 /* SIOCOUTQ */);
		say(" ioctl(%d, %x)", fd, c);
		if (sys(SYS_ioctl, fd, c, &v) == 0 && c != 0x5411) say(" %d", v);
		break;
	}
	case 6:
		say(" close(%d)", fd);
		sys(SYS_close, fd == CONTROL ? -1 : fd);
		break;
	case 7:
		if (below(2)) {
			const char *p = WORD("s", "t", "u");
			say(" unlink(%s)", p);
			sys(SYS_unlink, p);
		} else {
			struct stat st;
			say(" fstat(%d)", fd);
			if (sys(SYS_fstat, fd, &st) == 0 && S_ISSOCK(st.st_mode)) say(" %o %u:%u %ld", st.st_mode, st.st_uid, st.st_gid, (long)st.st_nlink);
		}
		break;
	}
}

void step_sockets(void) {
	// what goes over loopback arrives when the kernel has time
	struct timespec tick = {0, 1000000};
	switch (below(16)) {
	case 0: case 1: case 2: make(); break;
	case 3: case 4: case 5: case 6: connect_them(); break;
	case 7: case 8: case 9: case 10: talk(); break;
	case 11: case 12: options(); break;
	default: state(); break;
	}
	nanosleep(&tick, 0);
}
