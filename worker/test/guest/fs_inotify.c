// inotify: what a directory and a file tell of creation, writing, moving, links, attributes and removal; masks, one shot, queue merging, errors.
#include "guest.h"
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <poll.h>
static int fd;
static void events(const char *what) {
	char buf[8192] __attribute__((aligned(8)));
	int n = read(fd, buf, sizeof buf);
	printf("%s:", what);
	if (n < 0) printf(" %s", ename(errno));
	uint32_t from = 0;
	for (int i = 0; i < n;) {
		struct inotify_event *e = (void *)(buf + i);
		printf(" %d:%x%s%s", e->wd, e->mask, e->len ? ":" : "", e->len ? e->name : "");
		if (e->mask & IN_MOVED_FROM) from = e->cookie;
		if (e->mask & IN_MOVED_TO) printf("(%s)", e->cookie == from && from ? "pair" : "no pair");
		i += sizeof *e + e->len;
	}
	printf("\n");
}
int main(void) {
	mkdir("d", 0755), mkdir("e", 0755);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	SHOW(inotify_add_watch(fd, "d", IN_ALL_EVENTS));
	events("nothing");
	int f = open("d/f", O_CREAT | O_RDWR, 0644);
	events("created");
	write(f, "x", 1), write(f, "y", 1);
	events("two writes merge");
	pread(f, &(char){0}, 1, 0);
	events("read");
	ftruncate(f, 0);
	fchmod(f, 0600);
	close(f);
	events("truncate chmod close");
	SHOW(inotify_add_watch(fd, "d/f", IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF));
	link("d/f", "d/g");
	events("link");
	rename("d/g", "d/h");
	rename("d/h", "e/h");
	rename("e/h", "d/h");
	events("renames");
	mkdir("d/sub", 0755), rmdir("d/sub");
	events("directory");
	int p = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0);
	printf("poll %d\n", p);
	unlink("d/h");
	unlink("d/f");
	int n = 0;
	ioctl(fd, FIONREAD, &n);
	printf("waiting %s\n", n > 0 ? "some" : "none");
	events("unlinked");
	SHOW(inotify_rm_watch(fd, 2));
	SHOW(inotify_add_watch(fd, "d", IN_CREATE | IN_MASK_CREATE));
	SHOW(inotify_add_watch(fd, "d", IN_CREATE));
	close(open("d/k", O_CREAT, 0644)), unlink("d/k");
	events("only creation");
	SHOW(inotify_add_watch(fd, "d", IN_DELETE | IN_MASK_ADD | IN_ONESHOT));
	close(open("d/k", O_CREAT, 0644)), unlink("d/k");
	events("one shot");
	SHOW(inotify_add_watch(fd, "nope", IN_CREATE));
	SHOW(inotify_add_watch(fd, "d", 0));
	SHOW(inotify_add_watch(0, "d", IN_CREATE));
	close(open("file", O_CREAT, 0644));
	SHOW(inotify_add_watch(fd, "file", IN_CREATE | IN_ONLYDIR));
	SHOW(inotify_add_watch(fd, "e", IN_DELETE_SELF));
	rmdir("e");
	events("watched directory removed");
	char small[8];
	inotify_add_watch(fd, "d", IN_CREATE);
	mkdir("d/x", 0755);
	SHOW(read(fd, small, 8));
	SHOW(inotify_init1(1));
	return 0;
}
