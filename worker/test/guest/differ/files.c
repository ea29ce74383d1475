// differ/files.c — files and directories: names, descriptors, permissions, times.
#include "differ.h"
#include "families.h"
#include <dirent.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>

static char data[70000];

void start_files(int actor) {
	for (size_t i = 0; i < sizeof data; i++) data[i] = 'a' + i % 26 + actor;
	umask(actor ? 0 : 022);
	if (!actor && mkdir("d", 0777) == 0) {
		mkdir("e", 01777);
		chmod("d", 0777);
		chmod("e", 01777);
		symlink("a", "s");
		symlink("d", "t");
		mkfifo("p", 0666);
		close(open("a", O_CREAT | O_RDWR, 0666));
		chmod("a", 0666);
		close(open("d/b", O_CREAT | O_RDWR, 0644));
	}
	if (actor) {
		syscall(SYS_setgroups, 0, 0);
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 0);
		seteuid(1000);
	}
}

static int at(void) { return seldom(5) ? any_fd() : AT_FDCWD; }
static mode_t mode(void) { return seldom(3) ? below(010000) : ONE(0644, 0666, 0755, 0700, 04755, 02755, 01777, 0600, 0444, 0); }
/** Sizes beyond what can be had in one piece are no sizes to ramfs without an MMU. */
static off_t offset(void) { return seldom(20) && !strstr(folder, "ramfs") ? ONE(-1, 1L << 52, 1L << 44, -4096, INT64_MIN) : ONE(0, 0, 1, 10, 100, 4095, 4096, 5000, 8192, 20000, 65536, 100000); }
static size_t length(void) { return ONE(0, 1, 10, 26, 100, 1000, 4096, 5000, 8192, 60000); }

