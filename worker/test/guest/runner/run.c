// worker/test/guest/runner/run.c — runs the programs of a folder one after the other and prints what each said and how it ended.
//
//   run DIR WORK   runs the programs that DIR/list names, each in a new folder WORK/NAME
//   run            as pid 1 of a guest: DIR is /guest, WORK /work; mounts what an init mounts, and powers off in the end
//
// The same runner on the host and in the guest makes the two comparable: standard input is /dev/null, output and errors are one
// pipe, the environment is one variable, all signals are at their defaults, nothing else is open. What a program said is printed
// with every byte that is not printable as \xNN.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 30, LIMIT = 1 << 18 };

static char said[LIMIT];
static char *const environment[] = {"PATH=/usr/bin:/bin", 0};

static void print_said(size_t n) {
	for (size_t i = 0; i < n; i++) {
		unsigned char c = said[i];
		if (c == '\n' || (c >= ' ' && c < 127 && c != '\\')) putchar(c);
		else printf("\\x%02x", c);
	}
	if (n > 0 && said[n - 1] != '\n') printf("\\\n");
}

static long seconds(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void run(const char *program, const char *name, const char *work) {
	int ends[2], status;
	if (mkdir(work, 0755) < 0 && errno != EEXIST) {
		printf("=== %s\n--- mkdir %s: %s\n", name, work, strerror(errno));
		return;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		printf("=== %s\n--- pipe: %s\n", name, strerror(errno));
		return;
	}
	printf("=== %s\n", name);
	fflush(stdout);
	char *const argv[] = {(char *)name, 0};
	pid_t child = vfork();
	if (child == 0) {
		setsid();
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		if (chdir(work) == 0) execve(program, argv, environment);
		_exit(126);
	}
	close(ends[1]);
	size_t n = 0;
	long deadline = seconds() + SECONDS;
	int late = 0;
	for (;;) {
		struct pollfd p = {.fd = ends[0], .events = POLLIN};
		long left = deadline - seconds();
		if (left <= 0 || (poll(&p, 1, left * 1000) == 0)) {
			late = 1;
			kill(-child, SIGKILL);
			kill(child, SIGKILL);
			break;
		}
		ssize_t r = read(ends[0], said + n, LIMIT - n);
		if (r <= 0) break;
		n += r;
	}
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("--- wait: %s\n", strerror(errno));
		return;
	}
	print_said(n);
	if (late) printf("--- timeout\n");
	else if (WIFEXITED(status)) printf("--- exit %d\n", WEXITSTATUS(status));
	else printf("--- signal %d\n", WTERMSIG(status));
	fflush(stdout);
}

int main(int argc, char **argv) {
	const char *folder = argc > 2 ? argv[1] : "/guest", *work = argc > 2 ? argv[2] : "/work";
	int init = getpid() == 1;
	char list[4096], program[4096], place[4096], name[256];
	if (init) {
		mount("proc", "/proc", "proc", 0, 0);
		mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777");
		mkdir("/dev/shm", 01777);
		mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
		mkdir("/dev/pts", 0755);
		mount("devpts", "/dev/pts", "devpts", 0, "gid=5,mode=620");
	}
	umask(022);
	signal(SIGPIPE, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, 0);
	int null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		dup2(null, 0);
		close(null);
	}
	for (int fd = 3; fd < 256; fd++) close(fd);
	mkdir(work, 0755);
	snprintf(list, sizeof list, "%s/list", folder);
	FILE *names = fopen(list, "re");
	if (!names) {
		printf("--- %s: %s\n", list, strerror(errno));
		return 1;
	}
	while (fscanf(names, "%255s", name) == 1) {
		snprintf(program, sizeof program, "%s/%s", folder, name);
		snprintf(place, sizeof place, "%s/%s", work, name);
		run(program, name, place);
	}
	printf("=== end\n");
	fflush(stdout);
	if (init) {
		sync();
		reboot(RB_POWER_OFF);
	}
	return 0;
}
