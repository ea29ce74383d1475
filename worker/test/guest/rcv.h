// rcv.h — receives that wait a moment and never for ever.
#pragma once
#include <sys/socket.h>
#include <poll.h>
static ssize_t rcv_(int f,void*b,size_t n,int g){struct pollfd p={f,POLLIN|POLLPRI|POLLRDHUP,0};poll(&p,1,100);return recv(f,b,n,g|MSG_DONTWAIT);}
static ssize_t rcvm_(int f,struct msghdr*m,int g){struct pollfd p={f,POLLIN|POLLPRI|POLLRDHUP,0};poll(&p,1,100);return recvmsg(f,m,g|MSG_DONTWAIT);}
#define recv(a,b,c,d) rcv_(a,b,c,d)
#define recvmsg(a,b,c) rcvm_(a,b,c)
#define connect(a,b,c) ({int fl_=fcntl(a,F_GETFL);(void)fl_;alarm(5);int r_=connect(a,b,c);int e_=errno;alarm(0);errno=e_;r_;})
#include <net/if.h>
#include <sys/ioctl.h>
/** Loopback comes up, as an init would have done. */
static inline void lo_up(void) {
	struct ifreq ifr = {0};
	int ctl = socket(AF_INET, SOCK_DGRAM, 0);
	strcpy(ifr.ifr_name, "lo");
	ioctl(ctl, SIOCGIFFLAGS, &ifr);
	if (!(ifr.ifr_flags & IFF_UP)) {
		ifr.ifr_flags |= IFF_UP;
		ioctl(ctl, SIOCSIFFLAGS, &ifr);
	}
	close(ctl);
}