static void open_one(void) {
	int d = at();
	const char *p = any_path();
	long f = ONE(O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, 3) | SOME(2, O_CREAT) | SOME(8, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW) | SOME(16, O_PATH, O_NOATIME, O_CLOEXEC, O_SYNC, O_DSYNC) | O_NONBLOCK;
	if (seldom(15)) f |= O_TMPFILE;
	if (seldom(25)) f &= ~O_NONBLOCK;
	mode_t m = mode();
	say(" openat(%d, %s, 0%lo, 0%o)", d, shown(p), f, m);
	long fd = sys(SYS_openat, d, p, f, m);
	if (fd >= 0) {
		struct stat st;
		say(" fl=%o fd=%d", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
		if (fstat(fd, &st) == 0) say_stat(&st);
	}
	// keep the table small
	if (fd > 11) close(fd);
}

static void close_one(void) {
	int fd = any_fd();
	if (fd < 0 || fd == CONTROL || seldom(4)) {
		unsigned a = 3 + below(10), b = a + below(5) - (seldom(10) ? 5 : 0);
		if (b > 40) b = 40;
		int f = ONE(0, 0, 4, 1);
		say(" close_range(%u, %u, %d)", a, b, f);
		sys(SYS_close_range, a, b, f);
		return;
	}
	say(" close(%d)", fd);
	sys(SYS_close, fd);
}

static void dup_one(void) {
	int a = any_fd(), b = 3 + below(9), f = ONE(0, 0, O_CLOEXEC, O_CLOEXEC, O_NONBLOCK);
	switch (below(4)) {
	case 0:
		say(" dup(%d)", a);
		if (sys(SYS_dup, a) > 11) syscall(SYS_close_range, 12, 40, 0);
		break;
	case 1:
		say(" dup2(%d, %d)", a, b);
		sys(SYS_dup2, a, b);
		break;
	case 2:
		say(" dup3(%d, %d, 0%o)", a, b, f);
		sys(SYS_dup3, a, b, f);
		break;
	default:
		b = ONE(0, 5, 20, -1, 1 << 30);
		f = ONE(F_DUPFD, F_DUPFD_CLOEXEC);
		say(" fcntl(%d, %d, %d)", a, f, b);
		sys(SYS_fcntl, a, f, b);
		syscall(SYS_close_range, 12, 40, 0);
	}
}

static void names(void) {
	int d = at(), e = at();
	const char *p = any_path(), *q = any_path();
	mode_t m = mode();
	long f;
	switch (below(16)) {
	case 0: case 1:
		say(" mkdirat(%d, %s, 0%o)", d, shown(p), m);
		sys(SYS_mkdirat, d, p, m);
		break;
	case 2: case 3:
		f = SOME(3, AT_REMOVEDIR) | SOME(30, AT_SYMLINK_NOFOLLOW);
		say(" unlinkat(%d, %s, %lx)", d, shown(p), f);
		sys(SYS_unlinkat, d, p, f);
		break;
	case 4: case 5: case 6:
		f = SOME(5, 1, 2) | SOME(30, 4, 8);
		say(" renameat2(%d, %s, %d, %s, %ld)", d, shown(p), e, shown(q), f);
		sys(SYS_renameat2, d, p, e, q, f);
		break;
	case 7: case 8:
		f = SOME(4, AT_SYMLINK_FOLLOW) | SOME(6, AT_EMPTY_PATH) | SOME(30, AT_SYMLINK_NOFOLLOW);
		if (f & AT_EMPTY_PATH && below(2)) p = "", d = any_fd();
		say(" linkat(%d, %s, %d, %s, %lx)", d, shown(p), e, shown(q), f);
		sys(SYS_linkat, d, p, e, q, f);
		break;
	case 9: case 10:
		say(" symlinkat(%s, %d, %s)", shown(p), d, shown(q));
		sys(SYS_symlinkat, p, d, q);
		break;
	case 11: {
		char b[5000];
		size_t n = ONE(sizeof b, 5, 1, 0, 4096);
		if (seldom(6)) p = "", d = any_fd();
		say(" readlinkat(%d, %s, %zu)", d, shown(p), n);
		long r = sys(SYS_readlinkat, d, p, b, n);
		if (r > 0 && *b != '/') say_bytes(b, r);
		break;
	}
	case 12: {
		m = (m & 07777) | ONE(S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFDIR, S_IFLNK, 0, 0170000);
		dev_t dev = ONE(0x103, 0, 0x105);
		say(" mknodat(%d, %s, 0%o, %lx)", d, shown(p), m, (long)dev);
		sys(SYS_mknodat, d, p, m, dev);
		break;
	}
	case 13:
		say(" rmdir(%s)", shown(p));
		sys(SYS_rmdir, p);
		break;
	case 14:
		say(" unlink(%s)", shown(p));
		sys(SYS_unlink, p);
		break;
	case 15: {
		char b[5000];
		if (seldom(3)) {
			int fd = any_fd();
			say(" fchdir(%d)", fd);
			sys(SYS_fchdir, fd);
		} else {
			say(" chdir(%s)", shown(p));
			sys(SYS_chdir, p);
		}
		size_t n = ONE(sizeof b, 4096, 3, 0, 1);
		say("; getcwd(%zu)", n);
		long r = sys(SYS_getcwd, b, n);
		if (r > 0) say_bytes(b + (r > (long)strlen(folder) && !strncmp(b, folder, strlen(folder)) ? strlen(folder) : 0), strlen(b) - (strncmp(b, folder, strlen(folder)) ? 0 : strlen(folder)));
		if (seldom(2)) chdir(folder);
		break;
	}
	}
}

static void look(void) {
	int d = at();
	const char *p = any_path();
	struct stat st;
	switch (below(5)) {
	case 0: case 1: {
		long f = SOME(2, AT_SYMLINK_NOFOLLOW) | SOME(5, AT_EMPTY_PATH) | SOME(20, AT_NO_AUTOMOUNT);
		if (f & AT_EMPTY_PATH && below(2)) p = "", d = any_fd();
		say(" newfstatat(%d, %s, %lx)", d, shown(p), f);
		if (sys(SYS_newfstatat, d, p, &st, f) == 0) say_stat(&st);
		break;
	}
	case 2: {
		int fd = any_fd();
		say(" fstat(%d)", fd);
		if (sys(SYS_fstat, fd, &st) == 0) say_stat(&st);
		break;
	}
	case 3: {
		struct statx sx;
		long f = SOME(3, AT_SYMLINK_NOFOLLOW) | SOME(6, AT_EMPTY_PATH) | SOME(20, AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC), m = seldom(20) ? (long)0x80000000 : ONE(0xfff, 0x7ff, 0, 1, 0x200);
		if (f & AT_EMPTY_PATH && below(2)) p = "", d = any_fd();
		memset(&sx, 0, sizeof sx);
		say(" statx(%d, %s, %lx, %lx)", d, shown(p), f, m);
		if (sys(SYS_statx, d, p, f, m, &sx) == 0) say(" {mask=%x mode=%o nlink=%u size=%ld blksize=%u}", sx.stx_mask & 0x73f, sx.stx_mode, sx.stx_nlink, S_ISDIR(sx.stx_mode) ? 0 : (long)sx.stx_size, sx.stx_blksize);
		break;
	}
	case 4: {
		long m = seldom(10) ? 8 : below(8), f = SOME(3, AT_EACCESS) | SOME(6, AT_SYMLINK_NOFOLLOW) | SOME(8, AT_EMPTY_PATH) | SOME(50, 1);
		say(" faccessat2(%d, %s, %ld, %lx)", d, shown(p), m, f);
		sys(SYS_faccessat2, d, p, m, f);
		break;
	}
	}
}

static void attributes(void) {
	int d = at(), fd = any_fd();
	const char *p = any_path();
	mode_t m = mode();
	long f;
	uid_t u = seldom(12) ? 70000 : ONE(-1, 0, 1000, 1001), g = ONE(-1, 0, 1000, 1001);
	switch (below(9)) {
	case 0:
		say(" fchmodat(%d, %s, 0%o)", d, shown(p), m);
		sys(SYS_fchmodat, d, p, m);
		break;
	case 1:
		say(" fchmod(%d, 0%o)", fd, m);
		sys(SYS_fchmod, fd, m);
		break;
	case 2:
		f = SOME(2, AT_SYMLINK_NOFOLLOW) | SOME(4, AT_EMPTY_PATH) | SOME(30, 1);
		if (f & AT_EMPTY_PATH && below(2)) p = "", d = fd;
		say(" fchmodat2(%d, %s, 0%o, %lx)", d, shown(p), m, f);
		sys(452, d, p, m, f);
		break;
	case 3:
		f = SOME(2, AT_SYMLINK_NOFOLLOW) | SOME(4, AT_EMPTY_PATH) | SOME(30, 1);
		if (f & AT_EMPTY_PATH && below(2)) p = "", d = fd;
		say(" fchownat(%d, %s, %d, %d, %lx)", d, shown(p), (int)u, (int)g, f);
		sys(SYS_fchownat, d, p, u, g, f);
		break;
	case 4:
		say(" fchown(%d, %d, %d)", fd, (int)u, (int)g);
		sys(SYS_fchown, fd, u, g);
		break;
	case 5: case 6: {
		struct timespec t[2];
		for (int i = 0; i < 2; i++) {
			t[i].tv_sec = ONE(0, 1, 1000, 100000, 999999999, -1, 1L << 33);
			t[i].tv_nsec = ONE(0, 1, 999999999, 500000000, UTIME_NOW, UTIME_OMIT, 1000000000, -1);
		}
		f = SOME(3, AT_SYMLINK_NOFOLLOW) | SOME(6, AT_EMPTY_PATH) | SOME(30, 1);
		bool null = seldom(5), by_fd = seldom(4);
		if (by_fd) d = fd;
		say(" utimensat(%d, %s, %s{%ld.%ld %ld.%ld}, %lx)", d, by_fd ? "NULL" : shown(p), null ? "NULL " : "", (long)t[0].tv_sec, t[0].tv_nsec, (long)t[1].tv_sec, t[1].tv_nsec, f);
		sys(SYS_utimensat, d, by_fd ? 0 : p, null ? 0 : t, f);
		break;
	}
	case 7:
		m = below(01000);
		say(" umask(0%o)", m);
		sys(SYS_umask, seldom(3) ? m : (mode_t)ONE(0, 022, 077));
		break;
	case 8: {
		f = ONE(0, 1000, 1001, 0, -1);
		if (below(2)) {
			say(" setresuid(-1, %ld, -1)", f);
			sys(SYS_setresuid, -1, f, -1);
		} else {
			say(" setfsuid(%ld)", f);
			sys(SYS_setfsuid, f);
		}
		break;
	}
	}
}

static void contents(void) {
	int fd = any_fd(), other = any_fd();
	off_t o = offset(), p = offset();
	size_t n = length();
	static char got[70000];
	long r;
	switch (below(17)) {
	case 0: case 1:
		say(" write(%d, %zu)", fd, n);
		sys(SYS_write, fd, data, n);
		break;
	case 2: case 3:
		say(" read(%d, %zu)", fd, n);
		r = sys(SYS_read, fd, got, n);
		if (r > 0) say_bytes(got, r);
		break;
	case 4:
		if (o > 1 << 20 && seldom(2)) o = 77;
		say(" pwrite64(%d, %zu, %ld)", fd, n, (long)o);
		sys(SYS_pwrite64, fd, data + 3, n, o);
		break;
	case 5:
		say(" pread64(%d, %zu, %ld)", fd, n, (long)o);
		r = sys(SYS_pread64, fd, got, n, o);
		if (r > 0) say_bytes(got, r);
		break;
	case 6: case 7: {
		int w = ONE(SEEK_SET, SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE, 5, -1);
		struct stat st;
		// the ends of directories are the file system's own
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) w = SEEK_SET, o = 0;
		say(" lseek(%d, %ld, %d)", fd, (long)o, w);
		sys(SYS_lseek, fd, o, w);
		break;
	}
	case 8:
		if (seldom(2)) {
			const char *q = any_path();
			say(" truncate(%s, %ld)", shown(q), (long)o);
			sys(SYS_truncate, q, o);
		} else {
			say(" ftruncate(%d, %ld)", fd, (long)o);
			sys(SYS_ftruncate, fd, o);
		}
		break;
	case 9: {
		long m = seldom(8) ? ONE(0x100, 0x3, 0x1, -1, 0x11, 0x28) : ONE(0, 0, 1, 3, 2, 0x10, 0x11, 0x8, 0x20, 0x40);
		say(" fallocate(%d, %lx, %ld, %ld)", fd, m, (long)o, (long)p);
		// tmpfs has it here, as on a Linux with an MMU; ramfs has not
		if ((o < 1 << 20 && p < 1 << 20) && !strstr(folder, "ramfs")) sys(SYS_fallocate, fd, m, o, p);
		break;
	}
	case 10: case 11: {
		struct iovec v[4];
		int count = seldom(12) ? ONE(-1, 1025, 5000) : below(5), f = seldom(3) ? SOME(4, 1, 2, 4, 8, 16) | SOME(30, 32, 0x1000) : 0;
		bool out = below(2);
		for (int i = 0; i < 4; i++) v[i] = (struct iovec){out ? data + i : got + 10000 * i, seldom(40) ? (size_t)-1 : (size_t)ONE(0, 1, 100, 5000, 10000)};
		say(" p%sv2(%d, {%ld %ld %ld %ld}, %d, %ld, %x)", out ? "write" : "read", fd, (long)v[0].iov_len, (long)v[1].iov_len, (long)v[2].iov_len, (long)v[3].iov_len, count, (long)o, f);
		r = sys(out ? SYS_pwritev2 : SYS_preadv2, fd, v, (long)count, (long)o, 0, f);
		if (r > 0 && !out) say_bytes(got, 10);
		break;
	}
	case 12: {
		off_t a = o, b = p;
		bool na = below(2), nb = below(2);
		unsigned f = seldom(20);
		say(" copy_file_range(%d, %ld, %d, %ld, %zu, %u)", fd, na ? -7 : (long)a, other, nb ? -7 : (long)b, n, f);
		if (sys(SYS_copy_file_range, fd, na ? 0 : &a, other, nb ? 0 : &b, n, f) >= 0) say(" %ld %ld", (long)a, (long)b);
		break;
	}
	case 13: {
		off_t a = o;
		bool na = below(2);
		say(" sendfile(%d, %d, %ld, %zu)", other, fd, na ? -7 : (long)a, n);
		if (sys(SYS_sendfile, other, fd, na ? 0 : &a, n) >= 0) say(" %ld", (long)a);
		break;
	}
	case 14:
		if (seldom(3)) {
			static char entries[32768];
			size_t room = ONE(32768, 32768, 32768, 1, 24);
			say(" getdents64(%d, %zu)", fd, room);
			r = syscall(SYS_getdents64, fd, entries, room);
			if (r < 0 || room < 100) told(r);
			else {
				// sorted; the order is the file system's own
				static char list[400][40];
				int count = 0;
				for (long i = 0; i < r;) {
					struct dirent *e = (void *)(entries + i);
					if (count < 400) snprintf(list[count++], 40, "%s/%d", e->d_name, e->d_type);
					i += e->d_reclen;
				}
				qsort(list, count, 40, (int (*)(const void *, const void *))strcmp);
				say(" =");
				for (int i = 0; i < count; i++) say(" %s", list[i]);
			}
		} else {
			int f = ONE(SYS_fsync, SYS_fdatasync, SYS_syncfs);
			say(" sync %d(%d)", f, fd);
			sys(f, fd);
		}
		break;
	case 15: {
		int c = ONE(F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_GETOWN, F_GETSIG, F_GETLEASE, F_GETPIPE_SZ, 9999);
		long a = ONE(0, 1, O_APPEND, O_NONBLOCK, O_NONBLOCK, O_NOATIME, O_DIRECT, O_ASYNC, -1);
		say(" fcntl(%d, %d, %lx)", fd, c, a);
		sys(SYS_fcntl, fd, c, a);
		if (c == F_SETFL) say(" fl=%o", fcntl(fd, F_GETFL));
		break;
	}
	case 16: {
		struct statfs s;
		const char *q = any_path();
		memset(&s, 0, sizeof s);
		bool by_fd = below(2);
		if (by_fd) say(" fstatfs(%d)", fd);
		else say(" statfs(%s)", shown(q));
		if (sys(by_fd ? SYS_fstatfs : SYS_statfs, by_fd ? (long)fd : (long)q, &s) == 0) say(" type=%lx bsize=%ld namelen=%ld frsize=%ld flags=%lx", (long)s.f_type, (long)s.f_bsize, (long)s.f_namelen, (long)s.f_frsize, (long)s.f_flags & ~0x1000L);
		break;
	}
	}
}

