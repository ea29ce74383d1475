// A pending x87 exception: which instructions notice it, and whether before they look at a bad address (SIGFPE instead of SIGSEGV).
#include "guest.h"
#include <setjmp.h>
#include <signal.h>
static sigjmp_buf back;
static volatile int got, code;
static void on(int s, siginfo_t *info, void *context) { (void)context, got = s, code = info->si_code; siglongjmp(back, 1); }
static unsigned short unmasked = 0x340, word;
static char area[512] __attribute__((aligned(64)));
#define TRY(insn) do { \
	got = code = 0; \
	if (!sigsetjmp(back, 1)) { \
		__asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp" : : "m"(unmasked)); \
		__asm__ volatile(insn : : "r"(bad), "m"(area), "m"(word) : "memory", "eax"); \
	} \
	__asm__ volatile("fninit; emms"); \
	printf("%-22s %s %d\n", insn, got == SIGFPE ? "SIGFPE" : got == SIGSEGV ? "SIGSEGV" : got ? "other" : "-", code); \
} while (0)
int main(void) {
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	sigaction(SIGFPE, &sa, 0), sigaction(SIGSEGV, &sa, 0), sigaction(SIGBUS, &sa, 0);
	char *bad = (char *)0x800000000000;
	TRY("fld1"); TRY("fnop"); TRY("fwait"); TRY("ffree %%st(0)"); TRY("fincstp"); TRY("fninit");
	TRY("fldl (%0)"); TRY("fstpl (%0)"); TRY("faddl (%0)"); TRY("fildl (%0)"); TRY("fistpl (%0)"); TRY("fldt (%0)"); TRY("fbld (%0)"); TRY("fbstp (%0)");
	TRY("fldcw (%0)"); TRY("fldenv (%0)"); TRY("frstor (%0)"); TRY("fnstcw (%0)"); TRY("fnstsw (%0)"); TRY("fnsave (%0)"); TRY("fnstenv (%0)");
	TRY("fxsave (%0)"); TRY("fxrstor (%0)"); TRY("fldcw %2"); TRY("fnstsw %2"); TRY("fnsave %1"); TRY("fxsave %1");
	TRY("movq %%mm0, %%mm1"); TRY("paddb %%mm0, %%mm1"); TRY("psrlw $3, %%mm1"); TRY("pshufw $1, %%mm0, %%mm1"); TRY("movd %%eax, %%mm0"); TRY("movd %%mm0, %%eax"); TRY("emms");
	TRY("movq %1, %%mm1"); TRY("movq (%0), %%mm1"); TRY("paddb (%0), %%mm1"); TRY("movq %%mm1, (%0)"); TRY("movntq %%mm0, %1"); TRY("movntq %%mm0, (%0)"); TRY("maskmovq %%mm0, %%mm1");
	TRY("pinsrw $0, %%eax, %%mm0"); TRY("pextrw $0, %%mm0, %%eax"); TRY("pmovmskb %%mm0, %%eax");
	TRY("movq2dq %%mm0, %%xmm0"); TRY("movdq2q %%xmm0, %%mm0"); TRY("cvtpi2ps %%mm0, %%xmm0"); TRY("cvtpi2pd %%mm0, %%xmm0"); TRY("cvtpi2pd %1, %%xmm0"); TRY("cvtpi2ps %1, %%xmm0");
	TRY("cvtps2pi %%xmm0, %%mm0"); TRY("cvttpd2pi %%xmm0, %%mm0"); TRY("cvtpi2pd (%0), %%xmm0"); TRY("cvtps2pi (%0), %%mm0");
	return 0;
}
