// openat2 and its RESOLVE flags, O_PATH, O_TMPFILE, statx, renameat2, close_range, magic links of /proc/self/fd.
#include "guest.h"
#include <sys/syscall.h>
#include <dirent.h>
struct how { uint64_t flags, mode, resolve; };
static int o2(int d, const char *p, uint64_t flags, uint64_t mode, uint64_t resolve) {
	struct how h = {flags, mode, resolve};
	return syscall(437, d, p, &h, sizeof h);
}
static const char *o(int fd) {
	const char *s = fd < 0 ? ename(errno) : "ok";
	if (fd >= 0) close(fd);
	return s;
}
int main(void) {
	mkdir("j", 0755), mkdir("j/k", 0755);
	close(open("out", O_CREAT, 0644)), close(open("j/in", O_CREAT, 0644));
	symlink("../out", "j/up"), symlink("in", "j/s"), symlink("/in", "j/abs");
	int d = open("j", O_PATH | O_DIRECTORY);
	printf("beneath: %s", o(o2(d, "in", O_RDONLY, 0, 8)));
	printf(" %s", o(o2(d, "../out", O_RDONLY, 0, 8)));
	printf(" %s", o(o2(d, "k/../in", O_RDONLY, 0, 8)));
	printf(" %s", o(o2(d, "up", O_RDONLY, 0, 8)));
	printf(" %s", o(o2(d, "s", O_RDONLY, 0, 8)));
	printf(" %s\n", o(o2(d, "/etc", O_RDONLY, 0, 8)));
	printf("in root: %s", o(o2(d, "/in", O_RDONLY, 0, 16)));
	printf(" %s", o(o2(d, "abs", O_RDONLY, 0, 16)));
	printf(" %s", o(o2(d, "../../in", O_RDONLY, 0, 16)));
	printf(" %s\n", o(o2(d, "up", O_RDONLY, 0, 16)));
	printf("no symlinks: %s", o(o2(d, "s", O_RDONLY, 0, 4)));
	printf(" %s", o(o2(d, "in", O_RDONLY, 0, 4)));
	printf(" %s\n", o(o2(d, "s", O_PATH | O_NOFOLLOW, 0, 4)));
	printf("no magic: %s %s\n", o(o2(AT_FDCWD, "/proc/self/cwd/j/in", O_RDONLY, 0, 2)), o(o2(AT_FDCWD, "/proc/self/cwd/j/in", O_RDONLY, 0, 0)));
	printf("no xdev: %s\n", o(o2(AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, 1)));
	printf("bad: %s", o(o2(d, "in", O_RDONLY, 0644, 0)));
	printf(" %s", o(o2(d, "in", O_RDONLY, 0, 0x100)));
	printf(" %s", o(o2(d, "in", O_RDONLY, 0, 24)));
	printf(" %s", o(syscall(437, d, "in", &(struct how){0}, 8)));
	printf(" %s\n", o(o2(d, "new", O_CREAT | O_EXCL | O_RDWR, 0100644, 0)));
	char buf[64];
	SHOW(read(d, buf, 1));
	SHOW(fchmod(d, 0755));
	SHOW(fchdir(d));
	SHOW(fcntl(d, F_GETFL) & O_PATH ? 1 : 0);
	SHOW(chdir(".."));
	int l = open("j/s", O_PATH | O_NOFOLLOW);
	memset(buf, 0, sizeof buf);
	SHOW(readlinkat(l, "", buf, sizeof buf));
	puts(buf);
	struct statx sx;
	SHOW(statx(l, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx));
	printf("link %d size %d\n", S_ISLNK(sx.stx_mode), (int)sx.stx_size);
	SHOW(statx(AT_FDCWD, "j/s", 0, STATX_BASIC_STATS, &sx));
	printf("file %d nlink %d blksize>0 %d\n", S_ISREG(sx.stx_mode), sx.stx_nlink, sx.stx_blksize > 0);
	SHOW(statx(AT_FDCWD, "nope", 0, STATX_BASIC_STATS, &sx));
	SHOW(statx(AT_FDCWD, "j", 0x80000, STATX_BASIC_STATS, &sx));
	int t = open("j", O_TMPFILE | O_RDWR, 0600);
	printf("tmpfile %s\n", t < 0 ? ename(errno) : "ok");
	if (t >= 0) {
		struct stat st;
		fstat(t, &st);
		printf("nlink %d mode %o\n", (int)st.st_nlink, st.st_mode);
		SHOW(write(t, "unnamed", 7));
		char path[64];
		sprintf(path, "/proc/self/fd/%d", t);
		SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
		fstat(t, &st);
		printf("nlink %d\n", (int)st.st_nlink);
		int again = open(path, O_RDONLY);
		memset(buf, 0, sizeof buf);
		SHOW(read(again, buf, 20));
		puts(buf);
		close(again), close(t);
	}
	SHOW(open("j", O_TMPFILE | O_RDONLY, 0600));
	SHOW(open("j", O_CREAT | O_DIRECTORY, 0600));
	SHOW(open("new/", O_CREAT | O_RDWR, 0600));
	SHOW(open(".", O_CREAT | O_RDWR, 0600));
	SHOW(open("out/x", O_RDONLY));
	SHOW(open("out", O_DIRECTORY));
	SHOW(open("j/s", O_NOFOLLOW));
	SHOW(syscall(SYS_renameat2, AT_FDCWD, "out", AT_FDCWD, "j", 2));
	struct stat a, b;
	stat("out", &a), stat("j", &b);
	printf("exchanged %d %d\n", S_ISDIR(a.st_mode), S_ISREG(b.st_mode));
	SHOW(syscall(SYS_renameat2, AT_FDCWD, "out", AT_FDCWD, "j", 1));
	SHOW(syscall(SYS_renameat2, AT_FDCWD, "out", AT_FDCWD, "none", 2));
	SHOW(syscall(SYS_renameat2, AT_FDCWD, "out", AT_FDCWD, "j", 3));
	SHOW(rename("out", "out/k/x"));
	SHOW(rename("out/k", "out"));
	SHOW(rename("j", "out"));
	SHOW(rename("out", "j"));
	SHOW(rename(".", "x"));
	SHOW(rename("nope", "x"));
	for (int i = 20; i < 30; i++) dup2(1, i);
	SHOW(syscall(436, 20, 24, 0));
	printf("%d %d\n", fcntl(24, F_GETFD), fcntl(25, F_GETFD));
	SHOW(syscall(436, 25, ~0u, 4));
	printf("%d\n", fcntl(29, F_GETFD));
	SHOW(syscall(436, 9, 8, 0));
	return 0;
}