static void xattrs(void) {
	const char *p = any_path(), *n = WORD("user.a", "user.b", "trusted.a", "security.a", "user.", "nope.a", "a", "user.a", "user.b");
	int fd = any_fd(), f = ONE(0, 0, 1, 2, 3);
	// it is the working directory to newer kernels
	if (fd == AT_FDCWD) fd = -1;
	size_t len = ONE(0, 1, 5, 100, 65536);
	static char got[70000];
	bool by_fd = below(2), nofollow = seldom(3);
	char target[700];
	if (by_fd) sprintf(target, "%d", fd);
	else strcpy(target, shown(p));
	long r;
	switch (below(4)) {
	case 0:
		if (len > 100 && below(2)) len = 30;
		say(" setxattr%s(%s, \"%s\", %zu, %d)", nofollow ? " l" : "", target, n, len, f);
		by_fd ? sys(SYS_fsetxattr, fd, n, data, len, f) : sys(nofollow ? SYS_lsetxattr : SYS_setxattr, p, n, data, len, f);
		break;
	case 1:
		say(" getxattr%s(%s, \"%s\", %zu)", nofollow ? " l" : "", target, n, len);
		r = by_fd ? sys(SYS_fgetxattr, fd, n, got, len) : sys(nofollow ? SYS_lgetxattr : SYS_getxattr, p, n, got, len);
		if (r > 0 && len) say_bytes(got, r);
		break;
	case 2: {
		say(" listxattr%s(%s, %zu)", nofollow ? " l" : "", target, len);
		r = by_fd ? syscall(SYS_flistxattr, fd, got, len) : syscall(nofollow ? SYS_llistxattr : SYS_listxattr, p, got, len);
		told(r);
		// the order is the file system's own
		uint32_t sum = 0;
		if (len) for (long i = 0; i < r; i++) sum += (unsigned char)got[i] * 7;
		say(" %u", sum);
		break;
	}
	default:
		say(" removexattr%s(%s, \"%s\")", nofollow ? " l" : "", target, n);
		by_fd ? sys(SYS_fremovexattr, fd, n) : sys(nofollow ? SYS_lremovexattr : SYS_removexattr, p, n);
	}
}

