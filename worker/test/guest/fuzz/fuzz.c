// worker/test/guest/fuzz/fuzz.c — pid 1 of a machine of which nobody knows what it will do: several processes make random system calls.
//
//   fuzz SEED CALLS    CALLS calls in all, then the machine is powered off
//
// Each process is this program again (vfork and exec), in a folder of its own. What kind of arguments a call takes is in calls.h, which comes from the
// kernel's own table. Random addresses are the caller's own memory, or none at all: without an MMU a wild write would be a fair end of this program.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// { number, kinds }: f descriptor, p path, s signal, a address, n pid, i 32 bits, l 64 bits
static const struct call { short nr; const char kinds[7]; } calls[] = {
#include "calls.h"
};
enum { CALLS = sizeof calls / sizeof *calls, PROCESSES = 4, ARENA = 1 << 16, EACH = 2000 };

static uint32_t x;
static uint32_t next(void) {
	x ^= x << 13;
	x ^= x >> 17;
	return x ^= x << 5;
}
static uint32_t below(uint32_t n) { return next() % n; }

static char arena[ARENA] __attribute__((aligned(4096)));
static long mapped[8];
static pid_t others[PROCESSES];

static const char *const paths[] = {
	"a", "b", "d", "d/c", "d/../a", "..", ".", "/", "", "link", "fifo", "socket", "/proc/self/maps", "/proc/self/status", "/proc/self/fd/3", "/proc/self/fd", "/proc/mounts", "/proc/self/comm",
	"/proc/sys/kernel/hostname", "/proc/zpoline", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/ptmx", "/dev/tty", "/tmp/x", "/tmp", "/sys", "/bin/busybox", "/no/such", "d/c/e", "user.x", "tmpfs", "ext4",
};

/** A number of the sort that makes trouble. */
static long number(void) {
	static const long known[] = {0, 0, 0, 1, 1, 2, 3, 4, 5, 7, 8, 12, 16, 24, 64, 100, 127, 128, 255, 256, 4095, 4096, 8192, 65536, 1 << 20, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, -1, -2, -100, -4096};
	switch (below(8)) {
	case 0: return 1L << below(63);
	case 1: return 1L << below(16) | 1L << below(24);
	case 2: return next();
	case 3: return (long)next() << 32 | next();
	default: return known[below(sizeof known / sizeof *known)];
	}
}

static long address(void) {
	long own = (long)arena + below(ARENA / 2);
	switch (below(16)) {
	case 0: return 0;
	case 1: return mapped[below(8)];
	case 2: return (long)arena + ARENA - 8; // what follows is ours as well
	case 3: { static const long bad[] = {1L << 47, -1, -4096, 1L << 62, 1L << 32, 3L << 40, INT64_MIN, 8}; return bad[below(8)]; }
	case 4: case 5: return own;
	default: return own & ~15L;
	}
}

static long argument(char kind) {
	switch (kind) {
	case 'f': return below(16) ? below(24) : number();
	case 'p': return below(12) ? (long)paths[below(sizeof paths / sizeof *paths)] : address();
	case 's': return below(8) ? below(66) : number();
	case 'n': return below(4) == 0 ? others[below(PROCESSES)] : below(3) ? 0 : below(2) ? getpid() : 99999;
	case 'a': return address();
	// a length that runs over everybody's memory ends the machine: seldom
	case 'l': return below(24) == 0 ? number() : below(3) ? below(24) : below(ARENA / 2);
	default: return below(3) ? number() : below(24);
	}
}

/** Words that look like what system calls read: lengths, addresses, flags, descriptors, times. */
static void stir(void) {
	for (int n = below(200); n > 0; n--) {
		long *word = (long *)arena + below(ARENA / 8), v = below(2) ? number() : below(2) ? address() : below(100);
		if (below(2)) *word = v;
		else *(int *)word = (int)v;
	}
	strcpy(arena + 16 * below(256), paths[below(sizeof paths / sizeof *paths)]);
}

