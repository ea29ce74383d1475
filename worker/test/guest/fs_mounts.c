// Mounts: binds, propagation between peers and slaves, moves, expiry, lazy umount; fsopen, fsmount, move_mount, open_tree, mount_setattr.
#include "guest.h"
#include <sys/mount.h>
#include <sys/statvfs.h>

#define open_tree_(...) syscall(428, __VA_ARGS__)
#define move_mount_(...) syscall(429, __VA_ARGS__)
#define fsopen_(...) syscall(430, __VA_ARGS__)
#define fsconfig_(...) syscall(431, __VA_ARGS__)
#define fsmount_(...) syscall(432, __VA_ARGS__)
#define fspick_(...) syscall(433, __VA_ARGS__)
#define mount_setattr_(...) syscall(442, __VA_ARGS__)

static char here[512];
static void touch(const char *name) { int fd = open(name, O_CREAT | O_WRONLY, 0644); if (fd >= 0) close(fd); }
static int there(const char *name) { return access(name, F_OK) == 0; }

/** What mountinfo says of the mount at `name` below the working directory; groups are shown as letters in the order of their appearance. */
static void info(const char *name) {
	static int groups[32], n;
	char line[1024], path[768], want[768];
	FILE *f = fopen("/proc/self/mountinfo", "r");
	snprintf(want, sizeof want, "%s/%s", here, name);
	printf("%s:", name);
	while (fgets(line, sizeof line, f)) {
		char opts[256];
		int at = 0;
		if (sscanf(line, "%*d %*d %*s %*s %767s %255s%n", path, opts, &at) < 2 || strcmp(path, want)) continue;
		printf(" %s", opts);
		for (char *t = strtok(line + at, " \n"); t && strcmp(t, "-"); t = strtok(0, " \n")) {
			char *c = strchr(t, ':');
			if (!c) { printf(" %s", t); continue; }
			int id = atoi(c + 1), i;
			for (i = 0; i < n && groups[i] != id; i++);
			if (i == n) groups[n++] = id;
			printf(" %.*s:%c", (int)(c - t), t, 'A' + i);
		}
		printf(";");
	}
	printf("\n");
	fclose(f);
}

static void propagation(void) {
	mkdir("p", 0755); mkdir("q", 0755); mkdir("s", 0755);
	TRY(mount("p", "p", "tmpfs", 0, 0));
	TRY(mount(0, "p", 0, MS_SHARED, 0));
	mkdir("p/in", 0755);
	TRY(mount("p", "q", 0, MS_BIND, 0));
	TRY(mount("p", "s", 0, MS_BIND, 0));
	TRY(mount(0, "s", 0, MS_SLAVE, 0));
	info("p"); info("q"); info("s");
	TRY(mount("t", "p/in", "tmpfs", 0, 0));
	touch("p/in/file");
	printf("seen by the peer %d, by the slave %d\n", there("q/in/file"), there("s/in/file"));
	info("p/in"); info("q/in"); info("s/in");
	TRY(umount("q/in"));
	printf("gone at %d %d %d\n", there("p/in/file"), there("q/in/file"), there("s/in/file"));
	TRY(mount("t", "s/in", "tmpfs", 0, 0));
	touch("s/in/own");
	printf("what a slave mounts: %d %d %d\n", there("p/in/own"), there("q/in/own"), there("s/in/own"));
	TRY(umount("s/in"));
	TRY(mount(0, "s", 0, MS_SHARED, 0));
	info("s");
	TRY(mount("t", "q/in", "tmpfs", 0, 0));
	info("s/in");
	TRY(mount("q/in", "p", 0, MS_MOVE, 0));
	TRY(umount("p/in"));
	TRY(mount(0, "q", 0, MS_PRIVATE, 0));
	info("p"); info("q");
	TRY(mount(0, "q", 0, MS_UNBINDABLE, 0));
	info("q");
	mkdir("x", 0755);
	TRY(mount("q", "x", 0, MS_BIND, 0));
	TRY(mount(0, "q", 0, MS_SHARED | MS_PRIVATE, 0));
	TRY(mount(0, "x", 0, MS_PRIVATE, 0));
	TRY(umount("p"));
	info("s");
	TRY(umount("q"));
	TRY(umount("s"));
}

static void old_calls(void) {
	mkdir("a", 0755); mkdir("b", 0755);
	TRY(mount("t", "a", "tmpfs", MS_NOSUID | MS_NODEV, 0));
	info("a");
	touch("a/f");
	TRY(umount2("a", MNT_EXPIRE));
	there("a/f");
	TRY(umount2("a", MNT_EXPIRE));
	TRY(umount2("a", MNT_EXPIRE | MNT_FORCE));
	TRY(umount2("a", MNT_EXPIRE));
	printf("%d\n", there("a/f"));
	TRY(mount("t", "a", "tmpfs", 0, 0));
	int fd = open("a/f", O_CREAT | O_RDWR, 0644);
	TRY(umount("a"));
	TRY(umount2("a", MNT_DETACH));
	TRY(write(fd, "abc", 3));
	char c[4] = "";
	TRY(pread(fd, c, 3, 0));
	printf("%s, gone %d\n", c, !there("a/f"));
	TRY(close(fd));
	TRY(umount("a"));
	TRY(umount2("a", 64));
	TRY(umount2("nowhere", 0));
	TRY(mount("t", "nowhere", "tmpfs", 0, 0));
	TRY(mount("t", "a", "nofs", 0, 0));
	TRY(mount("a", "a", 0, MS_MOVE, 0));
	TRY(mount("t", "a", 0, MS_REMOUNT, 0));
}