static void openat2_one(void) {
	struct { uint64_t flags, mode, resolve, more; } how = {0};
	int d = at();
	const char *p = any_path();
	how.flags = ONE(O_RDONLY, O_RDWR, O_PATH, O_RDONLY | O_CREAT, O_WRONLY | O_CREAT | O_EXCL, 1L << 33, O_PATH | O_CREAT) | O_NONBLOCK * !seldom(4);
	how.mode = ONE(0, 0, 0644, 0644, 010000);
	how.resolve = SOME(4, 1, 2, 4, 8, 16) | SOME(30, 64);
	how.more = seldom(20);
	size_t n = ONE(24, 24, 24, 24, 32, 23, 0, 5000);
	say(" openat2(%d, %s, {%lo, %lo, %lx%s}, %zu)", d, shown(p), (long)how.flags, (long)how.mode, (long)how.resolve, how.more ? " more" : "", n);
	if (sys(437, d, p, &how, n) > 11) syscall(SYS_close_range, 12, 40, 0);
}

void step_files(void) {
	switch (below(16)) {
	case 0: case 1: case 2: open_one(); break;
	case 3: close_one(); break;
	case 4: dup_one(); break;
	case 5: case 6: case 7: names(); break;
	case 8: look(); break;
	case 9: case 10: attributes(); break;
	case 11: case 12: case 13: contents(); break;
	case 14:
		// tmpfs has them here, as on a Linux with an MMU; ramfs has none
		if (!strstr(folder, "ramfs")) xattrs();
		break;
	case 15: openat2_one(); break;
	}
}
