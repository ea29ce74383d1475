// worker/test/guest/differ/differ.c — long random sequences of system calls, each written down with all that it said: the same on every Linux.
//
//   differ host LIST ROOT    on a host, as root: in namespaces of its own, with ROOT (an empty folder on ext4) as its root, does what pid 1 of a guest does
//   differ                   as pid 1 of a guest: LIST is /differ.list
//
// A line of LIST is FAMILY SEED STEPS FS (ext4 or ramfs). A sequence has actors, processes that make the calls in turn, so that only one thing happens at a
// time; pid 1 tells an actor the state of the dice, and gets back the line it has written and the dice. An actor that sleeps is woken by a signal after a
// moment (EINTR). All processes of a sequence are gone before the next begins.
#include "differ.h"
#include <fcntl.h>
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

extern char **environ;
int self;
char folder[256];

struct order { uint32_t dice; int what; }; // what: 0 a step, 1 a step with the times of files watched, 2 the folder shown, 3 before the first step
struct answer { uint32_t dice; uint32_t length; };

static bool whole(int fd, void *data, size_t n, bool out) {
	for (size_t at = 0; at < n;) {
		ssize_t r = out ? write(fd, (char *)data + at, n - at) : read(fd, (char *)data + at, n - at);
		if (r < 0 && errno == EINTR) continue;
		if (r <= 0) return false;
		at += r;
	}
	return true;
}

pid_t spawn(const char *what) {
	char *argv[] = {"differ", "child", (char *)what, 0};
	pid_t pid = vfork();
	if (!pid) {
		execv("/differ", argv);
		_exit(127);
	}
	return pid;
}

static const struct family *family_named(const char *name) {
	for (const struct family *f = families; f->name; f++) if (!strcmp(f->name, name)) return f;
	return 0;
}

// ---- an actor

static void on_wake(int signal) { (void)signal; }

static const char *const watched[] = {".", "a", "b", "c", "d", "e", "d/a", "d/b", "e/a", "e/b"};
enum { WATCHED = sizeof watched / sizeof *watched };

static void watch(struct stat *st) {
	for (int i = 0; i < WATCHED; i++) {
		char path[400];
		sprintf(path, "%s/%s", folder, watched[i]);
		if (lstat(path, &st[i])) memset(&st[i], 0, sizeof *st);
	}
}

static bool same_time(struct timespec a, struct timespec b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

static void show_folder(const char *path, int depth) {
	struct dirent **names;
	int n = scandir(path, &names, 0, alphasort);
	for (int i = 0; i < n; i++) {
		char below_it[1000];
		struct stat st;
		if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, "..")) {
			snprintf(below_it, sizeof below_it, "%s/%s", path, names[i]->d_name);
			if (!lstat(below_it, &st)) {
				say("\n  %s", shown(below_it + strlen(folder) + 1));
				say_stat(&st);
				if (S_ISREG(st.st_mode) && st.st_size < 1 << 22) {
					static char data[1 << 16];
					int fd = open(below_it, O_RDONLY | O_NONBLOCK);
					uint32_t sum = 0;
					for (ssize_t r; fd >= 0 && (r = read(fd, data, sizeof data)) > 0;) for (ssize_t k = 0; k < r; k++) sum = sum * 31 + (unsigned char)data[k];
					if (fd >= 0) close(fd);
					say(" #%08x", sum);
				}
				if (S_ISDIR(st.st_mode) && depth < 4) show_folder(below_it, depth + 1);
			}
		}
		free(names[i]);
	}
	if (n >= 0) free(names);
}

