// preadv2, pwritev2 and their flags; append; reads and writes at the edges of a file; fallocate and holes; copy_file_range, vmsplice.
#include "guest.h"
#include <sys/uio.h>
#include <sys/statfs.h>
static ssize_t pr(int fd, struct iovec *v, int n, off_t o, int f) { return syscall(327, fd, v, n, o, 0, f); }
static ssize_t pw(int fd, struct iovec *v, int n, off_t o, int f) { return syscall(328, fd, v, n, o, 0, f); }
int main(void) {
	char a[8] = "", b[8] = "";
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	struct iovec v[2] = {{"abcd", 4}, {"efgh", 4}}, r[2] = {{a, 3}, {b, 4}};
	SHOW(pw(fd, v, 2, 2, 0));
	SHOW(pw(fd, v, 1, -1, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pr(fd, r, 2, 1, 0));
	printf("%.3s %.4s\n", a, b);
	SHOW(pr(fd, r, 2, 8, 0));
	SHOW(pr(fd, r, 2, 10, 0));
	SHOW(pr(fd, r, 2, -2, 0));
	SHOW(pr(fd, r, 2, 0, 0x4000));
	SHOW(pw(fd, v, 1, 0, 0x10));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(pw(fd, v, 1, -1, 0x4));
	SHOW(pr(fd, r, 0, 0, 0));
	SHOW(pr(fd, r, -1, 0, 0));
	SHOW(pr(fd, r, 2000, 0, 0));
	SHOW(readv(fd, (struct iovec[]){{a, -1}}, 1));
	SHOW(preadv(fd, r, 1, -1));
	int ap = open("f", O_WRONLY | O_APPEND);
	SHOW(pwrite(ap, "Z", 1, 0));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(write(ap, "Y", 1));
	SHOW(lseek(ap, 0, SEEK_CUR));
	SHOW(read(ap, a, 1));
	int d = open(".", O_RDONLY);
	SHOW(read(d, a, 1));
	SHOW(write(d, a, 1));
	SHOW(pread(d, a, 1, 0));
	SHOW(fallocate(fd, 0, 0, 100));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(fallocate(fd, 1, 200, 100));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(fallocate(fd, 0, 0, 0));
	SHOW(fallocate(fd, 0, -1, 10));
	SHOW(fallocate(ap, 2, 0, 10));
	SHOW(fallocate(fd, 3, 0, 4));
	SHOW(pread(fd, a, 6, 0));
	printf("%d %d %d\n", a[0], a[3], a[4]);
	SHOW(ftruncate(fd, 20000));
	SHOW(pwrite(fd, "end", 3, 30000));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(lseek(fd, 40000, SEEK_DATA));
	SHOW(lseek(fd, 30003, SEEK_HOLE));
	SHOW(lseek(fd, 30001, SEEK_HOLE));
	SHOW(lseek(fd, -1, SEEK_HOLE));
	int z = open("/dev/zero", O_RDONLY), n = open("/dev/null", O_WRONLY), full = open("/dev/full", O_WRONLY);
	memset(a, 1, 8);
	SHOW(read(z, a, 7));
	printf("%d %d\n", a[6], a[7]);
	SHOW(write(n, a, 8));
	SHOW(write(full, a, 8));
	SHOW(write(full, a, 0));
	SHOW(lseek(n, 5, SEEK_SET));
	SHOW(pread(z, a, 4, 100));
	struct statfs s;
	SHOW(statfs("/proc", &s));
	printf("%lx\n", (long)s.f_type);
	SHOW(statfs("/nope", &s));
	SHOW(fstatfs(fd, &s));
	SHOW(sync_file_range(fd, 0, 10, 2));
	SHOW(sync_file_range(fd, 0, 10, 8));
	SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
	SHOW(posix_fadvise(fd, 0, 0, 99) == EINVAL);
	SHOW(readahead(fd, 0, 100));
	SHOW(readahead(n, 0, 100));
	SHOW(syncfs(fd));
	SHOW(fdatasync(fd));
	SHOW(fsync(99));
	return 0;
}
