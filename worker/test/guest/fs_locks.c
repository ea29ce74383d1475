// POSIX, OFD and flock locks, seen by another process.
#include "guest.h"
#include <sys/file.h>
static struct flock lk(int type, long start, long len) { return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len}; }
int main(int argc, char **argv) {
	struct flock l;
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	if (argc > 1) {
		l = lk(F_WRLCK, 0, 10);
		SHOW(fcntl(fd, F_GETLK, &l));
		printf("type %d start %ld len %ld parent %d\n", l.l_type, (long)l.l_start, (long)l.l_len, l.l_pid == getppid());
		l = lk(F_WRLCK, 12, 1);
		SHOW(fcntl(fd, F_SETLK, &l));
		l = lk(F_WRLCK, 40, 0);
		SHOW(fcntl(fd, F_SETLK, &l));
		l = lk(F_RDLCK, 60, 1);
		SHOW(fcntl(fd, F_SETLK, &l));
		SHOW(flock(fd, LOCK_EX | LOCK_NB));
		return 0;
	}
	l = lk(F_WRLCK, 5, 10);
	SHOW(fcntl(fd, F_SETLK, &l));
	l = lk(F_UNLCK, 8, 2);
	SHOW(fcntl(fd, F_SETLK, &l));
	l = lk(F_RDLCK, 60, 5);
	SHOW(fcntl(fd, F_SETLK, &l));
	l = lk(9, 0, 0);
	SHOW(fcntl(fd, F_SETLK, &l));
	SHOW(flock(fd, LOCK_SH));
	int st;
	waitpid(respawn("x"), &st, 0);
	show_status("child", st);
	int fd2 = open("f", O_RDWR);
	SHOW(flock(fd2, LOCK_EX | LOCK_NB));
	SHOW(flock(fd2, LOCK_SH | LOCK_NB));
	SHOW(flock(fd, LOCK_UN));
	SHOW(flock(fd2, LOCK_EX | LOCK_NB));
	close(fd2);
	l = lk(F_WRLCK, 100, 10), l.l_pid = 0;
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	fd2 = open("f", O_RDWR);
	l = lk(F_WRLCK, 105, 1), l.l_pid = 0;
	SHOW(fcntl(fd2, F_OFD_SETLK, &l));
	l = lk(F_WRLCK, 105, 1), l.l_pid = 0;
	SHOW(fcntl(fd2, F_OFD_GETLK, &l));
	printf("pid %d\n", l.l_pid);
	return 0;
}
