// seed.c — the rows of the seed's table, one program: `seed ROW COUNT`.
//
// The recipes are those of lmbench 2 and do_getpid, written anew. The program prints
// "@begin ROW COUNT" when what it needs is there, does the work COUNT times and prints "@end ROW NS", NS by CLOCK_MONOTONIC. Natively NS is the time; in the
// machine, whose clock is virtual, whoever runs it takes the host's time between the two lines.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long count;
static char self[256];

static void die(const char *what) { perror(what); exit(1); }

static long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static const char *row;
static long started;

/** What a row has to set up is done. */
static void begin(void) {
	printf("@begin %s %ld\n", row, count);
	fflush(stdout);
	started = now();
}

static void select_n(int n) {
	int fds[1024], max = 0;
	for (int i = 0; i < n; i++) {
		fds[i] = i ? dup(fds[0]) : open("/tmp/seed.select", O_RDWR | O_CREAT, 0600);
		if (fds[i] < 0) die("select: open");
		if (fds[i] > max) max = fds[i];
	}
	if (max >= FD_SETSIZE) { fprintf(stderr, "select: descriptor %d is over FD_SETSIZE\n", max); exit(1); }
	fd_set want, set;
	FD_ZERO(&want);
	for (int i = 0; i < n; i++) FD_SET(fds[i], &want);
	begin();
	for (long i = 0; i < count; i++) {
		struct timeval zero = {0, 0};
		set = want;
		if (select(max + 1, 0, &set, 0, &zero) < 0) die("select");
	}
	unlink("/tmp/seed.select");
}
static void select_10(void) { select_n(10); }
static void select_100(void) { select_n(100); }
static void select_1000(void) { select_n(1000); }

static void null_call(void) {
	begin();
	for (long i = 0; i < count; i++) getppid();
}
static void read_zero(void) {
	int fd = open("/dev/zero", O_RDONLY);
	char c;
	if (fd < 0) die("/dev/zero");
	begin();
	for (long i = 0; i < count; i++)
		if (read(fd, &c, 1) != 1) die("read");
}
static void write_null(void) {
	int fd = open("/dev/null", O_WRONLY);
	char c = 'x';
	if (fd < 0) die("/dev/null");
	begin();
	for (long i = 0; i < count; i++)
		if (write(fd, &c, 1) != 1) die("write");
}
// as deep as lmbench's /usr/include/sys/types.h, which not every system has
#define FILENAME "/tmp/seed.include/sys/types.h"
static void make_file(void) {
	mkdir("/tmp/seed.include", 0755);
	mkdir("/tmp/seed.include/sys", 0755);
	int fd = open(FILENAME, O_WRONLY | O_CREAT, 0644);
	if (fd < 0) die(FILENAME);
	close(fd);
}
static void stat_file(void) {
	struct stat st;
	make_file();
	begin();
	for (long i = 0; i < count; i++)
		if (stat(FILENAME, &st)) die("stat " FILENAME);
}
static void open_close(void) {
	make_file();
	begin();
	for (long i = 0; i < count; i++) {
		int fd = open(FILENAME, O_RDONLY);
		if (fd < 0) die("open " FILENAME);
		close(fd);
	}
}
// do_getpid: two instructions of the program's own, no library between
static void getpid_raw(void) {
	begin();
	for (long i = 0; i < count; i++) {
		long r;
		__asm__ volatile("mov $39, %%eax\n\tsyscall" : "=a"(r) : : "rcx", "r11", "memory");
	}
}
static void reap(pid_t pid) {
	int status;
	if (waitpid(pid, &status, 0) != pid || status) { fprintf(stderr, "child: status %#x\n", status); exit(1); }
}
static void vfork_execve(void) {
	char *argv[] = {self, "hello", 0}, *envp[] = {0};
	begin();
	for (long i = 0; i < count; i++) {
		pid_t pid = vfork();
		if (pid < 0) die("vfork");
		if (!pid) {
			close(1);
			execve(self, argv, envp);
			_exit(99);
		}
		reap(pid);
	}
}
static void vfork_sh(void) {
	char command[300];
	snprintf(command, sizeof command, "%s hello", self);
	begin();
	for (long i = 0; i < count; i++) {
		pid_t pid = vfork();
		if (pid < 0) die("vfork");
		if (!pid) {
			close(1);
			execl("/bin/sh", "sh", "-c", command, (char *)0);
			_exit(99);
		}
		reap(pid);
	}
}

static const struct { const char *name; void (*run)(void); } rows[] = {
	{"select-10", select_10}, {"select-100", select_100}, {"select-1000", select_1000}, {"syscall", null_call},
	{"read", read_zero}, {"write", write_null}, {"stat", stat_file}, {"open/close", open_close},
	{"fork+sh", vfork_sh}, {"fork+execve", vfork_execve}, {"getpid", getpid_raw},
};

int main(int argc, char **argv) {
	if (argc == 2 && !strcmp(argv[1], "hello")) {
		puts("hello");
		return 0;
	}
	if (argc != 3) { fprintf(stderr, "usage: seed ROW COUNT\n"); return 2; }
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0) die("/proc/self/exe");
	count = atol(argv[2]);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].name, argv[1])) {
			row = argv[1];
			rows[i].run();
			long t = now() - started;
			// so far, whatever the numbers: instructions are counted from line to line
			if (write(1, "@end ", 5) != 5) die("stdout");
			printf("%s %ld\n", argv[1], t);
			return 0;
		}
	fprintf(stderr, "seed: no row %s\n", argv[1]);
	return 2;
}
