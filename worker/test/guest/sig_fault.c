// Faults as signals: siginfo of SIGSEGV, SIGFPE, SIGILL, SIGTRAP; a handler may repair the registers and go on.
#include "guest.h"
#include <setjmp.h>
#include <ucontext.h>
static sigjmp_buf env;
static volatile int skip;
static void h(int s, siginfo_t *si, void *p) {
	ucontext_t *uc = p;
	printf("signal %d code %d addr %lx\n", s, si->si_code, s == SIGSEGV ? (unsigned long)si->si_addr : s == SIGFPE || s == SIGILL ? (unsigned long)((uintptr_t)si->si_addr == (uintptr_t)uc->uc_mcontext.gregs[REG_RIP]) : 0);
	if (skip) uc->uc_mcontext.gregs[REG_RIP] += skip, skip = 0;
	else siglongjmp(env, 1);
}
int main(void) {
	struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &sa, 0), sigaction(SIGFPE, &sa, 0), sigaction(SIGILL, &sa, 0), sigaction(SIGTRAP, &sa, 0), sigaction(SIGBUS, &sa, 0);
	if (!sigsetjmp(env, 1)) *(volatile char *)0x10 = 1;
	if (!sigsetjmp(env, 1)) printf("%d\n", *(volatile int *)0x20);
	if (!sigsetjmp(env, 1)) __asm__ volatile("mov $0x8000000000000000, %%rax; mov (%%rax), %%eax" ::: "rax");
	if (!sigsetjmp(env, 1)) __asm__ volatile("xor %%edx, %%edx; mov $5, %%eax; xor %%ecx, %%ecx; div %%ecx" ::: "rax", "rcx", "rdx");
	if (!sigsetjmp(env, 1)) __asm__ volatile("mov $-1, %%edx; mov $0x80000000, %%eax; mov $-1, %%ecx; idiv %%ecx" ::: "rax", "rcx", "rdx");
	skip = 2;
	__asm__ volatile("ud2");
	printf("after ud2\n");
	skip = 0;
	if (!sigsetjmp(env, 1)) __asm__ volatile("int3");
	if (!sigsetjmp(env, 1)) __asm__ volatile("hlt");
	int r = 0;
	skip = 2;
	__asm__ volatile("xor %%eax, %%eax\n movb (%%rax), %%cl\n nop\n mov $7, %0" : "=r"(r) : : "rax", "rcx");
	printf("%d\n", r);
	return 0;
}
