// kernel.c — the kernels of ../guest/kernels.c as a multiboot i386 kernel for v86: reads "NAME REPS" lines from the serial port, answers as the program does.
typedef __SIZE_TYPE__ size_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned uint32_t;
typedef unsigned long long uint64_t;

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
	return to;
}
void *memset(void *to, int c, size_t n)
{
	void *d = to;
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return to;
}
static char *strcpy(char *to, const char *from)
{
	char *d = to;
	while ((*d++ = *from++));
	return to;
}

// 64-bit division as libgcc's: there is none for i386 here
static uint64_t divide(uint64_t n, uint64_t d, uint64_t *rest)
{
	uint32_t dh = d >> 32, dl = d, nh = n >> 32, nl = n, q1 = 0, q0, r;
	if (dh == 0) {
		if (nh >= dl) q1 = nh / dl, nh %= dl;
		__asm__("divl %4" : "=a"(q0), "=d"(r) : "0"(nl), "1"(nh), "r"(dl));
		*rest = r;
		return (uint64_t)q1 << 32 | q0;
	}
	int shift = __builtin_clz(dh);
	uint64_t n1 = n >> 1, dn = d << shift;
	__asm__("divl %4" : "=a"(q0), "=d"(r) : "0"((uint32_t)n1), "1"((uint32_t)(n1 >> 32)), "r"((uint32_t)(dn >> 32)));
	q0 = q0 >> (31 - shift);
	if (q0) q0--;
	*rest = n - q0 * d;
	if (*rest >= d) q0++, *rest -= d;
	return q0;
}
uint64_t __udivdi3(uint64_t n, uint64_t d) { uint64_t r; return divide(n, d, &r); }
uint64_t __umoddi3(uint64_t n, uint64_t d) { uint64_t r; divide(n, d, &r); return r; }

#define FREESTANDING
#include "../guest/kernels.c"

static void out(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static uint8_t in(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static void say(const char *s) { while (*s) out(0x3f8, *s++); }
static int get(void)
{
	while (!(in(0x3fd) & 1));
	return in(0x3f8);
}

__attribute__((used)) void start(void)
{
	char line[64];
	// SSE on
	__asm__ volatile("mov %%cr0, %%eax; and $~4, %%eax; or $2, %%eax; mov %%eax, %%cr0; mov %%cr4, %%eax; or $0x600, %%eax; mov %%eax, %%cr4" : : : "eax");
	say("@ready\n");
	for (;;) {
		int n = 0, c;
		while ((c = get()) != '\n') if (n < 60) line[n++] = c;
		line[n] = 0;
		int space = 0;
		while (line[space] && line[space] != ' ') space++;
		long reps = 0;
		for (int i = space + 1; i < n; i++) reps = reps * 10 + line[i] - '0';
		line[space] = 0;
		for (unsigned k = 0; k < sizeof kernels / sizeof *kernels; k++) {
			int i = 0;
			while (line[i] && line[i] == kernels[k].name[i]) i++;
			if (line[i] != kernels[k].name[i]) continue;
			uint64_t sum = 0;
			say("@begin ");
			say(line);
			say("\n");
			for (long r = 0; r < reps; r++) sum = sum * 3 + kernels[k].run();
			say("@end ");
			say(line);
			say(" 0 ");
			for (i = 60; i >= 0; i -= 4) out(0x3f8, "0123456789abcdef"[sum >> i & 15]);
			say("\n");
		}
	}
}

__asm__(".section .multiboot, \"a\"; .align 4; .long 0x1badb002, 0, -0x1badb002; .text; .globl _start; _start: mov $stack + 65536, %esp; call start; .bss; .align 16; stack: .skip 65536; .text");
