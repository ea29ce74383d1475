// worker/cpu/vectors/record.c — runs machine code natively and tells what it did: the witness for every executor.
//
// Reads cases (struct in) from stdin, answers each with a struct out on stdout; scripts/native.ts speaks the other end.
// A case is loaded by returning from a signal handler into it and ends in the next signal (an int3 behind the code, or
// whatever fault it causes), whose frame holds the complete state. Build: gcc -O1 -o record record.c
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <asm/prctl.h>

#define CODE 0x1000000UL
#define DATA 0x1100000UL
#define CODE_SIZE 4096
#define DATA_SIZE 4096

struct in {
	uint32_t code_len, avx;
	uint64_t gpr[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8 ... r15 */
	uint64_t rip, rflags;
	uint8_t fx[512], ymmh[256];
	uint8_t code[CODE_SIZE], data[DATA_SIZE];
};

struct out {
	uint32_t trap, sig;
	uint64_t err, cr2;
	uint64_t gpr[16];
	uint64_t rip, rflags;
	uint8_t fx[512], ymmh[256];
	uint8_t code[CODE_SIZE], data[DATA_SIZE];
	uint64_t fs_base, gs_base;
	uint16_t es, cs, ss, ds, fs, gs, pad[2];
};

static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
static struct in in;
static struct out out;
static char altstack[65536];

/* not the C library's: a case may have moved the base of fs, where that finds its thread */
static long call(long n, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

static void all(long n_call, int fd, void *p, size_t n)
{
	while (n) {
		ssize_t r = call(n_call, fd, (long)p, n);
		if (r <= 0)
			call(SYS_exit_group, r < 0, 0, 0);
		p = (char *)p + r;
		n -= r;
	}
}

__attribute__((optimize("no-stack-protector"))) static void handler(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;
	greg_t *g = uc->uc_mcontext.gregs;
	uint8_t *fx = (uint8_t *)uc->uc_mcontext.fpregs;

	/* sigreturn leaves NT and ID as they are; alignment checks are not for the library's memcpy */
	__asm__ volatile("pushfq; andl $~0x244000, (%%rsp); popfq" : : : "cc", "memory");
	if (sig != SIGUSR1) {
		out.trap = g[REG_TRAPNO];
		out.sig = sig == SIGALRM ? SIGALRM : sig;
		out.err = g[REG_ERR];
		out.cr2 = g[REG_CR2];
		for (int i = 0; i < 16; i++)
			out.gpr[i] = g[order[i]];
		out.rip = g[REG_RIP];
		out.rflags = g[REG_EFL];
		memcpy(out.fx, fx, 512);
		memcpy(out.ymmh, fx + 576, 256);
		memcpy(out.code, (void *)CODE, CODE_SIZE);
		memcpy(out.data, (void *)DATA, DATA_SIZE);
		__asm__("mov %%es, %0" : "=r"(out.es));
		__asm__("mov %%ds, %0" : "=r"(out.ds));
		__asm__("mov %%fs, %0" : "=r"(out.fs));
		__asm__("mov %%gs, %0" : "=r"(out.gs));
		out.cs = g[REG_CSGSFS];
		out.ss = (uint64_t)g[REG_CSGSFS] >> 48;
		call(SYS_arch_prctl, ARCH_GET_FS, (long)&out.fs_base, 0);
		call(SYS_arch_prctl, ARCH_GET_GS, (long)&out.gs_base, 0);
		all(SYS_write, 1, &out, sizeof out);
	}
	all(SYS_read, 0, &in, sizeof in);
	memcpy((void *)CODE, in.code, CODE_SIZE);
	memcpy((void *)DATA, in.data, DATA_SIZE);
	for (int i = 0; i < 16; i++)
		g[order[i]] = in.gpr[i];
	g[REG_RIP] = in.rip;
	g[REG_EFL] = in.rflags | 0x200;
	memcpy(fx, in.fx, 416); /* what follows belongs to the kernel */
	*(uint64_t *)(fx + 512) |= 3; /* xstate_bv: x87, SSE */
	if (in.avx) {
		*(uint64_t *)(fx + 512) |= 4;
		memcpy(fx + 576, in.ymmh, 256);
	}
	/* a case that does not end by itself ends here; of processor time, so that a busy host does not matter */
	struct itimerval t = { { 0, 0 }, { 0, 200000 } };
	call(SYS_setitimer, ITIMER_VIRTUAL, (long)&t, 0);
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
	call(SYS_arch_prctl, ARCH_SET_FS, DATA + 0x300, 0);
	call(SYS_arch_prctl, ARCH_SET_GS, DATA + 0x100, 0);
}

int main(void)
{
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof altstack };
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	int sigs[] = { SIGUSR1, SIGSEGV, SIGTRAP, SIGILL, SIGBUS, SIGFPE, SIGVTALRM };

	if (mmap((void *)CODE, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
	    mmap((void *)DATA, DATA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return 2;
	sigaltstack(&ss, 0);
	sigfillset(&sa.sa_mask);
	for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++)
		sigaction(sigs[i], &sa, 0);
	raise(SIGUSR1);
	return 3;
}