struct attr { uint64_t set, clr, propagation, userns; };

static void new_calls(void) {
	TRY(fsopen_("nofs", 0));
	TRY(fsopen_("tmpfs", 2));
	int fs = fsopen_("tmpfs", 1);
	printf("cloexec %d\n", fcntl(fs, F_GETFD));
	TRY(fsmount_(fs, 0, 0));
	TRY(fsconfig_(fs, 0, "ro", "x", 0));
	TRY(fsconfig_(fs, 1, "source", "somewhere", 0));
	TRY(fsconfig_(fs, 1, "source", "twice", 0));
	TRY(fsconfig_(fs, 1, "mode", "0700", 0));
	TRY(fsconfig_(fs, 99, 0, 0, 0));
	TRY(fsconfig_(-1, 6, 0, 0, 0));
	TRY(fsconfig_(0, 6, 0, 0, 0));
	TRY(fsconfig_(fs, 7, 0, 0, 0));
	TRY(fsconfig_(fs, 6, 0, 0, 0));
	TRY(fsconfig_(fs, 6, 0, 0, 0));
	TRY(fsmount_(fs, 0, 0x30));
	int m = fsmount_(fs, 1, 0x2 | 0x4);
	printf("mount %d\n", m >= 0);
	struct stat st;
	fstat(m, &st);
	printf("mode %o\n", st.st_mode);
	int f = openat(m, "early", O_CREAT | O_WRONLY, 0644);
	printf("a file before it is mounted %d\n", f >= 0);
	close(f);
	mkdir("n", 0755);
	TRY(move_mount_(m, "", AT_FDCWD, "n", 0));
	TRY(move_mount_(m, "", AT_FDCWD, "n", 4));
	printf("there %d\n", there("n/early"));
	info("n");
	close(m);
	close(fs);
	printf("still there %d\n", there("n/early"));
	// a copy of it that is nowhere
	int t = open_tree_(AT_FDCWD, "n", 1);
	printf("tree %d early %d\n", t >= 0, faccessat(t, "early", F_OK, 0) == 0);
	TRY(open_tree_(AT_FDCWD, "n", 0x8000));
	struct attr a = {.set = 1};
	TRY(mount_setattr_(t, "", AT_EMPTY_PATH, &a, sizeof a));
	TRY(openat(t, "late", O_CREAT | O_WRONLY, 0644));
	mkdir("o", 0755);
	TRY(move_mount_(t, "", AT_FDCWD, "o", 4));
	info("o");
	close(t);
	a = (struct attr){.clr = 1, .set = 8};
	TRY(mount_setattr_(AT_FDCWD, "o", 0, &a, sizeof a));
	info("o");
	a = (struct attr){.set = 0x10};
	TRY(mount_setattr_(AT_FDCWD, "o", 0, &a, sizeof a));
	a = (struct attr){.clr = 0x70, .set = 0x10};
	TRY(mount_setattr_(AT_FDCWD, "o", 0, &a, sizeof a));
	info("o");
	a = (struct attr){.propagation = MS_SHARED};
	TRY(mount_setattr_(AT_FDCWD, "o", 0, &a, sizeof a));
	info("o");
	TRY(mount_setattr_(AT_FDCWD, "o", 0, &a, 8));
	TRY(mount_setattr_(AT_FDCWD, "o", 1, &a, sizeof a));
	char big[64] = {0};
	big[40] = 1;
	TRY(mount_setattr_(AT_FDCWD, "o", 0, big, sizeof big));
	int p = fspick_(AT_FDCWD, "o", 0);
	TRY(fsconfig_(p, 0, "ro", 0, 0));
	TRY(fsconfig_(p, 7, 0, 0, 0));
	TRY(open("n/no", O_CREAT | O_WRONLY, 0644));
	close(p);
	// dropped without ever being mounted
	t = open_tree_(AT_FDCWD, "n", 1);
	close(t);
	TRY(umount("o"));
	TRY(umount("n"));
	TRY(fspick_(AT_FDCWD, "n", 0));
}

int main(void) {
	setvbuf(stdout, 0, _IOLBF, 0);
	getcwd(here, sizeof here);
	// a place of its own, private whatever the host's mounts are
	mkdir("root", 0755);
	TRY(mount("root", "root", "tmpfs", 0, 0));
	TRY(mount(0, "root", 0, MS_PRIVATE, 0));
	strcat(here, "/root");
	chdir("root");
	old_calls();
	propagation();
	new_calls();
	chdir("..");
	TRY(umount("root"));
	return 0;
}
