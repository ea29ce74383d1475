// Code made at run time: a function written into memory, called, changed and called again; code moved to another address; a data page freed and reused as code.
#include "guest.h"
typedef int (*fn)(int);
/** int f(int x) { return x + k; } */
static void emit(unsigned char *p, int k) {
	static const unsigned char code[] = {0x8d, 0x87, 0, 0, 0, 0, 0xc3}; // lea eax, [rdi + k]; ret
	memcpy(p, code, sizeof code);
	memcpy(p + 2, &k, 4);
}
int main(void) {
	unsigned char *p = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long sum = 0;
	for (int k = 0; k < 100; k++) {
		emit(p, k);
		sum += ((fn)p)(1000);
	}
	printf("%ld\n", sum);
	emit(p, 5);
	for (int i = 0; i < 100000; i++) sum += ((fn)p)(i);
	printf("%ld\n", sum);
	p[2] = 6;
	for (int i = 0; i < 100000; i++) sum += ((fn)p)(i);
	printf("%ld\n", sum);
	memcpy(p + 4096, p, 16);
	emit(p, -1);
	printf("%d %d\n", ((fn)p)(1), ((fn)(p + 4096))(1));
	// code across a page boundary, changed in its second half
	emit(p + 4093, 0x01020304);
	printf("%d\n", ((fn)(p + 4093))(0));
	p[4098] = 0x11;
	printf("%d\n", ((fn)(p + 4093))(0));
	// an instruction that changes the one after it
	static const unsigned char self[] = {
		0xc6, 0x05, 1, 0, 0, 0, 42, // mov byte [rip + 1], 42
		0xb8, 1, 0, 0, 0,           // mov eax, 1: its immediate is what was written
		0xc3};
	memcpy(p, self, sizeof self);
	printf("%d\n", ((fn)p)(0));
	// code that a system call puts there
	int fds[2];
	pipe(fds);
	emit(p, 7);
	printf("%d", ((fn)p)(1));
	emit(p + 4096, 8);
	write(fds[1], p + 4096, 16);
	read(fds[0], p, 16);
	printf(" %d\n", ((fn)p)(1));
	munmap(p, 8192);
	for (int round = 0; round < 20; round++) {
		unsigned char *q = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		emit(q, round * 3);
		sum += ((fn)q)(0);
		munmap(q, 4096);
	}
	printf("%ld\n", sum);
	return 0;
}
