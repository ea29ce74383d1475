// Code that system calls put there: whatever a call writes into a program's memory can be executed next, and not what was there before.
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
typedef int (*fn)(void);
static unsigned char *p;
/** push k; pop rax; ret: four bytes without a zero or a slash, which may be a name */
static unsigned char code[] = {0x6a, 0, 0x58, 0xc3, 0};
static int round_, fds[2], sock[2], queue;
static const char *next(void) {
	code[1] = 10 + round_;
	return (const char *)code;
}

static void by_prctl(void) { prctl(PR_SET_NAME, next()); prctl(PR_GET_NAME, p); }
static void by_read(void) { write(fds[1], next(), 4); read(fds[0], p, 4); }
static void by_readv(void) {
	struct iovec v[3] = {{p, 1}, {p + 1, 1}, {p + 2, 2}};
	write(fds[1], next(), 4);
	readv(fds[0], v, 3);
}
static void by_recv(void) { send(sock[0], next(), 4, 0); recv(sock[1], p, 4, 0); }
static void by_recvmsg(void) {
	struct iovec v[3] = {{p, 2}, {p + 2, 1}, {p + 3, 1}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 3};
	send(sock[0], next(), 4, 0);
	recvmsg(sock[1], &m, 0);
}
static void by_readlink(void) { unlink("l"); symlink(next(), "l"); readlink("l", (char *)p, 4); }
static void by_xattr(void) { setxattr("f", "user.x", next(), 4, 0); getxattr("f", "user.x", p, 4); }
static void by_pread(void) {
	int fd = open("f", O_RDWR);
	pwrite(fd, next(), 4, 100);
	pread(fd, p, 4, 100);
	close(fd);
}
static void by_msgrcv(void) {
	struct { long type; char text[8]; } m = {1};
	memcpy(m.text, next(), 4);
	msgsnd(queue, &m, 4, 0);
	// the text comes behind the type
	msgrcv(queue, p - 8, 4, 0, 0);
}
static void by_getcwd(void) {
	// "/", then the code: the jump over it is the caller's
	mkdir(next(), 0777);
	chdir(next());
	char *cwd = getcwd(0, 0);
	size_t before = strlen(cwd) - 4;
	free(cwd);
	syscall(SYS_getcwd, p - before, before + 8);
	chdir("..");
	rmdir((const char *)code);
}
static void by_vmsplice(void) {
	struct iovec v = {p, 4};
	write(fds[1], next(), 4);
	vmsplice(fds[0], &v, 1, 0);
}
static void by_getsockname(void) {
	struct sockaddr_un a = {AF_UNIX};
	strcpy(a.sun_path, next());
	unlink(a.sun_path);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(s, (void *)&a, sizeof a);
	socklen_t len = sizeof a;
	getsockname(s, (void *)(p - 2), &len);
	close(s);
	unlink((const char *)code);
}

int main(void) {
	unsigned char *page = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = page + 4096;
	pipe(fds);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, sock);
	queue = msgget(IPC_PRIVATE, 0600);
	close(open("f", O_RDWR | O_CREAT, 0666));
	static const struct { const char *name; void (*put)(void); } ways[] = {
		{"prctl", by_prctl}, {"read", by_read}, {"readv", by_readv}, {"recv", by_recv}, {"recvmsg", by_recvmsg}, {"readlink", by_readlink}, {"getxattr", by_xattr},
		{"pread", by_pread}, {"msgrcv", by_msgrcv}, {"getcwd", by_getcwd}, {"vmsplice", by_vmsplice}, {"getsockname", by_getsockname},
	};
	for (int w = 0; w < (int)(sizeof ways / sizeof *ways); w++) {
		int wrong = 0;
		for (round_ = 0; round_ < 30; round_++) {
			ways[w].put();
			wrong += ((fn)p)() != 10 + round_;
		}
		printf("%s: %d of 30 wrong\n", ways[w].name, wrong);
		fflush(stdout);
	}
	msgctl(queue, IPC_RMID, 0);
	return 0;
}
