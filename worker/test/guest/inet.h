// inet.h — what the programs about TCP and UDP share: rcv.h, an address, what poll says of a socket at once.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include "rcv.h"
static inline struct sockaddr_in A(int port, unsigned a) {
	struct sockaddr_in s = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(a)};
	return s;
}
static inline int P(int fd, int ev) {
	struct pollfd p = {fd, ev, 0};
	poll(&p, 1, 0);
	return p.revents;
}
