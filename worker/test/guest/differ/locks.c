// differ/locks.c — record locks, of processes and of open files, and flock, between three processes.
#include "differ.h"
#include "families.h"
#include <sys/file.h>

void start_locks(int actor) {
	if (!actor) {
		int fd = open("a", O_CREAT | O_RDWR, 0666);
		ftruncate(fd, 100);
		close(fd);
		close(open("b", O_CREAT | O_RDWR, 0666));
	}
}

static void say_lock(const struct flock *l) {
	if (l->l_type == F_UNLCK) say(" free");
	else say(" {type %d whence %d start %ld len %ld %s}", l->l_type, l->l_whence, (long)l->l_start, (long)l->l_len, l->l_pid == -1 ? "ofd" : l->l_pid == 0 ? "0" : "process");
}

void step_locks(void) {
	int fd = any_fd();
	switch (below(12)) {
	case 0: case 1: {
		const char *p = WORD("a", "a", "a", "b");
		int m = ONE(O_RDWR, O_RDWR, O_RDONLY, O_WRONLY);
		say(" open(%s, %d)", p, m);
		sys(SYS_open, p, m);
		syscall(SYS_close_range, 9, 40, 0);
		break;
	}
	case 2:
		say(" close(%d)", fd);
		sys(SYS_close, fd == CONTROL ? -1 : fd);
		break;
	case 3:
		say(" dup(%d)", fd);
		sys(SYS_dup, fd);
		syscall(SYS_close_range, 9, 40, 0);
		break;
	case 4: {
		int op = ONE(LOCK_SH, LOCK_EX, LOCK_UN, LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_EX | LOCK_NB, 0, 3, 32, 64);
		say(" flock(%d, %d)", fd, op);
		sys(SYS_flock, fd, op);
		break;
	}
	case 5:
		say(" lseek(%d)", fd);
		sys(SYS_lseek, fd, ONE(0, 10, 50), SEEK_SET);
		break;
	default: {
		struct flock l = {.l_type = ONE(F_RDLCK, F_WRLCK, F_WRLCK, F_UNLCK), .l_whence = ONE(SEEK_SET, SEEK_SET, SEEK_SET, SEEK_CUR, SEEK_END), .l_start = ONE(0, 0, 5, 10, 20, 50, -5), .l_len = ONE(0, 1, 5, 10, 10, 20, 100, -5)};
		int c = ONE(F_SETLK, F_SETLK, F_SETLK, F_SETLKW, F_GETLK, F_GETLK, F_OFD_SETLK, F_OFD_SETLK, F_OFD_GETLK, F_OFD_SETLKW);
		if (seldom(25)) l.l_type = 7;
		if (seldom(25)) l.l_whence = 9;
		if (seldom(25)) l.l_start = 1L << 50;
		if (seldom(25)) l.l_pid = 5;
		say(" fcntl(%d, %d, {%d %d %ld %ld%s})", fd, c, l.l_type, l.l_whence, (long)l.l_start, (long)l.l_len, l.l_pid ? " pid" : "");
		if (sys(SYS_fcntl, fd, c, &l) == 0 && (c == F_GETLK || c == F_OFD_GETLK)) say_lock(&l);
	}
	}
}
