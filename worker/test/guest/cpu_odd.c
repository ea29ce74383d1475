// Instructions that programs seldom use, or never should: what each is (a signal, with all that comes with it, or nothing), one by one. What an ordinary Linux on hardware said.
#include "guest.h"
#include <setjmp.h>
#include <ucontext.h>
static sigjmp_buf env;
static unsigned char *code;
static volatile unsigned char room[256] __attribute__((aligned(64)));
static const char *name;
static void h(int s, siginfo_t *si, void *p) {
	greg_t *g = ((ucontext_t *)p)->uc_mcontext.gregs;
	unsigned long a = (unsigned long)si->si_addr, rip = g[REG_RIP];
	char at[32], ip[32];
	if (a >= (unsigned long)code && a < (unsigned long)code + 64) snprintf(at, sizeof at, "code+%lu", a - (unsigned long)code);
	else if (a >= (unsigned long)room && a < (unsigned long)room + sizeof room) snprintf(at, sizeof at, "room+%lu", a - (unsigned long)room);
	else snprintf(at, sizeof at, a && a == rip ? "rip" : "%lx", a);
	long off = (long)(rip - (unsigned long)code);
	snprintf(ip, sizeof ip, off >= 0 && off < 64 ? "+%ld" : "elsewhere", off);
	printf("%s: signal %d code %d addr %s rip %s trap %ld err %lx\n", name, s, si->si_code, at, ip, (long)g[REG_TRAPNO], (unsigned long)g[REG_ERR]);
	siglongjmp(env, 1);
}
/** Runs the bytes, then `ret`, with rcx = c, rdx = 0, rbx, rsi and rdi in `room`, and says what came out in rax, rcx and the flags. */
static void try(const char *what, const char *bytes, int n, unsigned long c) {
	name = what;
	memset((void *)room, 0, sizeof room);
	memset(code, 0x90, 64);
	memcpy(code, bytes, n);
	code[n] = 0xc3;
	if (sigsetjmp(env, 1)) return;
	unsigned long a = 0x1122334455667788, f, d = 0;
	__asm__ volatile("sub $128, %%rsp; cmp %%rax, %%rax; call *%[code]; pushfq; pop %[f]; add $128, %%rsp"
			 : "+a"(a), "+c"(c), "+d"(d), [f] "=&r"(f) : [code] "r"(code), "b"(room), "S"(room + 64), "D"(room + 128) : "memory", "cc", "r8", "r9", "r10", "r11");
	if (*what == '*') a = c = 0; // addresses
	printf("%s: rax %lx rcx %lx rdx %lx flags %lx room %02x%02x%02x%02x %02x%02x%02x%02x %02x%02x\n", what, a, c, d, f & 0x8d5, room[0], room[1], room[2], room[3], room[4], room[5], room[6], room[7], room[8], room[9]);
}
#define T(what, bytes) try(what, bytes, sizeof bytes - 1, 0)
#define C(what, bytes, c) try(what, bytes, sizeof bytes - 1, c)
int main(void) {
	static char alt[16384];
	stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
	struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	int sigs[] = {SIGSEGV, SIGILL, SIGTRAP, SIGFPE, SIGBUS};
	sigaltstack(&ss, 0);
	for (int i = 0; i < 5; i++) sigaction(sigs[i], &sa, 0);
	code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	T("hlt", "\xf4"), T("cli", "\xfa"), T("sti", "\xfb"), T("in al,5", "\xe4\x05"), T("in eax,dx", "\xed"), T("out dx,al", "\xee"), T("insb", "\x6c"), T("rep outsb", "\xf3\x6e");
	T("clts", "\x0f\x06"), T("invd", "\x0f\x08"), T("wbinvd", "\x0f\x09"), T("rdmsr", "\x0f\x32"), T("wrmsr", "\x0f\x30"), T("swapgs", "\x0f\x01\xf8"), T("sysret", "\x48\x0f\x07"), T("sysexit", "\x0f\x35");
	T("mov cr0,rax", "\x0f\x22\xc0"), T("mov rax,cr3", "\x0f\x20\xd8"), T("mov rax,cr1", "\x0f\x20\xc8"), T("mov rax,dr7", "\x0f\x21\xf8"), T("lgdt", "\x0f\x01\x13"), T("lidt", "\x0f\x01\x1b"), T("lldt", "\x0f\x00\xd1"), T("ltr", "\x0f\x00\xd9"), T("lmsw", "\x0f\x01\xf1"), T("invlpg", "\x0f\x01\x3b");
	T("ud2", "\x0f\x0b"), T("ud1", "\x0f\xb9\xc1"), T("ud0", "\x0f\xff\xc1"), T("ud1 null page", "\x0f\xb9\x04\x25\x10\0\0\0"), T("monitor", "\x0f\x01\xc8"), T("vmlaunch", "\x0f\x01\xc2"), T("rsm", "\x0f\xaa"), T("getsec", "\x0f\x37");
	T("push es", "\x06"), T("daa", "\x27"), T("aaa", "\x37"), T("pusha", "\x60"), T("bound", "\x62\x03"), T("into", "\xce"), T("aam", "\xd4\x0a"), T("salc", "\xd6"), T("jmp ptr16:32", "\xea\0\0\0\0\x33\0"), T("call ptr16:32", "\x9a\0\0\0\0\x33\0"), T("les", "\xc4\x03");
	T("int3", "\xcc"), T("int 3", "\xcd\x03"), T("int 4", "\xcd\x04"), T("int 0", "\xcd\0"), T("int 0x21", "\xcd\x21"), T("int 0xff", "\xcd\xff");
	T("lock nop", "\xf0\x90"), T("lock mov", "\xf0\x89\x03"), T("lock add reg", "\xf0\x01\xc1"), T("lock add mem", "\xf0\x01\x03"), T("lock cmp", "\xf0\x39\x03"), T("lock not", "\xf0\xf6\x13"), T("xacquire lock inc", "\xf2\xf0\xff\x03"), T("lock bt", "\xf0\x0f\xa3\x03"), T("lock bts", "\xf0\x0f\xab\x0b");
	T("15 bytes", "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"), T("16 bytes", "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"), T("15 bytes mov", "\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\xb8\1\2\3\4"), T("16 bytes mov", "\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\x3e\xb8\1\2\3\4");
	T("pause", "\xf3\x90"), T("xchg r8,rax", "\x49\x90"), T("nop ev", "\x0f\x1f\x84\0\0\0\0\0"), T("endbr64", "\xf3\x0f\x1e\xfa"), T("rdsspq", "\xf3\x48\x0f\x1e\xc8"), T("hint nop", "\x0f\x1e\xc8"), T("cldemote", "\x0f\x1c\x03"), T("prefetchw", "\x0f\x0d\x0b"), T("prefetchnta null", "\x0f\x18\x04\x25\x10\0\0\0"), T("prefetchit0", "\x0f\x18\x3d\0\0\0\0");
	T("clflush", "\x0f\xae\x3b"), T("clflush null", "\x0f\xae\x3c\x25\x10\0\0\0"), T("lfence", "\x0f\xae\xe8"), T("mfence", "\x0f\xae\xf0"), T("sfence", "\x0f\xae\xf8"), T("lfence rm 1", "\x0f\xae\xe9"), T("movnti", "\x0f\xc3\x03"), T("movntdq", "\x66\x0f\xe7\x03"), T("movntdq misaligned", "\x66\x0f\xe7\x43\x01"), T("movntps", "\x0f\x2b\x03");
	C("mov ds,0", "\x8e\xd9\x66\x8c\xd8", 0), C("mov ds,2b", "\x8e\xd9\x66\x8c\xd8\x31\xc9\x8e\xd9", 0x2b), C("mov ds,33", "\x8e\xd9\x66\x8c\xd8\x31\xc9\x8e\xd9", 0x33), C("mov ds,10", "\x8e\xd9", 0x10), C("mov ds,ffff", "\x8e\xd9", 0xffff), C("mov es,4", "\x8e\xc1", 4), C("mov ss,2b", "\x8e\xd1", 0x2b), C("mov ss,0", "\x8e\xd1", 0), C("mov ss,33", "\x8e\xd1", 0x33), C("mov cs", "\x8e\xc9", 0x33), C("mov seg 6", "\x8e\xf1", 0);
	T("mov eax,cs", "\x8c\xc8"), T("mov eax,ss", "\x8c\xd0"), T("mov rax,ds", "\x48\x8c\xd8"), T("mov ax,es", "\x66\x8c\xc0"), T("mov m,cs", "\x8c\x0b"), T("mov seg 7", "\x8c\xf8"), C("mov gs,2b", "\x8e\xe9\x66\x8c\xe8\x31\xc9\x8e\xe9", 0x2b), T("push gs", "\x0f\xa8\x58"), T("push 2b pop gs", "\x6a\x2b\x0f\xa9\x66\x8c\xe8\x31\xc9\x8e\xe9"), T("push 10 pop gs", "\x6a\x10\x0f\xa9");
	C("lar 2b", "\x0f\x02\xc1", 0x2b), C("lar 33", "\x48\x0f\x02\xc1", 0x33), C("lar 0", "\x0f\x02\xc1", 0), C("lar 10", "\x0f\x02\xc1", 0x10), C("lsl 2b", "\x0f\x03\xc1", 0x2b), C("lsl 40", "\x0f\x03\xc1", 0x40), C("verr 33", "\x0f\x00\xe1", 0x33), C("verw 33", "\x0f\x00\xe9", 0x33), C("verw 2b", "\x0f\x00\xe9", 0x2b), C("arpl is movsxd", "\x63\xc1", 0xfffffff0);
	T("sgdt", "\x0f\x01\x03"), T("sidt", "\x0f\x01\x0b"), T("str m", "\x0f\x00\x0b"), T("sldt m", "\x0f\x00\x03"), T("smsw m", "\x0f\x01\x23"), T("sgdt null", "\x0f\x01\x04\x25\x10\0\0\0");
	T("*retfq", "\x58\x6a\x33\x50\x48\xcb"), T("retf 32", "\x6a\x33\x50\xcb"), T("retfq 2b", "\x6a\x2b\x50\x48\xcb"), T("retfq 10", "\x6a\x10\x50\x48\xcb"), T("retfq 0", "\x6a\0\x50\x48\xcb");
	T("*iretq", "\x58\x48\x89\xe1\x6a\x2b\x51\x9c\x6a\x33\x50\x48\xcf"), T("iretq cs 10", "\x58\x48\x89\xe1\x6a\x2b\x51\x9c\x6a\x10\x50\x48\xcf"), T("iretq ss 0", "\x58\x48\x89\xe1\x6a\0\x51\x9c\x6a\x33\x50\x48\xcf"), T("iretq nt", "\x9c\x81\x0c\x24\0\x40\0\0\x9d\x48\xcf");
	C("jmp far 10", "\x66\xc7\x43\x04\x10\0\xff\x2b", 0), C("jmp far 2b", "\x66\xc7\x43\x04\x2b\0\xff\x2b", 0), C("jmp far 0", "\xff\x2b", 0), C("call far 10", "\x66\xc7\x43\x04\x10\0\xff\x1b", 0), C("jmp far reg", "\xff\xe9", 0), C("call far reg", "\xff\xd9", 0), C("lss 0", "\x0f\xb2\x0b", 0), C("lfs reg", "\x0f\xb4\xc1", 0);
	C("rdpmc", "\x0f\x33", 0x12345), T("rdtsc", "\x0f\x31\x31\xc0\x31\xd2"), T("rdtscp", "\x0f\x01\xf9\x31\xc0\x31\xd2\x31\xc9"), T("cpuid", "\x53\x0f\xa2\x5b\x31\xc0\x31\xc9\x31\xd2"), C("wrgsbase bad", "\xf3\x48\x0f\xae\xd9", 0x8000000000000000);
	T("div 0", "\xf7\xf1"), T("idiv overflow", "\x99\x48\xb8\0\0\0\0\0\0\0\x80\x48\x99\x48\x83\xc9\xff\x48\xf7\xf9"), T("aam 0 is none", "\xd4\0"), T("jmp noncanonical", "\x48\xb8\0\0\0\0\0\0\0\x80\xff\xe0"), T("ret noncanonical", "\x48\xb8\0\0\0\0\0\0\0\x80\x50\xc3"), T("push noncanonical", "\x48\x89\xe1\x48\xbc\0\0\0\0\0\0\0\x80\x50"), T("movaps misaligned", "\x0f\x28\x43\x01"), T("movups ok", "\x0f\x10\x43\x01");
	T("tf", "\x9c\x81\x0c\x24\0\x01\0\0\x9d\x90\x90"), T("tf before ret", "\x9c\x81\x0c\x24\0\x01\0\0\x9d\xc3"), T("std cld", "\xfd\xfc"), T("pushf low", "\x66\x9c\x66\x58"), T("bswap 16", "\x66\x0f\xc8"), T("movbe reg is none", "\x0f\x38\xf0\xc1"), T("popcnt no f3", "\x0f\xb8\xc1"), T("cmpxchg16b misaligned", "\x48\x0f\xc7\x4b\x08"), T("cmpxchg8b reg", "\x0f\xc7\xc9"), T("lea reg", "\x8d\xc0"), T("mov imm /1", "\xc7\xc8\0\0\0\0"), T("pop /1", "\x8f\xc8"), T("group5 /7", "\xff\xf8"), T("group4 /2", "\xfe\xd0"), T("fisttp reg", "\xdd\xc8"), T("d9 d1", "\xd9\xd1"), T("fxsave misaligned", "\x0f\xae\x43\x08"), T("ldmxcsr bad", "\xc7\x03\0\0\x01\0\x0f\xae\x13"), T("3dnow", "\x0f\x0f\xc1\x9e"), T("xop", "\x8f\xe9\x78\x01\xc9"), T("evex", "\x62\xf1\x7c\x48\x58\xc1"), T("vex lock", "\xf0\xc5\xf8\x58\xc1"), T("vex rex", "\x48\xc5\xf8\x58\xc1"), T("vex 66", "\x66\xc5\xf8\x58\xc1");
	return 0;
}