static int actor(const struct family *f, int number) {
	self = number;
	if (!getcwd(folder, sizeof folder)) return 9;
	fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
	struct sigaction wake = {.sa_handler = on_wake};
	sigaction(WAKE, &wake, 0);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = WAKE};
	int timer;
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer)) return 8;
	struct order order;
	while (whole(CONTROL, &order, sizeof order, false)) {
		struct stat before[WATCHED], after[WATCHED];
		static const struct itimerspec soon = {{0, 30000000}, {0, 30000000}}, never;
		line_length = 0;
		dice = order.dice;
		if (order.what == 2) show_folder(folder, 0);
		else if (order.what == 3) {
			if (f->start) f->start(number);
		} else {
			if (order.what == 1) {
				struct timespec tick = {0, 12000000};
				// links that are followed for this have been read by then
				watch(before);
				nanosleep(&tick, 0);
				watch(before);
				watch(before);
			}
			syscall(SYS_timer_settime, timer, 0, &soon, 0);
			f->step();
			syscall(SYS_timer_settime, timer, 0, &never, 0);
			if (order.what == 1) {
				watch(after);
				for (int i = 0; i < WATCHED; i++) {
					struct stat *a = &before[i], *b = &after[i];
					if (!a->st_ino || a->st_ino != b->st_ino) continue;
					bool at = !same_time(a->st_atim, b->st_atim), mt = !same_time(a->st_mtim, b->st_mtim), ct = !same_time(a->st_ctim, b->st_ctim);
					if (at || mt || ct) say(" [%s:%s%s%s]", watched[i], at ? " a" : "", mt ? " m" : "", ct ? " c" : "");
				}
			}
		}
		struct answer answer = {dice, line_length};
		if (!whole(CONTROL, &answer, sizeof answer, true) || !whole(CONTROL, line, line_length, true)) return 7;
	}
	return 0;
}

// ---- pid 1

static FILE *out;

struct player { pid_t pid; int control; };

/** What the actor said, or how it ended. @returns false if it is gone */
static bool listen_to(struct player *p, struct answer *answer) {
	struct pollfd poll_it = {p->control, POLLIN, 0};
	int status;
	int late = poll(&poll_it, 1, 10000) == 0;
	if (late) kill(p->pid, SIGKILL);
	if (!late && whole(p->control, answer, sizeof *answer, false) && whole(p->control, line, answer->length, false)) {
		line[answer->length] = 0;
		return true;
	}
	waitpid(p->pid, &status, 0);
	line_length = 0;
	say(late ? " LATE" : " GONE");
	say_status(status);
	close(p->control);
	p->pid = -1;
	return false;
}

static void start_actor(struct player *p, const struct family *f, int number, const char *place) {
	int ends[2];
	char n[12];
	sprintf(n, "%d", number);
	char *argv[] = {"differ", "actor", (char *)f->name, n, 0};
	p->pid = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return;
	p->control = ends[0];
	pid_t pid = vfork();
	if (!pid) {
		setsid();
		dup2(ends[1], CONTROL);
		if (chdir(place) == 0) execv("/differ", argv);
		_exit(126);
	}
	close(ends[1]);
	p->pid = pid;
	struct order order = {dice, 3};
	struct answer answer;
	whole(p->control, &order, sizeof order, true);
	listen_to(p, &answer);
}

static void sweep(void) {
	kill(-1, SIGKILL);
	while (waitpid(-1, 0, 0) > 0);
	// what System V keeps
	for (int i = 0; i < 40; i++) {
		char buffer[512];
		long id;
		if ((id = syscall(SYS_msgctl, i, 11 /* MSG_STAT */, buffer)) >= 0) syscall(SYS_msgctl, (int)id, 0, 0);
		if ((id = syscall(SYS_shmctl, i, 13, buffer)) >= 0) syscall(SYS_shmctl, (int)id, 0, 0);
		if ((id = syscall(SYS_semctl, i, 0, 18, buffer)) >= 0) syscall(SYS_semctl, (int)id, 0, 0, 0);
	}
}

static void sequence(const struct family *f, const char *name, uint32_t seed, int steps, const char *fs) {
	static int count;
	char place[64];
	struct player players[ACTORS];
	sprintf(place, "/%s/%d", fs, ++count);
	mkdir(place, 0777);
	chmod(place, 0777);
	fprintf(out, "=== %s %u %d %s\n", name, seed, steps, fs);
	uint32_t first = seed * 2654435761u + 12345;
	dice = first ? first : 1;
	for (int i = 0; i < f->actors; i++) start_actor(&players[i], f, i, place);
	dice = first ? first : 1;
	for (int i = 0; i < 10; i++) below(2);
	for (int i = 0; i < steps; i++) {
		int k = below(f->actors);
		struct answer answer = {0};
		struct order order = {0, f->files && seldom(6)};
		if (players[k].pid < 0) start_actor(&players[k], f, k, place);
		order.dice = dice;
		if (!whole(players[k].control, &order, sizeof order, true)) memcpy(line, " DEAF", 6);
		if (listen_to(&players[k], &answer) && answer.dice) dice = answer.dice;
		else below(2);
		fprintf(out, "%d.%d%s\n", i, k, line);
	}
	if (f->files) {
		struct player last;
		struct order order = {1, 2};
		struct answer answer = {0};
		start_actor(&last, f, 0, place);
		whole(last.control, &order, sizeof order, true);
		listen_to(&last, &answer);
		fprintf(out, "end%s\n", line);
		close(last.control);
	}
	for (int i = 0; i < f->actors; i++) if (players[i].pid > 0) close(players[i].control);
	fflush(out);
	sweep();
}

