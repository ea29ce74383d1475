// null-call: calling a NULL function makes a system call
//
// Address 0 holds nops that lead into the kernel. So a call of a NULL pointer is not a crash: it is whatever system call rax names.
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
	printf("getppid() = %d\n", getppid());
	fflush(stdout);
	long result = SYS_getppid; // what happens to be in rax
	void (*nothing)(void) = 0;
	__asm__ volatile("call *%1" : "+a"(result) : "r"(nothing) : "rcx", "r11", "memory");
	printf("a call of address 0 with rax = %d came back with %ld\n", SYS_getppid, result);
	puts("look: boot with zpoline.check=1 and run this again: the kernel then looks who called, and it is SIGSEGV");
	return 0;
}
