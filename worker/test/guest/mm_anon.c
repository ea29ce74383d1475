// Anonymous memory: zeroed, writable, unmapped in pieces; mmap's refusals that MMU and nommu share; malloc of all sizes.
#include "guest.h"
int main(void) {
	char *p = mmap(0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int sum = 0;
	for (int i = 0; i < 4 * 4096; i++) sum |= p[i];
	printf("zero %d aligned %d\n", !sum, !((uintptr_t)p & 4095));
	memset(p, 1, 4 * 4096);
	SHOW(munmap(p + 4096, 4096));
	printf("%d %d\n", p[0], p[2 * 4096]);
	SHOW(munmap(p, 4096));
	SHOW(munmap(p + 2 * 4096, 2 * 4096));
	SHOW(munmap(p + 1, 4096));
	SHOW(munmap(p, 0));
	printf("%d %s\n", mmap(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, ename(errno));
	printf("%d %s\n", mmap(0, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED, ename(errno));
	printf("%d %s\n", mmap(0, 4096, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED, ename(errno));
	printf("%d %s\n", mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1) == MAP_FAILED, ename(errno));
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	write(fd, "file contents", 13);
	char *q = mmap(0, 5000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	printf("%.13s %d\n", q, q[13]);
	q[0] = 'F';
	char b[4] = "";
	pread(fd, b, 3, 0);
	printf("%s\n", b);
	SHOW(close(fd));
	printf("%.4s\n", q);
	SHOW(munmap(q, 5000));
	fd = open("f", O_WRONLY);
	printf("%d %s\n", mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED, ename(errno));
	fd = open(".", O_RDONLY);
	printf("%d %s\n", mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED, ename(errno));
	unsigned x = 1, bad = 0;
	static unsigned char *v[300];
	static size_t n[300];
	for (int i = 0; i < 6000; i++) {
		x = x * 1103515245 + 12345;
		int k = x >> 16 & 255;
		if (v[k])
			for (size_t j = 0; j < n[k]; j += 61) bad += v[k][j] != (unsigned char)(k + j);
		free(v[k]);
		n[k] = x >> 8 & ((x & 7) ? 2047 : 262143);
		v[k] = malloc(n[k]);
		for (size_t j = 0; j < n[k]; j++) v[k][j] = k + j;
	}
	printf("malloc bad %u\n", bad);
	char *g = malloc(10);
	strcpy(g, "grow");
	for (size_t s = 16; s < 3000000; s *= 3) g = realloc(g, s), g[s - 1] = 1;
	printf("%s\n", g);
	return 0;
}
