// Access control lists: what they grant to whom, what new files inherit, chmod and set-group-id, what is no list.
#include "guest.h"
#include <grp.h>
#include <sys/xattr.h>
#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
struct entry { uint16_t tag, perm; uint32_t id; };
enum { UO = 1, U = 2, GO = 4, G = 8, M = 16, O = 32, NONE = -1 };
static int set(const char *f, const char *name, int n, const struct entry *e) {
	char buf[512] = {2};
	memcpy(buf + 4, e, n * sizeof *e);
	return setxattr(f, name, buf, 4 + n * sizeof *e, 0);
}
#define SET(f, name, ...) do { struct entry e_[] = {__VA_ARGS__}; int r_ = set(f, name, sizeof e_ / sizeof *e_, e_); printf("%s %s %s: %s\n", f, name + 17, #__VA_ARGS__, r_ ? ename(errno) : "ok"); } while (0)
static void show(const char *f) {
	struct stat st;
	char buf[512];
	struct entry *e = (void *)(buf + 4);
	if (lstat(f, &st)) { printf("%s: %s\n", f, ename(errno)); return; }
	printf("%s %o", f, st.st_mode);
	for (int k = 0; k < 2; k++) {
		ssize_t n = getxattr(f, k ? DEFAULT : ACCESS, buf, sizeof buf);
		if (n < 0) { printf(" %s", ename(errno)); continue; }
		printf(k ? " default" : " access");
		for (int i = 0; i < (n - 4) / 8; i++) printf(" %d%s%.0d:%o", e[i].tag, e[i].id == -1u ? "" : "=", e[i].id == -1u ? 0 : (int)e[i].id, e[i].perm);
	}
	printf("\n");
}
static void who(int uid, int gid, int extra) {
	gid_t g = extra;
	if (seteuid(0) || setgroups(extra ? 1 : 0, &g) || setegid(gid) || seteuid(uid)) puts("who?");
	printf("-- uid %d gid %d %d\n", uid, gid, extra);
}
static void may(const char *f) {
	int r = open(f, O_RDONLY), w = open(f, O_WRONLY);
	printf("%s: read %s write %s exec %s\n", f, r < 0 ? ename(errno) : "ok", w < 0 ? "no" : "ok", faccessat(AT_FDCWD, f, X_OK, AT_EACCESS) ? ename(errno) : "ok");
	if (r >= 0) close(r);
	if (w >= 0) close(w);
}
static void make(const char *f, int mode) { close(open(f, O_CREAT | O_RDWR | O_EXCL, mode)); }
static void listed(const char *f) {
	char buf[256];
	ssize_t n = listxattr(f, buf, sizeof buf);
	printf("list %s:", f);
	for (ssize_t i = 0; i < n; i += strlen(buf + i) + 1) printf(" %s", buf + i);
	printf("\n");
}

