// Instructions that compilers seldom emit: string operations, bit tests, BCD-free odds and ends, wide multiply and divide, flags, cmpxchg16b.
#include "guest.h"
typedef unsigned long u64;
#define FLAGS "pushfq; pop %[f]; "
static u64 mask(u64 f) { return f & 0x8d5; }
int main(void) {
	u64 f, a, b, d;
	static const u64 v[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff, 0x123456789abcdef0, 0x7fffffffffffffff, 0x8000000000000000, ~0ul};
	for (unsigned i = 0; i < sizeof v / 8; i++) {
		for (unsigned j = 0; j < sizeof v / 8; j++) {
			u64 x = v[i], y = v[j], h = 0;
#define OP2(text) a = x; __asm__ volatile("stc; " text "; " FLAGS : [a] "+r"(a), [f] "=r"(f) : [b] "r"(y) : "cc"); h = h * 1099511628211ul + a * 3 + mask(f);
			OP2("add %[b], %[a]") OP2("adc %[b], %[a]") OP2("sub %[b], %[a]") OP2("sbb %[b], %[a]") OP2("cmp %[b], %[a]")
			OP2("add %k[b], %k[a]") OP2("adc %w[b], %w[a]") OP2("sbb %b[b], %b[a]") OP2("sub %w[b], %w[a]") OP2("neg %[a]") OP2("neg %b[a]")
			OP2("xadd %k[b], %k[a]") OP2("bswap %[a]; test %[a], %[a]") OP2("inc %w[a]") OP2("dec %[a]")
#define SH(text, keep) a = x; __asm__ volatile("stc; " text "; " FLAGS : [a] "+r"(a), [f] "=r"(f) : "c"(y) : "cc"); h = h * 1099511628211ul + a * 3 + (f & keep);
			int n = y & 63;
			SH("rol %%cl, %[a]", 0) SH("ror %%cl, %k[a]", 0) SH("rcl %%cl, %[a]", 0) SH("rcr %%cl, %w[a]", 0) SH("shl %%cl, %[a]", 0) SH("shr %%cl, %k[a]", 0) SH("sar %%cl, %[a]", 0) SH("shl %%cl, %b[a]", 0)
			SH("shl $1, %[a]", 0x8c5) SH("sar $1, %k[a]", 0x8c5) SH("shr $1, %w[a]", 0x8c5) SH("rcl $1, %[a]", 0x801) SH("rcr $1, %k[a]", 0x801)
			a = x, b = y;
			__asm__ volatile("shld %%cl, %[b], %[a]" : [a] "+r"(a) : [b] "r"(b), "c"(7ul) : "cc");
			h = h * 31 + a;
			a = x;
			__asm__ volatile("mul %[b]; " FLAGS : "+a"(a), "=d"(d), [f] "=&r"(f) : [b] "r"(y) : "cc");
			h = h * 31 + a + d * 7 + (f & 0x801);
			a = x;
			__asm__ volatile("imul %[b]; " FLAGS : "+a"(a), "=d"(d), [f] "=&r"(f) : [b] "r"(y) : "cc");
			h = h * 31 + a + d * 7 + (f & 0x801);
			if (y) {
				a = x, d = y - 1;
				__asm__ volatile("div %[b]" : "+a"(a), "+d"(d) : [b] "r"(y) : "cc");
				h = h * 31 + a + d * 7;
				if (!(x == 0x8000000000000000 && y == ~0ul)) {
					a = x, d = (long)x >> 63;
					__asm__ volatile("idiv %[b]" : "+a"(a), "+d"(d) : [b] "r"(y) : "cc");
					h = h * 31 + a + d * 7;
				}
			}
			a = x;
			__asm__ volatile("bt %[n], %[a]; " FLAGS : [a] "+r"(a), [f] "=r"(f) : [n] "r"(y) : "cc");
			h = h * 31 + (f & 1);
			__asm__ volatile("btc %[n], %[a]" : [a] "+r"(a) : [n] "r"(y) : "cc");
			__asm__ volatile("bts %k[n], %k[a]" : [a] "+r"(a) : [n] "r"(y) : "cc");
			h = h * 31 + a;
			if (x) {
				__asm__ volatile("bsf %1, %0" : "=r"(a) : "r"(x) : "cc");
				__asm__ volatile("bsr %1, %0" : "=r"(b) : "r"(x) : "cc");
				h = h * 31 + a * 64 + b;
			}
			a = x;
			__asm__ volatile("cmpxchg %[b], %[c]; setz %b[f]" : "+a"(a), [f] "=q"(f), [c] "+r"(h) : [b] "r"(y) : "cc");
			h += (unsigned char)f + a;
			printf("%016lx%c", h, j % 5 == 4 ? '\n' : ' ');
		}
	}
	char s[64] = "the quick brown fox jumps over the lazy dog", t[64] = {0};
	void *si = s, *di = t;
	u64 c = 44;
	__asm__ volatile("cld; rep movsb" : "+S"(si), "+D"(di), "+c"(c) : : "memory");
	printf("%s %ld %ld %ld\n", t, (long)((char *)si - s), (long)((char *)di - t), c);
	di = s, c = 64;
	__asm__ volatile("repne scasb; " FLAGS : "+D"(di), "+c"(c), [f] "=r"(f) : "a"('j') : "memory", "cc");
	printf("%ld %ld %lx\n", (long)((char *)di - s), c, mask(f));
	t[10] = '!', si = s, di = t, c = 64;
	__asm__ volatile("repe cmpsb; " FLAGS : "+S"(si), "+D"(di), "+c"(c), [f] "=r"(f) : : "memory", "cc");
	printf("%ld %ld %lx\n", (long)((char *)si - s), c, mask(f));
	di = t + 40, c = 3, a = 0x4142434445464748;
	__asm__ volatile("std; rep stosq; cld" : "+D"(di), "+c"(c) : "a"(a) : "memory");
	printf("%ld %.24s\n", (long)((char *)di - t), t + 24);
	si = s, c = 0;
	__asm__ volatile("lodsl" : "=a"(a), "+S"(si));
	printf("%lx\n", a);
	c = 0, si = s, di = t;
	__asm__ volatile("xor %%eax, %%eax; inc %%eax; repe cmpsb; " FLAGS : "+S"(si), "+D"(di), "+c"(c), [f] "=r"(f) : : "rax", "memory", "cc");
	printf("zero count %ld %lx\n", c, mask(f));
	static u64 pair[2] __attribute__((aligned(16))) = {1, 2};
	u64 lo = 1, hi = 2;
	unsigned char z;
	__asm__ volatile("lock cmpxchg16b %1; setz %0" : "=q"(z), "+m"(pair), "+a"(lo), "+d"(hi) : "b"(3ul), "c"(4ul) : "cc");
	printf("%d %ld %ld\n", z, pair[0], pair[1]);
	__asm__ volatile("lock cmpxchg16b %1; setz %0" : "=q"(z), "+m"(pair), "+a"(lo), "+d"(hi) : "b"(5ul), "c"(6ul) : "cc");
	printf("%d %ld %ld %ld %ld\n", z, pair[0], pair[1], lo, hi);
	__asm__ volatile("mov $0x8081, %%eax; cbw; cwde; cdqe; cqo" : "=a"(a), "=d"(d));
	printf("%lx %lx\n", a, d);
	__asm__ volatile("mov $0xd5, %%ah; sahf; lahf; movzx %%ah, %%eax" : "=a"(a) : : "cc");
	printf("%lx\n", a);
	static unsigned char table[256];
	for (int i = 0; i < 256; i++) table[i] = i ^ 0x5a;
	__asm__ volatile("xlatb" : "=a"(a) : "0"(0x17ul), "b"(table));
	printf("%lx\n", a);
	__asm__ volatile("push $-5; pop %0; enter $16, $0; mov %%rsp, %1; leave" : "=&r"(a), "=&r"(b));
	printf("%ld\n", a);
	__asm__ volatile("clc; cmc; setc %b0; stc; cmc; setc %h0; movzwl %w0, %k0" : "=Q"(a) : : "cc");
	printf("%lx\n", a);
	return 0;
}