static void loopback_up(void) {
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	ioctl(s, SIOCSIFFLAGS, &request);
	close(s);
}

/** The same names on both sides. */
static void furnish(bool guest) {
	static const struct { const char *name; mode_t mode; int major, minor; } nodes[] = {
		{"null", 0666, 1, 3}, {"zero", 0666, 1, 5}, {"full", 0666, 1, 7}, {"random", 0666, 1, 8}, {"urandom", 0666, 1, 9}, {"tty", 0666, 5, 0}};
	static const char *const folders[] = {"/proc", "/dev", "/tmp", "/ext4", "/ramfs"};
	for (int i = 0; i < 5; i++) {
		mkdir(folders[i], 0777);
		chmod(folders[i], 0777);
	}
	mount("proc", "/proc", "proc", 0, 0);
	mount("tmpfs", "/dev", "ramfs", 0, "mode=755");
	mount("ramfs", "/ramfs", "ramfs", 0, "mode=777");
	chmod("/ramfs", 0777);
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 01777);
	mkdir("/dev/mqueue", 01777);
	umask(0);
	for (int i = 0; i < 6; i++) {
		char path[40];
		sprintf(path, "/dev/%s", nodes[i].name);
		mknod(path, S_IFCHR | nodes[i].mode, makedev(nodes[i].major, nodes[i].minor));
	}
	mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,gid=5,mode=620");
	symlink("pts/ptmx", "/dev/ptmx");
	loopback_up();
	if (guest) {
		// what the host has set
		FILE *f = fopen("/proc/sys/fs/protected_hardlinks", "w");
		fputs("1", f);
		fclose(f);
	}
	umask(022);
}

static int all(const char *list, bool guest) {
	char name[40], fs[10];
	unsigned seed;
	int steps;
	furnish(guest);
	// not everybody's root has it
	setpriority(PRIO_PROCESS, 0, 0);
	prctl(PR_CAPBSET_DROP, 24 /* CAP_SYS_RESOURCE */);
	FILE *f = fopen(list, "re");
	if (!f) return 1;
	int null = open("/dev/null", O_RDWR);
	if (dup2(null, 0) != 0) return 1;
	if (null > 2) close(null);
	out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 50), "w");
	dup2(0, 1);
	dup2(0, 2);
	while (fscanf(f, "%39s %u %d %9s", name, &seed, &steps, fs) == 4) {
		const struct family *g = family_named(name);
		if (g) sequence(g, name, seed, steps, fs);
	}
	fprintf(out, "=== end\n");
	fflush(out);
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 4 && !strcmp(argv[1], "actor")) {
		const struct family *f = family_named(argv[2]);
		return f ? actor(f, atoi(argv[3])) : 2;
	}
	if (argc == 3 && !strcmp(argv[1], "child")) {
		child(argv[2]);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "families")) {
		for (const struct family *f = families; f->name; f++) printf("%s%s\n", f->name, f->files ? " files" : "");
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "host")) {
		if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID)) {
			perror("unshare");
			return 1;
		}
		if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) || mount(argv[3], argv[3], 0, MS_BIND, 0) || chroot(argv[3]) || chdir("/")) {
			perror("root");
			return 1;
		}
		char *again[] = {"differ", "init", argv[2], 0};
		pid_t pid = vfork();
		if (!pid) {
			execv("/differ", again);
			_exit(127);
		}
		int status = 0;
		waitpid(pid, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	}
	if (getpid() != 1) return 2;
	int r = all(argc == 3 ? argv[2] : "/differ.list", argc != 3);
	if (argc == 3) return r;
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
