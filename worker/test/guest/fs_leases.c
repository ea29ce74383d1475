// Leases: who gets one, how it is broken by another process, by the time; SIGIO with F_SETSIG says which descriptor.
#include "guest.h"
static volatile int told, told_fd, told_code;
static void on(int sig, siginfo_t *si, void *c) { told = sig; told_fd = si->si_fd; told_code = si->si_code; }
int main(int argc, char **argv) {
	if (argc > 1) {
		int flags = argv[1][0] == 'w' ? O_WRONLY : O_RDONLY;
		if (argv[1][1] == 'n') flags |= O_NONBLOCK;
		int fd = open("f", flags);
		return fd < 0 ? (errno == EAGAIN ? 1 : 2) : 0;
	}
	int st;
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	SHOW(fcntl(fd, F_GETLEASE));
	SHOW(fcntl(fd, F_SETLEASE, F_UNLCK));
	SHOW(fcntl(fd, F_SETLEASE, F_RDLCK));
	SHOW(fcntl(fd, F_SETLEASE, 7));
	SHOW(fcntl(fd, F_SETLEASE, F_WRLCK));
	SHOW(fcntl(fd, F_GETLEASE));
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGRTMIN + 1, &sa, 0);
	SHOW(fcntl(fd, F_SETSIG, SIGRTMIN + 1));
	pid_t p = respawn("rn");
	waitpid(p, &st, 0);
	printf("other reader %d; told %d, by the descriptor %d, code %d\n", WEXITSTATUS(st), told == SIGRTMIN + 1, told_fd == fd, told_code);
	SHOW(fcntl(fd, F_GETLEASE));
	// it waits until the lease is less
	p = respawn("r");
	usleep(100000);
	SHOW(waitpid(p, &st, WNOHANG));
	SHOW(fcntl(fd, F_SETLEASE, F_UNLCK));
	waitpid(p, &st, 0);
	printf("other reader %d\n", WEXITSTATUS(st));
	close(fd);
	fd = open("f", O_RDONLY);
	SHOW(fcntl(fd, F_SETLEASE, F_RDLCK));
	told = 0;
	SHOW(fcntl(fd, F_SETSIG, SIGRTMIN + 1));
	p = respawn("rn");
	waitpid(p, &st, 0);
	printf("beside a reader %d told %d\n", WEXITSTATUS(st), told);
	p = respawn("wn");
	waitpid(p, &st, 0);
	printf("a writer %d told %d\n", WEXITSTATUS(st), told == SIGRTMIN + 1);
	SHOW(fcntl(fd, F_GETLEASE));
	close(fd);
	p = respawn("wn");
	waitpid(p, &st, 0);
	printf("a writer %d\n", WEXITSTATUS(st));
	int q[2];
	pipe(q);
	SHOW(fcntl(q[0], F_SETLEASE, F_RDLCK));
	SHOW(fcntl(open(".", O_RDONLY), F_SETLEASE, F_RDLCK));
	int a = open("f", O_RDONLY), b = open("f", O_RDONLY);
	SHOW(fcntl(a, F_SETLEASE, F_WRLCK));
	SHOW(fcntl(a, F_SETLEASE, F_RDLCK));
	SHOW(fcntl(b, F_SETLEASE, F_RDLCK));
	// SIGIO through a pipe
	told = told_fd = 0;
	fcntl(q[0], F_SETOWN, getpid());
	fcntl(q[0], F_SETSIG, SIGRTMIN + 1);
	fcntl(q[0], F_SETFL, O_ASYNC | O_NONBLOCK);
	write(q[1], "x", 1);
	printf("pipe: %d %d %d\n", told == SIGRTMIN + 1, told_fd == q[0], told_code);
	sigaction(SIGIO, &sa, 0);
	told = 0;
	fcntl(q[0], F_SETSIG, 0);
	write(q[1], "x", 1);
	printf("plain: %d code %d\n", told == SIGIO, told_code);
	return 0;
}
