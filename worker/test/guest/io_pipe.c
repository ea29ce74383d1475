// Pipes: order, capacity when non-blocking, end of file, EPIPE and SIGPIPE, atomic small writes, O_NONBLOCK.
#include "guest.h"
#include <sys/ioctl.h>
static int pipes;
static void on_pipe(int s) { (void)s, pipes++; }
int main(void) {
	int p[2], n, total = 0;
	char buf[8192];
	SHOW(pipe(p));
	SHOW(write(p[1], "one", 3));
	SHOW(write(p[1], "two", 3));
	ioctl(p[0], FIONREAD, &n);
	printf("%d waiting\n", n);
	SHOW(read(p[0], buf, 4));
	printf("%.4s\n", buf);
	SHOW(read(p[0], buf, 100));
	SHOW(read(p[1], buf, 1));
	SHOW(write(p[0], buf, 1));
	SHOW(lseek(p[0], 0, SEEK_SET));
	SHOW(pread(p[0], buf, 1, 0));
	fcntl(p[0], F_SETFL, O_NONBLOCK), fcntl(p[1], F_SETFL, O_NONBLOCK);
	SHOW(read(p[0], buf, 1));
	memset(buf, 'x', sizeof buf);
	while ((n = write(p[1], buf, 4096)) > 0) total += n;
	printf("full after %d, %s\n", total, ename(errno));
	SHOW(fcntl(p[0], F_GETPIPE_SZ));
	SHOW(read(p[0], buf, 100));
	SHOW(write(p[1], buf, 100));
	SHOW(read(p[0], buf, 4096));
	SHOW(write(p[1], buf, 4096));
	close(p[1]);
	total = 0;
	while ((n = read(p[0], buf, sizeof buf)) > 0) total += n;
	printf("drained %d, then %d\n", total, n);
	close(p[0]);
	pipe(p);
	close(p[0]);
	signal(SIGPIPE, on_pipe);
	SHOW(write(p[1], "x", 1));
	printf("SIGPIPE %d\n", pipes);
	close(p[1]);
	SHOW(syscall(SYS_pipe2, p, 0x40000000));
	SHOW(pipe2(p, O_CLOEXEC | O_NONBLOCK));
	printf("%d %d\n", fcntl(p[0], F_GETFD), !!(fcntl(p[1], F_GETFL) & O_NONBLOCK));
	SHOW(write(p[1], buf, 0));
	SHOW(read(p[0], buf, 0));
	close(p[0]), close(p[1]);
	/* opened again by its name in /proc, with nobody at the other end: no open waits, as a fifo's would (bash's <(...)) */
	char name[32];
	pipe(p);
	SHOW(write(p[1], "left", 4));
	close(p[1]);
	sprintf(name, "/proc/self/fd/%d", p[0]);
	n = open(name, O_RDONLY);
	SHOW(read(n, buf, 100));
	SHOW(read(n, buf, 100));
	close(n), close(p[0]);
	pipe(p);
	close(p[0]);
	sprintf(name, "/proc/self/fd/%d", p[1]);
	SHOW(open(name, O_WRONLY | O_NONBLOCK) >= 0);
	SHOW(open(name, O_WRONLY) >= 0);
	sprintf(name, "/proc/self/fd/%d", p[1]);
	n = open(name, O_RDONLY);
	SHOW(write(p[1], "back", 4));
	SHOW(read(n, buf, 100));
	return 0;
}
