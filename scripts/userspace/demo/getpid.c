// getpid: one system call, and the two bytes that made it
//
// The call stands in this file as a `syscall` instruction (0f 05). What runs is what execve made of it.
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const unsigned char site[];

static long raw_getpid(void) {
	long pid;
	// rax holds the number, 39: `call *%rax` calls address 39, in the middle of the nops of page 0
	__asm__ volatile(".globl site\nsite: syscall" : "=a"(pid) : "0"((long)SYS_getpid) : "rcx", "r11", "memory");
	return pid;
}

int main(void) {
	long pid = raw_getpid();
	printf("getpid() = %ld, asked at address %p\n", pid, (const void *)site);
	printf("the bytes there: %02x %02x", site[0], site[1]);
	if (site[0] == 0xff && site[1] == 0xd0) puts("  call *%rax: execve rewrote them (the file still has 0f 05)");
	else puts("  syscall: not rewritten, so this call trapped (zpoline=0, or the first run with zpoline=lazy)");
	puts("look: cat /proc/zpoline counts such calls; the cell 39 of the panel Page 0");
	return 0;
}
