// differ/watches.c — inotify: what is told of files while two processes work with them, and in which order.
#include "differ.h"
#include "families.h"
#include <sys/inotify.h>
#include <sys/ioctl.h>

void start_watches(int actor) {
	if (!actor) {
		mkdir("d", 0777);
		mkdir("e", 0777);
		close(open("a", O_CREAT | O_RDWR, 0666));
	}
	syscall(SYS_inotify_init1, IN_NONBLOCK);
}

static bool queue(int fd) {
	char name[64], path[40];
	sprintf(path, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, name, sizeof name - 1);
	if (n < 0) return false;
	name[n] = 0;
	return strstr(name, "inotify") != 0;
}
static int watcher(void) {
	int fd = any_fd();
	for (int i = 0; i < 8 && !queue(fd) && !seldom(15); i++) fd = any_fd();
	return fd;
}

static void events(int fd) {
	static char data[65536] __attribute__((aligned(8)));
	size_t size = ONE(65536, 65536, 65536, 16, 15, 32, 48, 0);
	say(" read(%d, %zu)", fd, size);
	if (fd == CONTROL) return;
	ssize_t n = sys(SYS_read, fd, data, size);
	if (n <= 0 || !queue(fd)) return;
	for (char *p = data; p < data + n;) {
		struct inotify_event *e = (void *)p;
		say(" {%d %x", e->wd, e->mask);
		if (e->cookie) say(" cookie %d", handle('C', e->cookie));
		if (e->len) say(" %u \"%s\"", e->len, e->name);
		say("}");
		p += sizeof *e + e->len;
	}
}

static const char *name(void) { return WORD("a", "b", "d", "e", "d/a", "d/b", "e/a", "d/x", ".", "d/a", "d/b", "e/b", "s"); }

void step_watches(void) {
	int fd = watcher();
	const char *p = name(), *q = name();
	switch (below(25)) {
	case 0: {
		int f = ONE(IN_NONBLOCK, IN_NONBLOCK | IN_CLOEXEC, 0, 1);
		say(" inotify_init1(%x)", f);
		sys(SYS_inotify_init1, f);
		break;
	}
	case 1: case 2: case 3: case 4: {
		uint32_t m = ONE(IN_ALL_EVENTS, IN_ALL_EVENTS, IN_ALL_EVENTS, IN_CREATE | IN_DELETE, IN_MODIFY, IN_MOVE, IN_ATTRIB | IN_CLOSE, 0, IN_DELETE_SELF | IN_MOVE_SELF, IN_OPEN) | SOME(8, IN_ONESHOT, IN_MASK_ADD, IN_ONLYDIR, IN_DONT_FOLLOW, IN_EXCL_UNLINK, IN_MASK_CREATE);
		say(" inotify_add_watch(%d, \"%s\", %x)", fd, p, m);
		sys(SYS_inotify_add_watch, fd, p, m);
		break;
	}
	case 5: {
		int wd = ONE(1, 1, 2, 3, 4, 5, 0, -1, 99);
		say(" inotify_rm_watch(%d, %d)", fd, wd);
		sys(SYS_inotify_rm_watch, fd, wd);
		break;
	}
	case 6: case 7: case 8: case 9: case 10:
		events(fd);
		break;
	case 11: {
		int n = -1;
		say(" FIONREAD(%d)", fd);
		if (sys(SYS_ioctl, fd, FIONREAD, &n) == 0) say(" %d", n);
		break;
	}
	case 12: case 13: {
		int f = ONE(O_RDONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND, O_RDWR | O_CREAT | O_EXCL, O_PATH, O_DIRECTORY);
		say(" open(\"%s\", 0%o)", p, f);
		sys(SYS_open, p, f, 0666);
		syscall(SYS_close_range, 12, 40, 0);
		break;
	}
	case 14:
		fd = any_fd();
		if (queue(fd) && !seldom(4)) break;
		say(" close(%d)", fd);
		sys(SYS_close, fd == CONTROL ? -1 : fd);
		break;
	case 15: {
		char text[10];
		fd = any_fd();
		if (seldom(2)) {
			say(" write(%d)", fd);
			sys(SYS_write, fd == CONTROL ? -1 : fd, "text", ONE(4L, 1L, 0L));
		} else {
			say(" pread(%d)", fd);
			sys(SYS_pread64, fd == CONTROL ? -1 : fd, text, ONE(4L, 0L), 0L);
		}
		break;
	}
	case 16: case 17:
		say(" rename(\"%s\", \"%s\")", p, q);
		sys(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, q, ONE(0, 0, 0, 1, 2));
		break;
	case 18:
		say(" unlink(\"%s\")", p);
		sys(SYS_unlink, p);
		break;
	case 19:
		if (seldom(2)) {
			say(" mkdir(\"%s\")", p);
			sys(SYS_mkdir, p, 0777);
		} else {
			say(" rmdir(\"%s\")", p);
			sys(SYS_rmdir, p);
		}
		break;
	case 20:
		if (seldom(2)) {
			say(" link(\"%s\", \"%s\")", p, q);
			sys(SYS_link, p, q);
		} else {
			say(" symlink(\"%s\", \"%s\")", p, q);
			sys(SYS_symlink, p, q);
		}
		break;
	case 21: {
		int m = ONE(0600, 0666, 0777);
		say(" chmod(\"%s\", 0%o)", p, m);
		sys(SYS_chmod, p, m);
		break;
	}
	case 22: {
		fd = any_fd();
		say(" ftruncate(%d)", fd);
		sys(SYS_ftruncate, fd, ONE(0L, 4L, 9L));
		break;
	}
	case 23: {
		struct timespec t[2] = {{5, 0}, {seldom(2) ? 6 : 0, seldom(3) ? UTIME_OMIT : 0}};
		say(" utimensat(\"%s\")", p);
		sys(SYS_utimensat, AT_FDCWD, p, seldom(3) ? 0 : t, 0);
		break;
	}
	case 24: {
		char list[400];
		fd = any_fd();
		say(" getdents(%d)", fd);
		long n = syscall(SYS_getdents64, fd, list, sizeof list);
		say(n > 0 ? " some" : n == 0 ? " none" : " no");
		break;
	}
	}
}
