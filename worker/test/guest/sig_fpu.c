// The state of floating point in signal frames: a handler begins with a fresh one, what it does is undone, and what it writes into the frame counts. AVX too, if there is any.
#include "guest.h"
#include <cpuid.h>
#include <ucontext.h>
struct fx {
	unsigned short cwd, swd, ftw, fop;
	unsigned long rip, rdp;
	unsigned mxcsr, mask, st[32], xmm[64];
};
static int avx;
static volatile int step;
static unsigned mxcsr(void) {
	unsigned m;
	__asm__ volatile("stmxcsr %0" : "=m"(m));
	return m;
}
static void set_mxcsr(unsigned m) { __asm__ volatile("ldmxcsr %0" : : "m"(m)); }
static unsigned short fcw(void) {
	unsigned short w;
	__asm__ volatile("fnstcw %0" : "=m"(w));
	return w;
}
static void set_fcw(unsigned short w) { __asm__ volatile("fldcw %0" : : "m"(w)); }
static unsigned short fsw(void) {
	unsigned short w;
	__asm__ volatile("fnstsw %0" : "=m"(w));
	return w;
}
static void spoil(void) {
	set_mxcsr(0x7f80), set_fcw(0x77f);
	__asm__ volatile("fld1; fldpi; fldz");
	__asm__ volatile("pcmpeqd %%xmm15, %%xmm15; movdqa %%xmm15, %%xmm0" ::: "xmm0", "xmm15");
	if (avx) __asm__ volatile(".byte 0xc5,0xfc,0x77" ::: "xmm0", "xmm15"); // vzeroall
}
static void h(int s, siginfo_t *si, void *p) {
	ucontext_t *uc = p;
	struct fx *f = (void *)uc->uc_mcontext.fpregs;
	unsigned long x;
	__asm__ volatile("movq %%xmm15, %0" : "=r"(x));
	unsigned m = mxcsr(), c = fcw(), w = fsw();
	volatile double zero = 0, one = 1;
	printf("signal %d code %d: mxcsr %x fcw %x fsw %x xmm15 %lx, 1/0 is %g\n", s, s == SIGFPE ? si->si_code : 0, m, c, w, x, one / zero);
	printf("frame: mxcsr %x mask %x fcw %x fsw %x xmm15 %x flags %lx\n", f->mxcsr, f->mask & 0xffff, f->cwd, f->swd, f->xmm[60], uc->uc_flags & 6);
	if (avx) {
		unsigned *sw = (unsigned *)((char *)f + 464);
		printf(sw[0] == 0x46505853 && *(unsigned *)((char *)f + sw[4]) == 0x46505845 && (sw[2] & 7) == 7 && (uc->uc_flags & 1) ? "" : "no xstate in the frame\n");
	}
	if (step == 2) f->mxcsr = 0x3f80, f->cwd = 0x27f, f->xmm[60] = 77;
	if (step == 3) f->mxcsr |= 0x1f80;
	if (step == 4) uc->uc_mcontext.fpregs = 0;
	spoil();
}
static void show(const char *what) {
	unsigned long x;
	__asm__ volatile("movq %%xmm15, %0" : "=r"(x));
	printf("%s: mxcsr %x fcw %x fsw %x xmm15 %lx\n", what, mxcsr(), fcw(), fsw(), x);
}
/** Sends itself the signal with 1.5 in all of xmm15 or ymm15; says how many of its lanes are that afterwards. */
static int lanes(void) {
	float one[8] = {1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5}, out[8] = {0};
	long r, pid = getpid();
	if (avx)
		__asm__ volatile("vmovups %2, %%ymm15; syscall; vmovups %%ymm15, %1" : "=a"(r), "=m"(out) : "m"(one), "0"(62L), "D"(pid), "S"((long)SIGUSR1) : "rcx", "r11", "xmm15", "memory");
	else
		__asm__ volatile("movups %3, %%xmm15; syscall; movups %%xmm15, %1; movups %%xmm15, %2" : "=a"(r), "=m"(out), "=m"(out[4]) : "m"(one), "0"(62L), "D"(pid), "S"((long)SIGUSR1) : "rcx", "r11", "xmm15", "memory");
	int n = 0;
	for (int i = 0; i < 8; i++) n += out[i] == 1.5f;
	return n;
}
int main(void) {
	unsigned a, b, c = 0, d;
	__get_cpuid(1, &a, &b, &c, &d);
	avx = (c >> 27 & 3) == 3;
	struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &sa, 0), sigaction(SIGFPE, &sa, 0);
	set_mxcsr(0x5f80), set_fcw(0xf7f);
	__asm__ volatile("fld1");
	step = 1;
	printf("%d lanes\n", lanes());
	show("after");
	step = 2;
	raise(SIGUSR1);
	show("changed");
	__asm__ volatile("fninit");
	step = 3;
	set_mxcsr(0x1f80 & ~0x200); // division by zero is unmasked
	volatile double zero = 0, one = 1, q = one / zero;
	printf("quotient %g\n", q);
	show("repaired");
	set_mxcsr(0x5f80), set_fcw(0x27f);
	step = 4;
	raise(SIGUSR1);
	show("without a frame");
	return 0;
}
