// pidfds: opening, polling, waiting, signalling, taking descriptors; clone with CLONE_PIDFD; waitid's forms.
#include "guest.h"
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
static int pidfd_open(pid_t pid, int flags) { return syscall(434, pid, flags); }
static int pidfd_send_signal(int fd, int sig) { return syscall(424, fd, sig, 0, 0); }
static int child(void *arg) {
	_exit(6);
}
int main(int argc, char **argv) {
	if (argc > 1) {
		if (argv[1][0] == 'w') {
			int fd = open("/proc/self/exe", O_RDONLY);
			if (fd != 3) printf("fd %d\n", fd);
			for (;;) pause();
		}
		return atoi(argv[1]);
	}
	setvbuf(stdout, 0, _IONBF, 0);
	siginfo_t si;
	SHOW(pidfd_open(-1, 0));
	SHOW(pidfd_open(999999, 0));
	SHOW(pidfd_open(getpid(), 1));
	pid_t pid = respawn("wait");
	int fd = pidfd_open(pid, 0);
	printf("%d %d\n", fd >= 0, (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	struct pollfd p = {fd, POLLIN, 0};
	SHOW(poll(&p, 1, 0));
	SHOW(pidfd_send_signal(fd, 0));
	memset(&si, 0, sizeof si);
	SHOW(waitid(P_PIDFD, fd, &si, WEXITED | WNOHANG));
	printf("%d\n", si.si_pid);
	SHOW(pidfd_send_signal(fd, SIGSTOP));
	SHOW(waitid(P_PID, pid, &si, WSTOPPED));
	printf("%d %d %d\n", si.si_code == CLD_STOPPED, si.si_status, si.si_signo);
	SHOW(pidfd_send_signal(fd, SIGCONT));
	SHOW(waitid(P_PID, pid, &si, WCONTINUED));
	printf("%d %d\n", si.si_code == CLD_CONTINUED, si.si_status);
	SHOW(pidfd_send_signal(fd, SIGTERM));
	SHOW(poll(&p, 1, 5000));
	printf("%x\n", p.revents & POLLIN);
	SHOW(waitid(P_PIDFD, fd, &si, WEXITED | WNOWAIT));
	printf("%d %d %d\n", si.si_code == CLD_KILLED, si.si_status, si.si_pid == pid);
	SHOW(waitid(P_PIDFD, fd, &si, WEXITED));
	SHOW(waitid(P_PIDFD, fd, &si, WEXITED));
	SHOW(pidfd_send_signal(fd, 0));
	close(fd);
	static char stack[65536];
	fd = -1;
	pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, 0, &fd);
	printf("%d %d\n", pid > 0, fd >= 0);
	SHOW(waitid(P_PIDFD, fd, &si, WEXITED));
	printf("%d %d\n", si.si_code == CLD_EXITED, si.si_status);
	memset(&si, 0x55, sizeof si);
	SHOW(waitid(P_ALL, 0, &si, WEXITED));
	printf("an error is told to siginfo: %d %d %d %d, and no more of it is written: %d\n", si.si_signo, si.si_code, si.si_pid, si.si_status, ((char *)&si)[100]);
	SHOW(waitid(P_ALL, 0, (siginfo_t *)-4096, WEXITED));
	SHOW(waitid(P_ALL, 0, &si, 0));
	SHOW(waitid(9, 0, &si, WEXITED));
	SHOW(pidfd_send_signal(0, 0));
	return 0;
}
