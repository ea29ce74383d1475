// fragmentation: mmap fails although more than enough memory is free
//
// Without page tables a block must be contiguous. This program takes memory in pieces, frees every second one, and asks for two at once.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PIECE = 1 << 20, MANY = 4096 };
static char *pieces[MANY];

static long free_kb(void) {
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");
	if (!f) return -1;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "MemFree: %ld", &kb) == 1) break;
	fclose(f);
	return kb;
}

static char *take(size_t length) {
	char *p = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? 0 : p;
}

static int by_address(const void *a, const void *b) {
	char *x = *(char *const *)a, *y = *(char *const *)b;
	return x < y ? -1 : x > y;
}

int main(void) {
	int n = 0;
	printf("free: %ld kB\n", free_kb());
	while (n < MANY && (pieces[n] = take(PIECE))) n++;
	printf("took %d pieces of 1 MiB, until %s; free: %ld kB\n", n, strerror(errno), free_kb());
	qsort(pieces, n, sizeof *pieces, by_address);
	for (int i = 0; i < n; i += 2) munmap(pieces[i], PIECE);
	long kb = free_kb();
	char *two = take(2 * PIECE);
	printf("gave back every second one; free: %ld kB. Two MiB at once: %s\n", kb, two ? "there was a place" : strerror(errno));
	puts("look: cat /proc/buddyinfo; the kernel's words in dmesg; the holes in the panel Memory");
	return 0;
}