/** The call itself. A child that shares our stack must not return on it: what clone makes ends at once. */
static long raw(long nr, const long *a) {
	long r;
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	_Bool clones = nr == SYS_clone || nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone3;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "test %[clones], %[clones]\n\t"
			 "jz 1f\n"
			 "0:\tmov $60, %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n\t"
			 "jmp 0b\n"
			 "1:"
			 : "=a"(r) : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9), [clones] "r"((int)clones) : "rcx", "r11", "memory");
	return r;
}

static void on_alarm(int signal) { (void)signal; }

static int child(uint32_t seed, int k) {
	x = seed * 2654435761u + k * 40503u + 1;
	char name[16];
	sprintf(name, "/w/%d", k);
	mkdir(name, 0777);
	if (chdir(name)) return 1;
	mkdir("d", 0777);
	mkfifo("fifo", 0666);
	symlink("a", "link");
	for (int i = 0; i < 6; i++) open(i < 3 ? "a" : "b", O_RDWR | O_CREAT | (i & 1 ? O_NONBLOCK : 0), 0666);
	int pair[2];
	if (pipe(pair) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
	for (int i = 0; i < PROCESSES; i++) others[i] = getppid() + 1 + i;
	for (int i = 0; i < EACH; i++) {
		if (i % 16 == 0) {
			// what sleeps is woken, unless it has seen to it that nothing wakes it: then pid 1 ends it
			struct sigaction wake = {.sa_handler = on_alarm};
			sigaction(SIGALRM, &wake, 0);
			ualarm(2000, 2000);
			stir();
		}
		const struct call *c = &calls[below(CALLS)];
		long a[6] = {0};
		for (int n = 0; c->kinds[n]; n++) a[n] = argument(c->kinds[n]);
		// memory that others may hold by now is not given back twice, nor the program's own
		if ((c->nr == SYS_munmap || c->nr == SYS_mremap) && below(8)) a[0] = mapped[below(8)];
		else if (c->nr == SYS_munmap || c->nr == SYS_mremap) a[0] = number() | 1;
		long r = raw(c->nr, a);
		if (c->nr == SYS_mmap && r > 0) mapped[below(8)] = r;
		if (c->nr == SYS_munmap) for (int n = 0; n < 8; n++) if (mapped[n] == a[0]) mapped[n] = 0;
	}
	return 0;
}

int main(int argc, char **argv) {
	if (argc < 3) return 2;
	uint32_t seed = strtoul(argv[1], 0, 10);
	if (getpid() != 1) return child(seed, atoi(argv[2]));
	int left = atoi(argv[2]) / EACH, ends[3] = {0};
	pid_t pid[PROCESSES] = {0};
	long born[PROCESSES];
	x = seed * 2654435761u | 1;
	mkdir("/w", 0777);
	mount("proc", "/proc", "proc", 0, 0);
	mount("dev", "/dev", "devtmpfs", 0, 0);
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, 0);
	unlink("/dev/ubda"); // the disk below the file system: writing there is no fault of the kernel's
	for (long tick = 0;; tick++) {
		int running = 0;
		for (int k = 0; k < PROCESSES; k++) {
			if (pid[k] == 0 && left > 0) {
				char s[12], n[12];
				sprintf(s, "%u", next());
				sprintf(n, "%d", k);
				left--;
				born[k] = tick;
				if ((pid[k] = vfork()) == 0) {
					execl("/proc/self/exe", "fuzz", s, n, (char *)0);
					execl("/fuzz", "fuzz", s, n, (char *)0);
					_exit(3);
				}
			}
			if (pid[k] > 0 && tick - born[k] > 200) kill(pid[k], SIGKILL);
			else if (pid[k] > 0) kill(pid[k], SIGCONT);
			running += pid[k] > 0;
		}
		if (!running) break;
		struct timespec pause = {0, 20000000};
		nanosleep(&pause, 0);
		int status;
		for (pid_t p; (p = waitpid(-1, &status, WNOHANG)) > 0;)
			for (int k = 0; k < PROCESSES; k++)
				if (pid[k] == p) {
					pid[k] = 0;
					ends[WIFEXITED(status) ? 0 : WTERMSIG(status) == SIGKILL ? 1 : 2]++;
				}
	}
	printf("fuzz: %d processes exited, %d were killed, %d died of another signal\n", ends[0], ends[1], ends[2]);
	fflush(stdout);
	kill(-1, SIGKILL);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
