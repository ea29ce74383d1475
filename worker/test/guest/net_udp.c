// UDP in detail: sizes, truncation, what IP adds to a message, refused datagrams, dissolving a connection, shared ports, multicast groups.
#include "guest.h"
#include "inet.h"
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
int main(void) {
	setvbuf(stdout, 0, _IOLBF, 0);
	lo_up();
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in x = A(0, INADDR_LOOPBACK), y = x, z;
	socklen_t n = sizeof x;
	SHOW(send(a, "x", 1, 0));
	SHOW(getpeername(a, (void*)&z, &n));
	SHOW(P(a, POLLIN|POLLOUT));
	SHOW(shutdown(a, SHUT_RD));
	SHOW(listen(a, 1));
	SHOW(accept(a, 0, 0));
	bind(a, (void*)&x, sizeof x);
	n = sizeof x;
	getsockname(a, (void*)&x, &n);
	bind(b, (void*)&y, sizeof y);
	n = sizeof y;
	getsockname(b, (void*)&y, &n);
	char buf[70000];
	SHOW(sendto(a, "hello", 5, 0, (void*)&y, sizeof y));
	SHOW(sendto(a, "", 0, 0, (void*)&y, sizeof y));
	SHOW(sendto(a, "abc", 3, 0, (void*)&y, 8));
	SHOW(sendto(a, buf, 65507, 0, (void*)&y, sizeof y));
	SHOW(sendto(a, buf, 65508, 0, (void*)&y, sizeof y));
	SHOW(sendto(a, buf, 65536, 0, (void*)&y, sizeof y));
	int v;
	SHOW(ioctl(b, FIONREAD, &v));
	printf("%d\n", v);
	n = sizeof z;
	SHOW(recvfrom(b, buf, 2, MSG_PEEK|MSG_TRUNC, (void*)&z, &n));
	printf("from %d len %d\n", z.sin_port==x.sin_port, n);
	struct iovec io = {buf, 3};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_name = &z, .msg_namelen = 4};
	SHOW(recvmsg(b, &m, 0));
	printf("flags %x namelen %d\n", m.msg_flags, m.msg_namelen);
	SHOW(ioctl(b, FIONREAD, &v));
	printf("%d\n", v);
	SHOW(P(b, POLLIN));
	SHOW(recv(b, buf, 10, 0));
	SHOW(recv(b, buf, 70000, 0));
	SHOW(recv(b, buf, 10, MSG_DONTWAIT));
	v = 1;
	SHOW(setsockopt(b, IPPROTO_IP, IP_PKTINFO, &v, 4));
	SHOW(setsockopt(b, IPPROTO_IP, IP_RECVTTL, &v, 4));
	SHOW(setsockopt(b, IPPROTO_IP, IP_RECVTOS, &v, 4));
	SHOW(setsockopt(b, SOL_SOCKET, SO_TIMESTAMP, &v, 4));
	sendto(a, "q", 1, 0, (void*)&y, sizeof y);
	char ctl[512];
	m.msg_control = ctl;
	m.msg_controllen = sizeof ctl;
	m.msg_namelen = sizeof z;
	SHOW(recvmsg(b, &m, 0));
	for (struct cmsghdr*c = CMSG_FIRSTHDR(&m);c;c = CMSG_NXTHDR(&m, c)) {
		printf("cmsg %d %d %d", c->cmsg_level, c->cmsg_type, (int)c->cmsg_len);
		if (c->cmsg_type==IP_PKTINFO&&c->cmsg_level==0) {
			struct in_pktinfo*p = (void*)CMSG_DATA(c);
			printf(" if %d spec %x dst %x", p->ipi_ifindex, ntohl(p->ipi_spec_dst.s_addr), ntohl(p->ipi_addr.s_addr));
		}
		if (c->cmsg_type==IP_TTL)printf(" ttl %d", *(int*)CMSG_DATA(c));
		puts("");
	}
	m.msg_controllen = 10;
	sendto(a, "q", 1, 0, (void*)&y, sizeof y);
	SHOW(recvmsg(b, &m, 0));
	printf("flags %x clen %d\n", m.msg_flags, (int)m.msg_controllen);
	// connect
	SHOW(connect(a, (void*)&y, sizeof y));
	SHOW(send(a, "c", 1, 0));
	SHOW(recv(b, buf, 9, 0));
	struct sockaddr_in w = A(1, INADDR_LOOPBACK);
	SHOW(sendto(a, "d", 1, 0, (void*)&w, sizeof w));
	SHOW(recv(b, buf, 9, MSG_DONTWAIT));
	int d = socket(AF_INET, SOCK_DGRAM, 0);
	SHOW(sendto(d, "no", 2, 0, (void*)&x, sizeof x));
	SHOW(recv(a, buf, 9, MSG_DONTWAIT));
	close(b);
	SHOW(send(a, "e", 1, 0));
	SHOW(P(a, POLLIN|POLLOUT));
	SHOW(recv(a, buf, 9, MSG_DONTWAIT));
	SHOW(recv(a, buf, 9, MSG_DONTWAIT));
	SHOW(send(a, "e", 1, 0));
	SHOW(send(a, "e", 1, 0));
	{
		int e = 0;
		socklen_t q = 4;
		getsockopt(a, SOL_SOCKET, SO_ERROR, &e, &q);
		printf("%s\n", ename(e));
	}
	struct sockaddr un = {AF_UNSPEC};
	SHOW(connect(a, &un, sizeof un));
	n = sizeof z;
	SHOW(getpeername(a, (void*)&z, &n));
	SHOW(getsockname(a, (void*)&z, &n));
	printf("port kept %d addr kept %d\n", z.sin_port==x.sin_port, z.sin_addr.s_addr==x.sin_addr.s_addr);
	struct sockaddr_in bc = A(9999, INADDR_BROADCAST);
	SHOW(sendto(a, "b", 1, 0, (void*)&bc, sizeof bc));
	struct sockaddr_in p0 = A(0, INADDR_LOOPBACK);
	SHOW(sendto(a, "b", 1, 0, (void*)&p0, sizeof p0));
	SHOW(connect(d, (void*)&p0, sizeof p0));
	// reuse
	int r1 = socket(AF_INET, SOCK_DGRAM, 0), r2 = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in r = A(0, INADDR_ANY);
	bind(r1, (void*)&r, sizeof r);
	n = sizeof r;
	getsockname(r1, (void*)&r, &n);
	SHOW(bind(r2, (void*)&r, sizeof r));
	v = 1;
	setsockopt(r1, SOL_SOCKET, SO_REUSEADDR, &v, 4);
	SHOW(bind(r2, (void*)&r, sizeof r));
	setsockopt(r2, SOL_SOCKET, SO_REUSEADDR, &v, 4);
	SHOW(bind(r2, (void*)&r, sizeof r));
	struct sockaddr_in rr = A(ntohs(r.sin_port), INADDR_LOOPBACK);
	SHOW(sendto(d, "1", 1, 0, (void*)&rr, sizeof rr));
	SHOW(recv(r1, buf, 9, MSG_DONTWAIT));
	SHOW(recv(r2, buf, 9, MSG_DONTWAIT));
	// sendmmsg
	struct mmsghdr mm[3];
	struct iovec iv[3];
	memset(mm, 0, sizeof mm);
	for (int i = 0;i<3;i++) {
		iv[i].iov_base = "mmm";
		iv[i].iov_len = i+1;
		mm[i].msg_hdr.msg_iov = &iv[i];
		mm[i].msg_hdr.msg_iovlen = 1;
		mm[i].msg_hdr.msg_name = &rr;
		mm[i].msg_hdr.msg_namelen = sizeof rr;
	}
	SHOW(sendmmsg(d, mm, 3, 0));
	printf("%d %d %d\n", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
	for (int i = 0;i<3;i++)iv[i].iov_base = buf+i*10, iv[i].iov_len = 10;
	SHOW(recvmmsg(r2, mm, 3, MSG_DONTWAIT, 0));
	SHOW(recvmmsg(r2, mm, 3, MSG_DONTWAIT, 0));
	// multicast
	struct ip_mreq mr = {.imr_multiaddr.s_addr = inet_addr("224.0.0.5"), .imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
	SHOW(setsockopt(r1, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mr, sizeof mr));
	SHOW(setsockopt(r1, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mr, sizeof mr));
	SHOW(setsockopt(r1, IPPROTO_IP, IP_DROP_MEMBERSHIP, &mr, sizeof mr));
	SHOW(setsockopt(r1, IPPROTO_IP, IP_DROP_MEMBERSHIP, &mr, sizeof mr));
	return 0;
}
