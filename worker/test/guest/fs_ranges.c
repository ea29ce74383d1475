// Ranges of a file taken out, put in, punched and zeroed; what FIEMAP and FIBMAP tell; attributes of inodes: append-only, immutable.
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <linux/falloc.h>
static void fill(int fd, int n) {
	char b[4096];
	for (int i = 0;i<n;i++) {
		memset(b, 'a'+i, 4096);
		pwrite(fd, b, 4096, i*4096L);
	}
}
static void show(int fd) {
	struct stat s;
	fstat(fd, &s);
	printf("size %ld: ", (long)s.st_size);
	char c;
	for (off_t o = 0;o<s.st_size;o+=4096) {
		pread(fd, &c, 1, o);
		putchar(c?c:'.');
	}
	puts("");
}
/** Runs that follow each other are one, wherever the disk had room for them. */
static void fie(int fd, int flags) {
	char buf[sizeof(struct fiemap) + 20 * sizeof(struct fiemap_extent)] = {0};
	struct fiemap *f = (void *)buf;
	f->fm_length = ~0ULL;
	f->fm_flags = flags;
	f->fm_extent_count = 20;
	errno = 0;
	int r = ioctl(fd, FS_IOC_FIEMAP, f);
	printf("fiemap %d %s\n", r, ename(errno));
	if (r) return;
	for (unsigned i = 0; i < f->fm_mapped_extents;) {
		struct fiemap_extent *e = f->fm_extents + i, *n = e;
		unsigned long len = e->fe_length;
		while (++i < f->fm_mapped_extents && (n = f->fm_extents + i)->fe_logical == e->fe_logical + len && !((n->fe_flags ^ e->fe_flags) & ~1)) len += n->fe_length;
		n = f->fm_extents + i - 1;
		printf(" %llu +%lu flags %x\n", e->fe_logical, len, n->fe_flags);
	}
}
int main(void) {
	setvbuf(stdout, 0, _IOLBF, 0);
	int fd = open("f", O_CREAT|O_TRUNC|O_RDWR, 0644);
	fill(fd, 8);
	fsync(fd);
	show(fd);
	SHOW(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 4096, 8192));
	show(fd);
	SHOW(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 100, 4096));
	SHOW(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 16384, 8192));
	SHOW(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE|FALLOC_FL_KEEP_SIZE, 0, 4096));
	SHOW(fallocate(fd, FALLOC_FL_INSERT_RANGE, 4096, 8192));
	show(fd);
	SHOW(fallocate(fd, FALLOC_FL_INSERT_RANGE, 4096*8, 4096));
	SHOW(fallocate(fd, FALLOC_FL_INSERT_RANGE, 4096*80, 4096));
	SHOW(fallocate(fd, FALLOC_FL_INSERT_RANGE, 10, 4096));
	fsync(fd);
	fie(fd, 0);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, 0, 4096));
	show(fd);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096));
	SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE, 4096*4+10, 4096));
	show(fd);
	SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE, 4096*7, 4096*3));
	show(fd);
	SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE|FALLOC_FL_KEEP_SIZE, 4096*20, 4096));
	show(fd);
	SHOW(fallocate(fd, 0, 4096*12, 4096));
	show(fd);
	fsync(fd);
	fie(fd, FIEMAP_FLAG_SYNC);
	fie(fd, 0x100);
	SHOW(fallocate(fd, 0, -1, 4));
	SHOW(fallocate(fd, 0, 0, 0));
	SHOW(fallocate(fd, 0, 0, -5));
	SHOW(fallocate(fd, 0x80, 0, 5));
	SHOW(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, 4096));
	SHOW(fallocate(fd, 0, 0x7fffffffffffff00, 0x1000));
	int r = open("f", O_RDONLY);
	SHOW(fallocate(r, 0, 0, 4));
	int d = open(".", O_RDONLY);
	SHOW(fallocate(d, 0, 0, 4));
	int p[2];
	pipe(p);
	SHOW(fallocate(p[1], 0, 0, 4));
	SHOW(posix_fallocate(fd, 0, 100));
	int v = 0;
	SHOW(ioctl(fd, FIGETBSZ, &v));
	printf("%d\n", v);
	v = 0;
	SHOW(ioctl(fd, FIBMAP, &v));
	printf("mapped %d\n", v!=0);
	long fl = 0;
	SHOW(ioctl(fd, FS_IOC_GETFLAGS, &fl));
	printf("%lx\n", fl);
	fl|=FS_NODUMP_FL;
	SHOW(ioctl(fd, FS_IOC_SETFLAGS, &fl));
	fl = 0;
	ioctl(fd, FS_IOC_GETFLAGS, &fl);
	printf("%lx\n", fl);
	fl|=FS_APPEND_FL;
	SHOW(ioctl(fd, FS_IOC_SETFLAGS, &fl));
	SHOW(open("f", O_WRONLY));
	SHOW(open("f", O_WRONLY|O_APPEND|O_TRUNC));
	SHOW(truncate("f", 1));
	SHOW(unlink("f"));
	SHOW(rename("f", "ff"));
	fl&=~FS_APPEND_FL;
	fl|=FS_IMMUTABLE_FL;
	SHOW(ioctl(fd, FS_IOC_SETFLAGS, &fl));
	SHOW(open("f", O_WRONLY|O_APPEND));
	SHOW(chmod("f", 0600));
	SHOW(link("f", "g"));
	SHOW(utimes("f", 0));
	SHOW(write(fd, "x", 1));
	fl&=~FS_IMMUTABLE_FL;
	SHOW(ioctl(fd, FS_IOC_SETFLAGS, &fl));
	SHOW(unlink("f"));
	struct fsxattr fx = {0};
	int g = open("g2", O_CREAT|O_RDWR, 0600);
	SHOW(ioctl(g, FS_IOC_FSGETXATTR, &fx));
	printf("%x %d %d\n", fx.fsx_xflags, fx.fsx_extsize, fx.fsx_projid);
	fx.fsx_xflags|=FS_XFLAG_NOATIME;
	SHOW(ioctl(g, FS_IOC_FSSETXATTR, &fx));
	fl = 0;
	ioctl(g, FS_IOC_GETFLAGS, &fl);
	printf("%lx\n", fl);
	v = 7;
	SHOW(ioctl(g, FS_IOC_GETVERSION, &v));
	SHOW(ioctl(g, FICLONE, fd));
	struct file_clone_range cr = {fd, 0, 4096, 0};
	SHOW(ioctl(g, FICLONERANGE, &cr));
	struct {
		struct file_dedupe_range r;
		struct file_dedupe_range_info i;
	}
	dd = {{.src_offset = 0, .src_length = 4096, .dest_count = 1}, {.dest_fd = g}};
	SHOW(ioctl(fd, FIDEDUPERANGE, &dd));
	int s = open("sp", O_CREAT|O_RDWR, 0600);
	ftruncate(s, 40960);
	pwrite(s, "x", 1, 8192);
	pwrite(s, "x", 1, 20480);
	fsync(s);
	fie(s, 0);
	SHOW(lseek(s, 0, SEEK_DATA));
	SHOW(lseek(s, 8192, SEEK_HOLE));
	SHOW(lseek(s, 12288, SEEK_DATA));
	SHOW(lseek(s, 24576, SEEK_DATA));
	SHOW(lseek(s, 40960, SEEK_HOLE));
	SHOW(lseek(s, 39000, SEEK_HOLE));
	mkdir("dd", 0755);
	int df = open("dd", O_RDONLY);
	fie(df, 0);
	SHOW(ioctl(df, FS_IOC_GETFLAGS, &fl));
	printf("%lx\n", fl);
	symlink("x", "sl");
	SHOW(ioctl(0, FS_IOC_GETFLAGS, &fl));
	return 0;
}
