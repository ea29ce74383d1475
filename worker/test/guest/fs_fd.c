// Descriptors: lowest free number, dup family, close-on-exec, fcntl flags, shared offsets.
#include "guest.h"
int main(int argc, char **argv) {
	if (argc > 1) {
		for (int i = 3; i < 12; i++) printf("%d%c", i, fcntl(i, F_GETFD) < 0 ? '-' : '+');
		printf("\n");
		return 0;
	}
	char b[8];
	for (int i = 3; i < 100; i++) close(i);
	SHOW(open("f", O_CREAT | O_RDWR, 0600));
	SHOW(dup(3));
	SHOW(dup2(3, 9));
	SHOW(dup2(3, 3));
	SHOW(dup2(77, 78));
	SHOW(dup2(3, -1));
	SHOW(dup3(3, 3, 0));
	SHOW(dup3(3, 7, O_CLOEXEC));
	SHOW(dup3(3, 8, 1));
	SHOW(fcntl(3, F_DUPFD, 5));
	SHOW(fcntl(3, F_DUPFD_CLOEXEC, 5));
	SHOW(fcntl(7, F_GETFD));
	SHOW(fcntl(8, F_GETFD));
	SHOW(fcntl(6, F_GETFD));
	SHOW(fcntl(5, F_GETFD));
	SHOW(fcntl(3, F_SETFD, FD_CLOEXEC));
	SHOW(fcntl(3, F_GETFD));
	SHOW(fcntl(4, F_GETFD));
	SHOW(fcntl(3, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
	SHOW(fcntl(3, F_SETFL, O_APPEND | O_NONBLOCK));
	SHOW(fcntl(4, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
	SHOW(fcntl(3, F_SETFL, 0));
	SHOW(write(3, "abcdef", 6));
	SHOW(lseek(4, 0, SEEK_CUR));
	SHOW(lseek(9, 2, SEEK_SET));
	SHOW(read(3, b, 2));
	printf("%.2s\n", b);
	SHOW(fcntl(3, 9999));
	SHOW(fcntl(99, F_GETFD));
	SHOW(close(4));
	SHOW(open("f", O_RDONLY));
	SHOW(syscall(SYS_close_range, 10, 20, 0));
	fflush(stdout);
	int st;
	waitpid(respawn("x"), &st, 0);
	show_status("child", st);
	return 0;
}
