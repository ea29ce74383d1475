// Internet sockets over loopback: TCP with poll, half close and reset, UDP, errors, names, options.
#include "guest.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
static struct sockaddr_in at(int port) {
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}
static int port_of(int fd) {
	struct sockaddr_in a;
	socklen_t l = sizeof a;
	getsockname(fd, (void *)&a, &l);
	return ntohs(a.sin_port);
}
static int ready(int fd, int events, int ms) {
	struct pollfd p = {fd, events, 0};
	return poll(&p, 1, ms) < 0 ? -1 : p.revents;
}
int main(int argc, char **argv) {
	if (argc > 1) {
		struct sockaddr_in a = at(atoi(argv[1]));
		char b[64];
		int c = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(c, (void *)&a, sizeof a)) return 1;
		int n = read(c, b, sizeof b);
		for (int i = 0; i < n; i++) b[i] ^= 32;
		write(c, b, n);
		shutdown(c, SHUT_WR);
		n = read(c, b, sizeof b);
		return n;
	}
	setvbuf(stdout, 0, _IONBF, 0);
	// loopback comes up, as an init would have done
	int ctl = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ifr = {0};
	strcpy(ifr.ifr_name, "lo");
	ioctl(ctl, SIOCGIFFLAGS, &ifr);
	if (!(ifr.ifr_flags & IFF_UP)) {
		ifr.ifr_flags |= IFF_UP;
		ioctl(ctl, SIOCSIFFLAGS, &ifr);
	}
	SHOW(ioctl(ctl, SIOCGIFADDR, &ifr));
	printf("%s\n", inet_ntoa(((struct sockaddr_in *)&ifr.ifr_addr)->sin_addr));
	SHOW(ioctl(ctl, SIOCGIFNETMASK, &ifr));
	printf("%s\n", inet_ntoa(((struct sockaddr_in *)&ifr.ifr_addr)->sin_addr));
	SHOW(ioctl(ctl, SIOCGIFINDEX, &ifr));
	strcpy(ifr.ifr_name, "none0");
	SHOW(ioctl(ctl, SIOCGIFFLAGS, &ifr));

	int st, s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, v;
	socklen_t l = sizeof v;
	struct sockaddr_in a = at(0), peer;
	char b[256], arg[16];
	SHOW(ready(s, POLLIN | POLLOUT, 0));
	SHOW(accept(s, 0, 0));
	SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
	SHOW(bind(s, (void *)&a, sizeof a));
	SHOW(bind(s, (void *)&a, sizeof a));
	SHOW(listen(s, 4));
	SHOW(ready(s, POLLIN, 0));
	int port = port_of(s);
	printf("port %d\n", port > 1023);
	sprintf(arg, "%d", port);
	pid_t pid = respawn(arg);
	SHOW(ready(s, POLLIN, 5000));
	l = sizeof peer;
	int c = accept4(s, (void *)&peer, &l, SOCK_CLOEXEC);
	printf("accepted %d %s %d\n", c >= 0, inet_ntoa(peer.sin_addr), l);
	SHOW(send(c, "hello", 5, MSG_NOSIGNAL));
	SHOW(recv(c, b, sizeof b, 0));
	printf("%.5s\n", b);
	SHOW(recv(c, b, sizeof b, 0));
	SHOW(write(c, "bye", 3));
	close(c);
	waitpid(pid, &st, 0);
	show_status("client", st);

	// both ends here
	int d = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	a = at(port);
	int r = connect(d, (void *)&a, sizeof a);
	printf("connect %s\n", r == 0 || errno == EINPROGRESS ? "begun" : ename(errno));
	SHOW(ready(d, POLLOUT, 1000));
	l = sizeof v;
	SHOW(getsockopt(d, SOL_SOCKET, SO_ERROR, &v, &l));
	printf("%d\n", v);
	c = accept(s, 0, 0);
	SHOW(recv(d, b, 10, 0));
	write(c, "0123456789", 10);
	ready(d, POLLIN, 1000);
	SHOW(recv(d, b, 4, MSG_PEEK));
	SHOW(ioctl(d, FIONREAD, &v));
	printf("%d\n", v);
	SHOW(recv(d, b, 4, 0));
	SHOW(getpeername(d, (void *)&peer, &l));
	l = sizeof v;
	SHOW(getsockopt(d, IPPROTO_TCP, TCP_NODELAY, &v, &l));
	SHOW(setsockopt(d, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
	SHOW(getsockopt(d, IPPROTO_TCP, TCP_NODELAY, &v, &l));
	printf("%d\n", v != 0);
	SHOW(getsockopt(d, SOL_SOCKET, SO_TYPE, &v, &l));
	printf("%d\n", v);
	SHOW(setsockopt(d, SOL_SOCKET, 9999, &v, sizeof v));
	// six bytes unread: a reset
	close(d);
	ready(c, POLLIN, 1000);
	SHOW(recv(c, b, 10, 0));
	SHOW(send(c, "x", 1, MSG_NOSIGNAL));
	close(c);
	struct timeval tv = {0, 50000};
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	SHOW(accept(s, 0, 0));
	close(s);
	d = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(d, (void *)&a, sizeof a));
	SHOW(send(d, "x", 1, MSG_NOSIGNAL));
	SHOW(recv(d, b, 1, 0));
	SHOW(shutdown(d, SHUT_RDWR));
	SHOW(getpeername(d, (void *)&peer, &l));

	// datagrams
	int u = socket(AF_INET, SOCK_DGRAM, 0), w = socket(AF_INET, SOCK_DGRAM, 0);
	a = at(0);
	SHOW(bind(u, (void *)&a, sizeof a));
	a = at(port_of(u));
	SHOW(send(w, "x", 1, 0));
	SHOW(sendto(w, "one", 3, 0, (void *)&a, sizeof a));
	SHOW(sendto(w, "twotwo", 6, 0, (void *)&a, sizeof a));
	SHOW(sendto(w, "", 0, 0, (void *)&a, sizeof a));
	l = sizeof peer;
	SHOW(recvfrom(u, b, sizeof b, 0, (void *)&peer, &l));
	printf("from the right port %d\n", ntohs(peer.sin_port) == port_of(w));
	SHOW(recv(u, b, 3, MSG_TRUNC));
	SHOW(recv(u, b, 3, 0));
	SHOW(recv(u, b, 3, MSG_DONTWAIT));
	SHOW(connect(w, (void *)&a, sizeof a));
	close(u);
	SHOW(send(w, "lost", 4, 0));
	SHOW(send(w, "lost", 4, 0));
	SHOW(recv(w, b, 1, MSG_DONTWAIT));
	static char big[70000];
	SHOW(send(w, big, sizeof big, 0));
	a.sin_family = 77;
	SHOW(connect(w, (void *)&a, sizeof a));
	SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	SHOW(socket(AF_INET, 77, 0));
	SHOW(socket(77, SOCK_STREAM, 0));
	SHOW(getsockopt(0, SOL_SOCKET, SO_TYPE, &v, &l));
	return 0;
}
