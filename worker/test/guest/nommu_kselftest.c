// What the kernel's own tests of no-MMU machines (tools/testing/selftests: mmap, mremap) assert: errnos, and what must work.
#include "guest.h"
#define PAGE 4096
static const char *how(void *p) { return p == MAP_FAILED ? ename(errno) : "ok"; }
static int file(const char *name, int pages) {
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
	if (ftruncate(fd, 0) || ftruncate(fd, pages * PAGE)) puts("ftruncate");
	return fd;
}
int main(void) {
	int plain = file("f", 4), ram = file("/dev/shm/f", 4);
	char *p = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("fixed: %s\n", how(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
	printf("shared, of a file on a disk: %s\n", how(mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, plain, 0)));
	char *s = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
	printf("shared, of a file in memory: %s\n", how(s));
	strcpy(s, "seen");
	char seen[8] = "";
	pread(ram, seen, 5, 0);
	printf("by read: %s\n", seen);
	// any page of an anonymous mapping, in any order
	static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};
	for (int o = 0; o < 4; o++) {
		char *a = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(a, 7, 4 * PAGE);
		printf("munmap");
		for (int i = 0; i < 4; i++) printf(" %d:%s", orders[o][i], munmap(a + orders[o][i] * PAGE, PAGE) ? ename(errno) : "ok");
		printf("\n");
	}
	// mremap: smaller where it is
	char *q = mremap(p, 4 * PAGE, 2 * PAGE, 0);
	printf("anonymous, smaller: %s, %s\n", how(q), q == p ? "where it was" : "moved");
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	printf("anonymous, the same: %s, %s\n", how(q), q == p ? "where it was" : "moved");
	printf("anonymous, larger: %s\n", how(mremap(p, 2 * PAGE, 400 * PAGE, MREMAP_MAYMOVE)));
	char *r = mmap(0, 4 * PAGE, PROT_READ, MAP_PRIVATE, plain, 0);
	printf("private file to read, smaller: %s\n", how(mremap(r, 4 * PAGE, 2 * PAGE, 0)));
	char *w = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, plain, 0);
	printf("private file to write, larger: %s\n", how(mremap(w, 2 * PAGE, 400 * PAGE, MREMAP_MAYMOVE)));
	printf("private file to write, smaller: %s\n", how(mremap(w, 2 * PAGE, PAGE, 0)));
	printf("shared file in memory, smaller: %s\n", how(mremap(s, 4 * PAGE, 2 * PAGE, 0)));
	printf("shared file in memory, the same: %s\n", how(mremap(s, 4 * PAGE, 4 * PAGE, 0)));
	printf("not at a page: %s\n", how(mremap(p + 1, PAGE, PAGE, 0)));
	printf("to a place: %s\n", how(mremap(p, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 64 * PAGE)));
	unlink("/dev/shm/f");
	return 0;
}
