// SEEK_DATA and SEEK_HOLE by what a file has, written out or not; preallocated and punched ranges.
#include "guest.h"
enum { K = 65536 };
static void walk(int fd) {
	off_t at = 0;
	for (int i = 0; i < 20; i++) {
		off_t data = lseek(fd, at, SEEK_DATA);
		if (data < 0) { printf(" %s\n", ename(errno)); return; }
		off_t hole = lseek(fd, data, SEEK_HOLE);
		printf(" data %ld..%ld", (long)data / K, (long)hole / K);
		at = hole;
	}
	printf("\n");
}
int main(void) {
	static char buf[K];
	memset(buf, 'x', sizeof buf);
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	SHOW(lseek(fd, 0, SEEK_DATA));
	SHOW(lseek(fd, 0, SEEK_HOLE));
	pwrite(fd, buf, K, 2 * K);
	pwrite(fd, buf, K, 3 * K);
	pwrite(fd, buf, K, 9 * K);
	walk(fd);
	fsync(fd);
	walk(fd);
	SHOW(ftruncate(fd, 20 * K));
	walk(fd);
	SHOW(lseek(fd, 15 * K, SEEK_DATA));
	SHOW(lseek(fd, 15 * K, SEEK_HOLE));
	SHOW(lseek(fd, 2 * K + 5, SEEK_DATA));
	SHOW(lseek(fd, 20 * K, SEEK_HOLE));
	SHOW(lseek(fd, -1, SEEK_DATA));
	SHOW(fallocate(fd, 2 | 1, 9 * K, K));
	walk(fd);
	SHOW(fallocate(fd, 0, 12 * K, 2 * K));
	fsync(fd);
	walk(fd);
	pwrite(fd, buf, K, 13 * K);
	walk(fd);
	SHOW(lseek(fd, 0, SEEK_CUR) > 0);
	return 0;
}
