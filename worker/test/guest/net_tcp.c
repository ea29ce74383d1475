// TCP in detail: a connect that does not wait, options as nobody set them, urgent data, states after the end, TIME_WAIT.
#include "guest.h"
#include "inet.h"
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <linux/sockios.h>
#define GS(l,o) gs(s,l,o,#o)
static void gs(int fd, int l, int o, const char*n) {
	int v[8] = {-1, -1};
	socklen_t s = sizeof v;
	int r = getsockopt(fd, l, o, v, &s);
	printf("%s: %s len %d val %d\n", n, r<0?ename(errno):"ok", r<0?-1:(int)s, r<0?-1:v[0]);
}
int main(void) {
	setvbuf(stdout, 0, _IOLBF, 0);
	lo_up();
	signal(SIGPIPE, SIG_IGN);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = A(0, INADDR_LOOPBACK);
	socklen_t sl = sizeof a;
	SHOW(listen(l, 1));
	{
		struct sockaddr_in x;
		socklen_t n = sizeof x;
		SHOW(getsockname(l, (void*)&x, &n));
		printf("any %d port nonzero %d\n", x.sin_addr.s_addr==0, x.sin_port!=0);
	}
	close(l);
	l = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(bind(l, (void*)&a, 4));
	SHOW(bind(l, (void*)&a, sizeof a));
	SHOW(bind(l, (void*)&a, sizeof a));
	SHOW(accept(l, 0, 0));
	SHOW(listen(l, 2));
	getsockname(l, (void*)&a, &sl);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(P(s, POLLIN|POLLOUT));
	SHOW(send(s, "x", 1, 0));
	SHOW(recv(s, &sl, 1, 0));
	SHOW(getpeername(s, (void*)&a, &sl));
	fcntl(s, F_SETFL, O_NONBLOCK);
	SHOW(connect(s, (void*)&a, sizeof a));
	SHOW(P(s, POLLOUT));
	SHOW(connect(s, (void*)&a, sizeof a));
	SHOW(connect(s, (void*)&a, sizeof a));
	int c = accept(l, 0, 0);
	fcntl(s, F_SETFL, 0);
	GS(SOL_SOCKET, SO_ERROR);
	GS(SOL_SOCKET, SO_TYPE);
	GS(SOL_SOCKET, SO_REUSEADDR);
	GS(SOL_SOCKET, SO_KEEPALIVE);
	GS(SOL_SOCKET, SO_LINGER);
	GS(SOL_SOCKET, SO_OOBINLINE);
	GS(SOL_SOCKET, SO_RCVLOWAT);
	GS(SOL_SOCKET, SO_ACCEPTCONN);
	GS(SOL_SOCKET, SO_DOMAIN);
	GS(SOL_SOCKET, SO_PROTOCOL);
	GS(SOL_SOCKET, SO_BROADCAST);
	GS(SOL_SOCKET, SO_PRIORITY);
	GS(SOL_SOCKET, SO_MARK);
	GS(SOL_SOCKET, SO_BUSY_POLL);
	GS(SOL_SOCKET, SO_TIMESTAMP);
	GS(SOL_SOCKET, SO_TIMESTAMPING);
	GS(SOL_SOCKET, SO_LOCK_FILTER);
	GS(SOL_SOCKET, SO_PEERCRED);
	GS(SOL_SOCKET, SO_RXQ_OVFL);
	GS(SOL_SOCKET, SO_SELECT_ERR_QUEUE);
	GS(SOL_SOCKET, SO_MAX_PACING_RATE);
	GS(SOL_SOCKET, SO_PEERSEC);
	GS(SOL_SOCKET, SO_PEERNAME);
	GS(SOL_SOCKET, SO_WIFI_STATUS);
	GS(SOL_SOCKET, SO_NOFCS);
	GS(SOL_SOCKET, SO_PEERGROUPS);
	GS(SOL_SOCKET, SO_MEMINFO);
	GS(SOL_SOCKET, SO_RCVTIMEO);
	GS(SOL_SOCKET, SO_BINDTODEVICE);
	GS(SOL_SOCKET, SO_NO_CHECK);
	GS(SOL_SOCKET, 9999);
	GS(IPPROTO_TCP, TCP_NODELAY);
	GS(IPPROTO_TCP, TCP_CORK);
	GS(IPPROTO_TCP, TCP_KEEPIDLE);
	GS(IPPROTO_TCP, TCP_KEEPINTVL);
	GS(IPPROTO_TCP, TCP_KEEPCNT);
	GS(IPPROTO_TCP, TCP_SYNCNT);
	GS(IPPROTO_TCP, TCP_LINGER2);
	GS(IPPROTO_TCP, TCP_DEFER_ACCEPT);
	GS(IPPROTO_TCP, TCP_WINDOW_CLAMP);
	GS(IPPROTO_TCP, TCP_QUICKACK);
	GS(IPPROTO_TCP, TCP_USER_TIMEOUT);
	GS(IPPROTO_TCP, TCP_FASTOPEN);
	GS(IPPROTO_TCP, TCP_TIMESTAMP+1000);
	{
		char n[16] = {0};
		socklen_t q = 16;
		int r = getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, n, &q);
		printf("cong %d %d\n", r, (int)q);
	}
	GS(IPPROTO_IP, IP_TOS);
	GS(IPPROTO_IP, IP_TTL);
	GS(IPPROTO_IP, IP_MTU_DISCOVER);
	GS(IPPROTO_IP, IP_MTU);
	GS(IPPROTO_IP, IP_RECVERR);
	GS(IPPROTO_IP, IP_PKTINFO);
	GS(IPPROTO_IP, IP_FREEBIND);
	GS(IPPROTO_IP, IP_TRANSPARENT);
	GS(IPPROTO_IP, IP_MULTICAST_TTL);
	GS(IPPROTO_IP, IP_MULTICAST_LOOP);
	GS(IPPROTO_IP, IP_HDRINCL);
	GS(IPPROTO_IP, IP_OPTIONS);
	GS(IPPROTO_IP, IP_MINTTL);
	GS(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	GS(IPPROTO_IP, IP_RECVTOS);
	GS(IPPROTO_IP, IP_RECVTTL);
	GS(IPPROTO_IP, IP_RECVOPTS);
	GS(IPPROTO_IP, IP_RETOPTS);
	GS(IPPROTO_IP, IP_UNICAST_IF);
	int v = 1;
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &v, 1));
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &v, 4));
	GS(IPPROTO_TCP, TCP_NODELAY);
	v = 7;
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_CORK, &v, 4));
	GS(IPPROTO_TCP, TCP_CORK);
	v = 0;
	setsockopt(s, IPPROTO_TCP, TCP_CORK, &v, 4);
	v = 100000;
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, &v, 4));
	v = 50;
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, &v, 4));
	GS(IPPROTO_TCP, TCP_KEEPIDLE);
	v = 200;
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_KEEPCNT, &v, 4));
	v = -1;
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_MAXSEG, &v, 4));
	v = 10;
	SHOW(setsockopt(s, IPPROTO_TCP, TCP_MAXSEG, &v, 4));
	v = 256;
	SHOW(setsockopt(s, IPPROTO_IP, IP_TTL, &v, 4));
	v = 0;
	SHOW(setsockopt(s, IPPROTO_IP, IP_TTL, &v, 4));
	v = 0xb8;
	SHOW(setsockopt(s, IPPROTO_IP, IP_TOS, &v, 4));
	GS(IPPROTO_IP, IP_TOS);
	SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, (socklen_t*)8));
	{
		socklen_t q = 2;
		v = 0;
		SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &q));
		printf("%d %d\n", v, (int)q);
		q = -1;
		SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &q));
	}
	SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, 2));
	SHOW(setsockopt(s, 99, 1, &v, 4));
	SHOW(getsockopt(s, 99, 1, &v, &sl));
	// data
	char b[64];
	SHOW(send(s, "hello", 5, 0));
	SHOW(P(c, POLLIN|POLLOUT|POLLRDHUP|POLLPRI));
	SHOW(recv(c, b, 2, MSG_PEEK));
	SHOW(recv(c, b, 64, MSG_DONTWAIT));
	SHOW(recv(c, b, 64, MSG_DONTWAIT));
	SHOW(send(s, "ab!", 3, MSG_OOB));
	SHOW(P(c, POLLIN|POLLPRI));
	SHOW(ioctl(c, SIOCATMARK, &v));
	printf("mark %d\n", v);
	SHOW(recv(c, b, 64, 0));
	SHOW(ioctl(c, SIOCATMARK, &v));
	printf("mark %d\n", v);
	SHOW(recv(c, b, 64, MSG_OOB));
	printf("%c\n", b[0]);
	SHOW(recv(c, b, 64, MSG_OOB));
	SHOW(P(c, POLLIN|POLLPRI));
	SHOW(recv(c, b, 64, MSG_DONTWAIT));
	SHOW(send(s, "x", 1, MSG_OOB));
	v = 1;
	setsockopt(c, SOL_SOCKET, SO_OOBINLINE, &v, 4);
	SHOW(recv(c, b, 64, MSG_DONTWAIT));
	SHOW(recv(c, b, 4, MSG_OOB));
	SHOW(send(s, "12345", 5, 0));
	v = 0;
	SHOW(ioctl(c, FIONREAD, &v));
	printf("n %d\n", v);
	SHOW(ioctl(s, SIOCOUTQ, &v));
	SHOW(recv(c, b, 3, MSG_TRUNC));
	SHOW(recv(c, b, 64, 0));
	SHOW(shutdown(s, 3));
	SHOW(shutdown(s, SHUT_WR));
	SHOW(P(s, POLLIN|POLLOUT|POLLRDHUP));
	SHOW(P(c, POLLIN|POLLOUT|POLLRDHUP));
	SHOW(send(s, "x", 1, 0));
	SHOW(recv(c, b, 1, 0));
	SHOW(send(c, "y", 1, 0));
	SHOW(recv(s, b, 1, 0));
	SHOW(shutdown(c, SHUT_RDWR));
	SHOW(P(s, POLLIN|POLLOUT|POLLRDHUP));
	SHOW(P(c, POLLIN|POLLOUT|POLLRDHUP));
	SHOW(shutdown(s, SHUT_RD));
	SHOW(shutdown(c, SHUT_WR));
	SHOW(recv(s, b, 1, 0));
	SHOW(getpeername(s, (void*)&a, &sl));
	{
		struct tcp_info ti;
		socklen_t q = sizeof ti;
		getsockopt(s, IPPROTO_TCP, TCP_INFO, &ti, &q);
		printf("state s %d\n", ti.tcpi_state);
		q = sizeof ti;
		getsockopt(c, IPPROTO_TCP, TCP_INFO, &ti, &q);
		printf("state c %d\n", ti.tcpi_state);
	}
	close(s);
	close(c);
	// refused
	sl = sizeof a;
	getsockname(l, (void*)&a, &sl);
	{
		int t = socket(AF_INET, SOCK_STREAM, 0);
		int k = socket(AF_INET, SOCK_STREAM, 0);
		struct sockaddr_in z = A(0, INADDR_LOOPBACK);
		bind(k, (void*)&z, sizeof z);
		socklen_t q = sizeof z;
		getsockname(k, (void*)&z, &q);
		SHOW(connect(t, (void*)&z, sizeof z));
		SHOW(P(t, POLLIN|POLLOUT));
		SHOW(connect(t, (void*)&z, sizeof z));
		gs(t, SOL_SOCKET, SO_ERROR, "err");
		fcntl(t, F_SETFL, O_NONBLOCK);
		SHOW(connect(t, (void*)&z, sizeof z));
		SHOW(P(t, POLLIN|POLLOUT));
		gs(t, SOL_SOCKET, SO_ERROR, "err");
		gs(t, SOL_SOCKET, SO_ERROR, "err");
		close(t);
		t = socket(AF_INET, SOCK_STREAM, 0);
		SHOW(bind(t, (void*)&z, sizeof z));
		SHOW(connect(k, (void*)&a, sizeof a));
		close(k);
		SHOW(bind(t, (void*)&z, sizeof z));
		close(t);
	}
	// RST: close with unread data
	s = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(s, (void*)&a, sizeof a));
	c = accept(l, 0, 0);
	c = accept(l, 0, 0);
	send(s, "zz", 2, 0);
	close(c);
	SHOW(P(s, POLLIN|POLLOUT|POLLRDHUP));
	SHOW(recv(s, b, 4, 0));
	SHOW(recv(s, b, 4, 0));
	SHOW(send(s, "x", 1, 0));
	close(s);
	// linger 0
	s = socket(AF_INET, SOCK_STREAM, 0);
	connect(s, (void*)&a, sizeof a);
	c = accept(l, 0, 0);
	{
		struct linger lg = {1, 0};
		setsockopt(c, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
	}
	close(c);
	SHOW(send(s, "x", 1, 0));
	SHOW(recv(s, b, 4, 0));
	SHOW(recv(s, b, 4, 0));
	close(s);
	// peer closed, then write twice
	s = socket(AF_INET, SOCK_STREAM, 0);
	connect(s, (void*)&a, sizeof a);
	c = accept(l, 0, 0);
	close(c);
	SHOW(recv(s, b, 4, 0));
	SHOW(send(s, "x", 1, 0));
	SHOW(P(s, POLLIN|POLLOUT|POLLRDHUP));
	SHOW(send(s, "x", 1, 0));
	SHOW(recv(s, b, 4, 0));
	close(s);
	// TIME_WAIT: server closes first, then binds again
	struct sockaddr_in w = A(0, INADDR_LOOPBACK);
	int ws = socket(AF_INET, SOCK_STREAM, 0);
	bind(ws, (void*)&w, sizeof w);
	sl = sizeof w;
	getsockname(ws, (void*)&w, &sl);
	listen(ws, 1);
	s = socket(AF_INET, SOCK_STREAM, 0);
	connect(s, (void*)&w, sizeof w);
	c = accept(ws, 0, 0);
	close(c);
	recv(s, b, 1, 0);
	close(s);
	close(ws);
	ws = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(bind(ws, (void*)&w, sizeof w));
	v = 1;
	setsockopt(ws, SOL_SOCKET, SO_REUSEADDR, &v, 4);
	SHOW(bind(ws, (void*)&w, sizeof w));
	SHOW(listen(ws, 1));
	close(ws);
	// families
	SHOW(socket(AF_INET, SOCK_SEQPACKET, 0));
	SHOW(socket(AF_INET, SOCK_STREAM, 17));
	SHOW(socket(99, 1, 0));
	SHOW(socket(AF_INET, 99, 0));
	SHOW(socket(AF_INET, SOCK_STREAM|0x100000, 0));
	struct sockaddr_in un = A(80, 0x01020304);
	s = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(bind(s, (void*)&un, sizeof un));
	un.sin_family = AF_UNIX;
	SHOW(bind(s, (void*)&un, sizeof un));
	SHOW(connect(s, (void*)&un, sizeof un));
	// broadcast connect
	{
		struct sockaddr_in z = A(a.sin_port, INADDR_BROADCAST);
		SHOW(connect(s, (void*)&z, sizeof z));
		z = A(0, INADDR_LOOPBACK);
		SHOW(connect(s, (void*)&z, sizeof z));
	}
	return 0;
}
