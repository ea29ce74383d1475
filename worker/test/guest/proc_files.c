// /proc as programs read it: self, status, stat, cmdline, environ, fd, exe, mounts; what is fixed about their contents.
#include "guest.h"
#include <dirent.h>
static char b[65536];
static int slurp(const char *path) {
	int fd = open(path, O_RDONLY), n = 0, r;
	if (fd < 0) return -1;
	while ((r = read(fd, b + n, sizeof b - 1 - n)) > 0) n += r;
	b[n] = 0;
	close(fd);
	return n;
}
int main(void) {
	char link[64], want[64];
	sprintf(want, "%d", getpid());
	memset(link, 0, sizeof link);
	readlink("/proc/self", link, 63);
	printf("self %d\n", !strcmp(link, want));
	int n = slurp("/proc/self/cmdline");
	printf("cmdline %d %s\n", n, b);
	n = slurp("/proc/self/environ");
	printf("environ %d %s\n", n, b);
	slurp("/proc/self/comm");
	printf("comm %s", b);
	slurp("/proc/self/status");
	for (char *l = strtok(b, "\n"); l; l = strtok(0, "\n")) {
		if (!strncmp(l, "Name:", 5) || !strncmp(l, "State:", 6) || !strncmp(l, "Threads:", 8) || !strncmp(l, "SigBlk:", 7)) puts(l);
		int v;
		if (sscanf(l, "Pid: %d", &v) == 1) printf("Pid %d\n", v == getpid());
		if (sscanf(l, "PPid: %d", &v) == 1) printf("PPid %d\n", v == getppid());
	}
	slurp("/proc/self/stat");
	int pid, ppid, pgrp, session, fields = 1;
	char comm[64], state;
	sscanf(b, "%d %63s %c %d %d %d", &pid, comm, &state, &ppid, &pgrp, &session);
	for (char *c = b; *c; c++) fields += *c == ' ';
	printf("stat %d %s %c %d %d %d fields %d\n", pid == getpid(), comm, state, ppid == getppid(), pgrp == getpgrp(), session == getsid(0), fields);
	int fd = open("/dev/null", O_RDONLY);
	DIR *d = opendir("/proc/self/fd");
	int count = 0;
	for (struct dirent *e; (e = readdir(d));) count += e->d_name[0] != '.';
	closedir(d);
	printf("fds %d\n", count);
	sprintf(want, "/proc/self/fd/%d", fd);
	memset(link, 0, sizeof link);
	readlink(want, link, 63);
	printf("%s\n", link);
	int p[2];
	pipe(p);
	sprintf(want, "/proc/self/fd/%d", p[0]);
	memset(link, 0, sizeof link);
	readlink(want, link, 63);
	printf("%.6s\n", link);
	printf("cwd %d\n", readlink("/proc/self/cwd", b, sizeof b) > 0);
	getcwd(want, 64);
	slurp("/proc/mounts");
	printf("mounts root %d proc %d\n", strstr(b, " / ") != 0, strstr(b, " /proc proc ") != 0);
	slurp("/proc/uptime");
	double up, idle;
	printf("uptime %d\n", sscanf(b, "%lf %lf", &up, &idle));
	slurp("/proc/loadavg");
	double a1, a2, a3;
	printf("loadavg %d\n", sscanf(b, "%lf %lf %lf", &a1, &a2, &a3));
	slurp("/proc/meminfo");
	printf("meminfo %d\n", !strncmp(b, "MemTotal:", 9) && strstr(b, "MemFree:") && strstr(b, "MemAvailable:"));
	slurp("/proc/version");
	printf("version %d\n", !strncmp(b, "Linux version ", 14));
	slurp("/proc/filesystems");
	printf("filesystems %d\n", strstr(b, "nodev\tproc") != 0);
	SHOW(open("/proc/self/nothing", O_RDONLY));
	SHOW(open("/proc/999999999", O_RDONLY));
	SHOW(mkdir("/proc/x", 0700));
	printf("%d\n", slurp("/proc/self/maps") > 0);
	// three writes of 5 bytes and one read of 9 between two looks, and the read of the first look itself
	long r0, w0, rc0, wc0, r1, w1, rc1, wc1;
	int zero = open("/dev/zero", O_RDWR);
	int len = slurp("/proc/self/io");
	printf("io %d\n", sscanf(b, "rchar: %ld\nwchar: %ld\nsyscr: %ld\nsyscw: %ld\n", &r0, &w0, &rc0, &wc0));
	for (int i = 0; i < 3; i++) write(zero, "12345", 5);
	read(zero, b, 9);
	slurp("/proc/self/io");
	sscanf(b, "rchar: %ld\nwchar: %ld\nsyscr: %ld\nsyscw: %ld\n", &r1, &w1, &rc1, &wc1);
	fprintf(stderr, "read %d, written %d in %d\n", r1 - r0 - 9 == len, w1 - w0 >= 15, wc1 - wc0 >= 3);
	return 0;
}