static void lists(void) {
	make("f", 0640);
	show("f");
	SET("f", ACCESS, {UO, 6, NONE}, {U, 6, 1000}, {U, 0, 1001}, {GO, 4, NONE}, {G, 7, 50}, {M, 6, NONE}, {O, 0, NONE});
	show("f");
	listed("f");
	who(1000, 1, 0), may("f");
	who(1001, 50, 0), may("f");
	who(1002, 50, 0), may("f");
	who(1002, 1, 50), may("f");
	who(1002, 0, 0), may("f");
	who(1002, 0, 50), may("f");
	who(1003, 1, 0), may("f");
	SHOW(set("f", ACCESS, 0, 0)); SHOW(removexattr("f", ACCESS)); SHOW(chmod("f", 0666));
	who(0, 0, 0);
	may("f");
	SHOW(chmod("f", 0604)); show("f");
	who(1000, 1, 0), may("f");
	who(1003, 1, 0), may("f");
	who(1002, 50, 0), may("f");
	who(0, 0, 0);
	SHOW(chmod("f", 0751)); show("f");
	who(1000, 1, 0), may("f");
	who(1002, 1, 50), may("f");
	who(0, 0, 0);
	SHOW(chown("f", 1000, 0)); show("f");
	who(1000, 1, 0), may("f");
	SET("f", ACCESS, {UO, 4, NONE}, {GO, 2, NONE}, {O, 1, NONE});
	show("f");
	listed("f");
	who(0, 0, 0);
	SHOW(removexattr("f", ACCESS));
	SHOW(removexattr("f", DEFAULT));
	SHOW(getxattr("f", ACCESS, 0, 0));
}
static void searched(void) {
	mkdir("s", 0755), make("s/in", 0644);
	SET("s", ACCESS, {UO, 7, NONE}, {U, 4, 1000}, {GO, 5, NONE}, {M, 7, NONE}, {O, 5, NONE});
	show("s");
	who(1000, 1, 0), may("s/in"); SHOW(chdir("s")); TRY(open("s", O_RDONLY));
	who(1001, 1, 0), may("s/in");
	who(0, 0, 0); SHOW(chmod("s", 0701));
	who(1000, 1, 0), may("s/in");
	who(0, 0, 0), may("s/in");
}
static void inherited(void) {
	mkdir("d", 0777), chmod("d", 0777);
	SET("d", DEFAULT, {UO, 7, NONE}, {U, 6, 1000}, {GO, 5, NONE}, {M, 7, NONE}, {O, 1, NONE});
	show("d"), listed("d");
	umask(077);
	make("d/f", 0666); show("d/f");
	make("d/g", 0600); show("d/g");
	mkdir("d/s", 0777); show("d/s");
	mkdir("d/s/t", 0700); show("d/s/t");
	make("d/s/t/f", 0777); show("d/s/t/f");
	mknod("d/p", S_IFIFO | 0666, 0); show("d/p");
	symlink("x", "d/l"); show("d/l");
	SHOW(link("f", "d/hard")); show("d/hard");
	make("moved", 0666); SHOW(rename("moved", "d/moved")); show("d/moved");
	int fd = open("d", O_TMPFILE | O_RDWR, 0666);
	struct stat st;
	fstat(fd, &st), printf("tmpfile %o %d\n", st.st_mode, (int)fgetxattr(fd, ACCESS, 0, 0)), close(fd);
	SET("d", DEFAULT, {UO, 7, NONE}, {GO, 7, NONE}, {O, 0, NONE});
	make("d/three", 0664); show("d/three");
	mkdir("d/three.d", 0777); show("d/three.d");
	SHOW(removexattr("d", DEFAULT)); SHOW(removexattr("d", DEFAULT)); show("d");
	make("d/none", 0666); show("d/none");
	umask(022);
	who(1000, 1, 0), may("d/f"), may("d/g");
	who(0, 0, 0);
}
static void wrong(void) {
	char big[4 + 8 * 40] = {2};
	make("w", 0644), symlink("w", "wl");
	SET("w", DEFAULT, {UO, 7, NONE}, {GO, 7, NONE}, {O, 0, NONE});
	SET("w", ACCESS, {UO, 7, NONE}, {GO, 7, NONE});
	SET("w", ACCESS, {GO, 7, NONE}, {UO, 7, NONE}, {O, 7, NONE});
	SET("w", ACCESS, {UO, 7, NONE}, {U, 7, 1}, {GO, 7, NONE}, {O, 7, NONE});
	SET("w", ACCESS, {UO, 7, NONE}, {U, 7, NONE}, {GO, 7, NONE}, {M, 7, NONE}, {O, 7, NONE});
	SET("w", ACCESS, {UO, 8, NONE}, {GO, 7, NONE}, {O, 7, NONE});
	SET("w", ACCESS, {UO, 7, NONE}, {GO, 7, NONE}, {O, 7, NONE}, {O, 7, NONE});
	SET("w", ACCESS, {UO, 7, NONE}, {GO, 7, NONE}, {64, 7, NONE}, {O, 7, NONE});
	SET("w", ACCESS, {UO, 7, NONE}, {GO, 5, NONE}, {M, 4, NONE}, {O, 7, NONE});
	show("w");
	SHOW(setxattr("w", ACCESS, big, 3, 0));
	SHOW(setxattr("w", ACCESS, big, 7, 0));
	SHOW(setxattr("w", ACCESS, "\1\0\0\0", 4, 0));
	SHOW(setxattr("w", ACCESS, "\2\0\0\0", 4, XATTR_REPLACE));
	show("w");
	SHOW(setxattr("w", ACCESS, 0, 0, XATTR_CREATE));
	SHOW(setxattr("w", ACCESS, 0, 0, 4));
	SHOW(lsetxattr("wl", ACCESS, "\2\0\0\0", 4, 0));
	SHOW(lgetxattr("wl", ACCESS, 0, 0));
	SHOW(setxattr("w", "system.other", "x", 1, 0));
	SHOW(getxattr("w", "system.other", 0, 0));
	SHOW(removexattr("w", "system.other"));
	SHOW(setxattr("w", "system.", "x", 1, 0));
	SET("w", ACCESS, {UO, 7, NONE}, {U, 6, 0x7fffffff}, {GO, 7, NONE}, {M, 7, NONE}, {O, 7, NONE});
	show("w");
	SHOW(getxattr("w", ACCESS, big, 8));
	SHOW(getxattr("w", ACCESS, 0, 0));
	who(1000, 1, 0); SET("w", ACCESS, {UO, 7, NONE}, {GO, 7, NONE}, {O, 7, NONE}); SHOW(removexattr("w", ACCESS));
	SHOW(setxattr("w", "security.x", "x", 1, 0));
	who(0, 0, 0);
	for (int i = 0; i < 30; i++) { struct entry e = {U, 7, 100 + i}; memcpy(big + 12 + 8 * i, &e, 8); }
	memcpy(big + 4, &(struct entry){UO, 7, NONE}, 8), memcpy(big + 252, &(struct entry){GO, 7, NONE}, 8), memcpy(big + 260, &(struct entry){M, 7, NONE}, 8), memcpy(big + 268, &(struct entry){O, 7, NONE}, 8);
	SHOW(setxattr("w", ACCESS, big, 276, 0));
	SHOW(getxattr("w", ACCESS, 0, 0));
	SHOW(chmod("w", 0600));
	SHOW(getxattr("w", ACCESS, big, sizeof big));
	printf("mask %o\n", ((struct entry *)(big + 260))->perm);
}
static void group_bit(void) {
	make("x", 0750); SHOW(chown("x", 1000, 60)); SHOW(chmod("x", 02750)); show("x");
	who(1000, 60, 0);
	SET("x", ACCESS, {UO, 7, NONE}, {GO, 7, NONE}, {O, 0, NONE}); show("x");
	who(1000, 1, 60);
	SET("x", ACCESS, {UO, 7, NONE}, {GO, 5, NONE}, {O, 0, NONE}); show("x");
	who(1000, 1, 0);
	SET("x", ACCESS, {UO, 7, NONE}, {U, 5, 5}, {GO, 7, NONE}, {M, 7, NONE}, {O, 0, NONE}); show("x");
	who(0, 0, 0);
	SHOW(mkdir("sg", 0777)); SHOW(chown("sg", 1000, 60)); SHOW(chmod("sg", 02777));
	SET("sg", DEFAULT, {UO, 7, NONE}, {U, 7, 9}, {GO, 7, NONE}, {M, 7, NONE}, {O, 5, NONE}); show("sg");
	who(1000, 1, 0);
	make("sg/f", 02777); show("sg/f");
	mkdir("sg/d", 0777); show("sg/d");
	who(0, 0, 0);
}
int main(void) {
	umask(022);
	lists();
	searched();
	inherited();
	wrong();
	group_bit();
	// the same in a tmpfs
	mkdir("/dev/shm/fs_acl", 0755), chdir("/dev/shm/fs_acl");
	make("f", 0644), symlink("f", "l");
	inherited();
	SET("f", ACCESS, {UO, 6, NONE}, {U, 6, 1000}, {GO, 4, NONE}, {M, 6, NONE}, {O, 0, NONE});
	listed("f");
	SHOW(chmod("f", 0604));
	show("f");
	SHOW(lsetxattr("l", ACCESS, "\2\0\0\0", 4, 0));
	char *made[] = {"f", "l", "d/f", "d/g", "d/s/t/f", "d/s/t", "d/s", "d/p", "d/l", "d/hard", "d/moved", "d/three", "d/three.d", "d/none", "d", "../fs_acl"};
	for (int i = 0; i < 16; i++) if (remove(made[i])) puts(made[i]);
	return 0;
}
