// readv, writev, preadv, sendfile, copy_file_range, splice, tee.
#include "guest.h"
#include <sys/sendfile.h>
#include <sys/uio.h>
int main(void) {
	char a[4], b[6], c[64];
	int fd = open("f", O_CREAT | O_RDWR, 0600), g = open("g", O_CREAT | O_RDWR, 0600), p[2], q[2];
	struct iovec w[3] = {{"one", 3}, {"", 0}, {"twothree", 8}}, r[2] = {{a, 4}, {b, 6}};
	SHOW(writev(fd, w, 3));
	SHOW(writev(fd, w, 0));
	lseek(fd, 0, SEEK_SET);
	SHOW(readv(fd, r, 2));
	printf("%.4s|%.6s\n", a, b);
	SHOW(preadv(fd, r, 2, 3));
	printf("%.4s|%.6s\n", a, b);
	SHOW(pwritev(fd, w, 3, 20));
	SHOW(lseek(fd, 0, SEEK_END));
	off_t off = 3;
	SHOW(sendfile(g, fd, &off, 5));
	printf("%ld\n", (long)off);
	loff_t in = 0, out = 100;
	SHOW(copy_file_range(fd, &in, g, &out, 11, 0));
	printf("%ld %ld\n", (long)in, (long)out);
	SHOW(lseek(g, 0, SEEK_END));
	memset(c, 0, sizeof c);
	SHOW(pread(g, c, 5, 0));
	printf("%s\n", c);
	pipe(p), pipe(q);
	in = 3;
	SHOW(splice(fd, &in, p[1], 0, 8, 0));
	SHOW(tee(p[0], q[1], 100, 0));
	SHOW(read(q[0], c, 64));
	printf("%.8s\n", c);
	out = 0;
	SHOW(splice(p[0], 0, g, &out, 3, 0));
	SHOW(read(p[0], c, 64));
	printf("%.5s\n", c);
	SHOW(splice(fd, 0, g, 0, 1, 0));
	SHOW(sendfile(p[1], p[0], 0, 1));
	w[0].iov_base = "v";
	w[0].iov_len = 1;
	SHOW(vmsplice(p[1], w, 1, 0));
	SHOW(read(p[0], c, 1));
	printf("%c\n", c[0]);
	return 0;
}
