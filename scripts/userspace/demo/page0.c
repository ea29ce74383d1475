// page0: what lies at address 0, and the story of mmap_min_addr
//
// Linux forbids mappings at address 0, because a NULL pointer of the kernel would then point to what a user wrote there:
// vm.mmap_min_addr. zpoline needs the page, so on a real host that limit must be set to 0. Here page 0 is simply memory, and execute-only.
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile void *address;

static void fault(int sig, siginfo_t *info, void *context) {
	(void)sig, (void)context;
	address = info->si_addr;
	siglongjmp(back, 1);
}

int main(void) {
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &action, 0);
	volatile unsigned char *null = (unsigned char *)39;
	if (!sigsetjmp(back, 1)) printf("read of address 39: %02x\n", *null);
	else printf("read of address 39: SIGSEGV at %p\n", (void *)address);
	if (!sigsetjmp(back, 1)) *null = 0xcc, puts("write to address 39: it took it");
	else printf("write to address 39: SIGSEGV at %p\n", (void *)address);
	long pid;
	if (sigsetjmp(back, 1)) {
		printf("call of address 39: SIGSEGV at %p: no trampoline (this kernel was started with zpoline=0)\n", (void *)address);
		return 0;
	}
	__asm__ volatile("call *%%rax" : "=a"(pid) : "0"((long)SYS_getpid) : "rcx", "r11", "memory");
	printf("call of address 39: %ld, which is our process id\n", pid);
	puts("look: the panel Page 0 shows the bytes: nops, then a jump to __kernel_vsyscall; docs/page0.md explains each");
	return 0;
}
