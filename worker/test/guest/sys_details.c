// Details that public suites ask for: pidfds of /proc, waitid of a non-blocking pidfd, nested epolls, set-group-id directories, alarms of many years, pipes of no size, adjtimex.
#include "guest.h"
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/time.h>
int main(int argc, char **argv) {
	if (argc > 1) { for (;;) pause(); }
	siginfo_t si;
	int st;
	pid_t pid = respawn("wait");
	char path[64];
	sprintf(path, "/proc/%d", pid);
	int dir = open(path, O_RDONLY | O_DIRECTORY);
	strcat(path, "/status");
	int file = open(path, O_RDONLY);
	int fd = syscall(SYS_pidfd_open, pid, O_NONBLOCK);
	SHOW(waitid(3, fd, &si, WEXITED));
	TRY(syscall(SYS_pidfd_send_signal, file, 0, 0, 0));
	TRY(syscall(SYS_pidfd_send_signal, dir, 0, 0, 0));
	TRY(syscall(SYS_pidfd_send_signal, dir, SIGKILL, 0, 0));
	SHOW(waitpid(pid, &st, 0) == pid);
	TRY(syscall(SYS_pidfd_send_signal, dir, 0, 0, 0));
	SHOW(waitid(3, fd, &si, WEXITED));

	int ep[7];
	struct epoll_event ev = {.events = EPOLLIN};
	for (int i = 0; i < 7; i++) ep[i] = epoll_create1(0);
	for (int i = 1; i < 7; i++) SHOW(epoll_ctl(ep[i], EPOLL_CTL_ADD, ep[i - 1], &ev));
	SHOW(epoll_ctl(ep[0], EPOLL_CTL_ADD, ep[2], &ev));
	SHOW(epoll_ctl(ep[0], EPOLL_CTL_ADD, open("/dev/zero", O_RDONLY), &ev));
	SHOW(epoll_ctl(ep[0], EPOLL_CTL_ADD, open("/dev/null", O_RDONLY), &ev));
	SHOW(epoll_ctl(ep[0], EPOLL_CTL_ADD, open("/proc/self/status", O_RDONLY), &ev));

	SHOW(alarm(2147483647));
	SHOW(alarm(0));
	struct itimerval it = {.it_value = {1 << 30, 0}}, old;
	SHOW(setitimer(ITIMER_REAL, &it, 0));
	SHOW(getitimer(ITIMER_REAL, &old));
	printf("%d\n", old.it_value.tv_sec >= (1 << 30) - 1);
	SHOW(alarm(0) > 1000000);
	int p[2];
	pipe(p);
	SHOW(fcntl(p[0], F_SETPIPE_SZ, 0));
	SHOW(fcntl(p[1], F_GETPIPE_SZ));

	struct timex t = {0};
	int state = adjtimex(&t);
	printf("tick %d tolerance %ld state %d\n", (int)t.tick, t.tolerance, state == 0 || state == 5);
	t.modes = 0x4000; t.tick = 100;
	SHOW(adjtimex(&t));
	t.modes = 0x8000;
	SHOW(adjtimex(&t));
	t.modes = 0;
	SHOW(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &t));
	SHOW(syscall(SYS_clock_adjtime, 10, &t));
	struct timespec ts = {0, 0};
	SHOW(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts));
	SHOW(syscall(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &ts));
	SHOW(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts, 0));

	struct stat s;
	mkdir("g", 0777); chown("g", 1234, 1234); chmod("g", 02777);
	setgroups(0, 0); setresgid(4321, 4321, 4321); setresuid(4321, 4321, 4321);
	umask(0);
	close(open("g/run", O_CREAT | O_WRONLY, 02777)); stat("g/run", &s);
	printf("%o %d\n", s.st_mode, s.st_gid);
	close(open("g/lock", O_CREAT | O_WRONLY, 02767)); stat("g/lock", &s);
	printf("%o\n", s.st_mode);
	mknod("g/fifo", S_IFIFO | 02777, 0); stat("g/fifo", &s);
	printf("%o\n", s.st_mode);
	mkdir("g/d", 0777); stat("g/d", &s);
	printf("%o\n", s.st_mode);
	t.modes = 0x10;
	SHOW(adjtimex(&t));
	return 0;
}
