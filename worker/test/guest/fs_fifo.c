// FIFOs: opening without the other side, polling before and after, reopening a pipe through /proc/self/fd, select on it all.
#include "guest.h"
#include <poll.h>
#include <sys/select.h>
static void look(const char *what, int fd) {
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
	int n = poll(&p, 1, 0);
	printf("%s: %d %x\n", what, n, p.revents);
}
int main(void) {
	char buf[16];
	signal(SIGPIPE, SIG_IGN);
	SHOW(mkfifo("f", 0644));
	SHOW(mkfifo("f", 0644));
	SHOW(open("f", O_WRONLY | O_NONBLOCK));
	int r = open("f", O_RDONLY | O_NONBLOCK);
	look("reader alone", r);
	SHOW(read(r, buf, 1));
	int w = open("f", O_WRONLY | O_NONBLOCK);
	look("writer came", r);
	look("writer", w);
	SHOW(read(r, buf, 1));
	SHOW(write(w, "abc", 3));
	look("data", r);
	close(w);
	look("data and hang-up", r);
	SHOW(read(r, buf, 16));
	look("hang-up", r);
	SHOW(read(r, buf, 16));
	w = open("f", O_WRONLY);
	look("another writer", r);
	close(r);
	look("no reader", w);
	SHOW(write(w, "x", 1));
	close(w);
	int rw = open("f", O_RDWR);
	look("both", rw);
	SHOW(write(rw, "self", 4));
	SHOW(read(rw, buf, 16));
	SHOW(lseek(rw, 0, SEEK_SET));
	SHOW(ftruncate(rw, 0));
	SHOW(fsync(rw));
	close(rw);
	struct stat st;
	stat("f", &st);
	printf("%o %d\n", st.st_mode, (int)st.st_size);
	int p[2];
	pipe(p);
	char path[64];
	sprintf(path, "/proc/self/fd/%d", p[0]);
	memset(buf, 0, sizeof buf);
	readlink(path, buf, 6);
	puts(buf);
	int again = open(path, O_WRONLY);
	printf("reopened %s\n", again < 0 ? ename(errno) : "ok");
	SHOW(write(again, "through", 7));
	close(p[1]);
	look("still a writer", p[0]);
	close(again);
	look("none left", p[0]);
	SHOW(read(p[0], buf, 16));
	SHOW(read(p[0], buf, 16));
	fd_set rs, ws;
	FD_ZERO(&rs);
	FD_ZERO(&ws);
	FD_SET(p[0], &rs);
	FD_SET(1, &ws);
	SHOW(select(p[0] + 1, &rs, &ws, 0, 0));
	printf("%d %d\n", FD_ISSET(p[0], &rs) != 0, FD_ISSET(1, &ws) != 0);
	SHOW(select(1000, &rs, 0, 0, &(struct timeval){0, 0}));
	SHOW(select(3, &rs, 0, 0, &(struct timeval){0, -1}));
	return 0;
}
