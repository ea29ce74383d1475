// libsite: the library that has a `syscall` of its own
#include <sys/syscall.h>

extern const unsigned char libsite[];

long library_getpid(void) {
	long pid;
	__asm__ volatile(".globl libsite\nlibsite: syscall" : "=a"(pid) : "0"((long)SYS_getpid) : "rcx", "r11", "memory");
	return pid;
}

const unsigned char *library_site(void) { return libsite; }
