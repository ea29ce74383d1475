// kernels.c — thirteen small programs that load a processor in different ways: `kernels NAME REPS`.
//
// Prints "@begin NAME REPS", works, prints "@end NAME NS CHECKSUM". The checksum depends on all of the work, so whoever computes
// something else is found out, and no compiler can leave it away. Ten are of the usual kinds, the last three are CoreMark's.
#ifndef FREESTANDING
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#endif

#define NOINLINE __attribute__((noinline))
static uint32_t seed = 1;
static uint32_t rnd(void) { return seed = seed * 1664525u + 1013904223u; }

// sieve of Eratosthenes: byte stores with strides
static uint8_t composite[1 << 18];
NOINLINE static uint64_t sieve(void) {
	uint64_t sum = 0;
	memset(composite, 0, sizeof composite);
	for (uint32_t i = 2; i < sizeof composite; i++) {
		if (composite[i]) continue;
		sum += i;
		for (uint32_t j = 2 * i; j < sizeof composite; j += i) composite[j] = 1;
	}
	return sum;
}

// doubles: thirds and sevenths, so that results are inexact
#define MAT 96
static double ma[MAT][MAT], mb[MAT][MAT], mc[MAT][MAT];
NOINLINE static uint64_t matmul(void) {
	for (int i = 0; i < MAT; i++)
		for (int j = 0; j < MAT; j++) ma[i][j] = (i + 1) / 3.0 - j, mb[i][j] = (j + 2) / 7.0 + i;
	for (int i = 0; i < MAT; i++)
		for (int j = 0; j < MAT; j++) {
			double s = 0;
			for (int k = 0; k < MAT; k++) s += ma[i][k] * mb[k][j];
			mc[i][j] = s;
		}
	uint64_t bits, sum = 0;
	for (int i = 0; i < MAT; i++) memcpy(&bits, &mc[i][(i * 7) % MAT], 8), sum ^= bits;
	return sum;
}

// SHA-256's compression: rotates and adds, all in registers
static uint32_t K[64];
static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }
NOINLINE static void sha_block(uint32_t h[8], const uint32_t in[16]) {
	uint32_t w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], x = h[7];
	memcpy(w, in, 64);
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] + (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = x + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
		x = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += x;
}
NOINLINE static uint64_t sha(void) {
	uint32_t h[8], in[16];
	for (int i = 0; i < 64; i++) K[i] = rnd();
	for (int i = 0; i < 8; i++) h[i] = rnd();
	for (int n = 0; n < 2000; n++) {
		for (int i = 0; i < 16; i++) in[i] = h[i & 7] + i + n;
		sha_block(h, in);
	}
	return (uint64_t)h[0] << 32 | h[7];
}

// sorting through a function pointer
static int less(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}
NOINLINE static void quicksort(uint32_t *v, long n, int (*cmp)(const void *, const void *)) {
	while (n > 12) {
		uint32_t pivot = v[n / 2], t;
		long i = 0, j = n - 1;
		for (;;) {
			while (cmp(&v[i], &pivot) < 0) i++;
			while (cmp(&v[j], &pivot) > 0) j--;
			if (i >= j) break;
			t = v[i], v[i] = v[j], v[j] = t, i++, j--;
		}
		quicksort(v, i, cmp);
		v += i, n -= i;
	}
	for (long i = 1; i < n; i++) {
		uint32_t x = v[i];
		long j = i;
		while (j > 0 && cmp(&v[j - 1], &x) > 0) v[j] = v[j - 1], j--;
		v[j] = x;
	}
}
static uint32_t numbers[20000];
NOINLINE static uint64_t qsort_ptr(void) {
	for (int i = 0; i < 20000; i++) numbers[i] = rnd();
	quicksort(numbers, 20000, less);
	uint64_t sum = 0;
	for (int i = 0; i < 20000; i++) sum = sum * 31 + numbers[i];
	return sum;
}

// byte strings: length, compare, search, copy, one byte at a time
static char text[1 << 16], copy[1 << 16];
NOINLINE static uint64_t strings(void) {
	for (unsigned i = 0; i < sizeof text - 1; i++) text[i] = 'a' + rnd() % 20;
	uint64_t sum = 0;
	for (int round = 0; round < 8; round++) {
		char *d = copy;
		for (const char *s = text; (*d = *s); s++) d += *s != 'a' + round;
		*d = 0;
		for (const char *s = copy; *s; s++) sum = (sum ^ (uint8_t)*s) * 1099511628211u;
		for (const char *s = text, *t = copy; *s && *t; s++, t++) sum += *s == *t;
	}
	return sum;
}

// a bytecode interpreter: a switch in a loop
NOINLINE static uint64_t interp(void) {
	static const uint8_t code[] = {0, 3, 1, 0, 4, 2, 5, 1, 6, 3, 1, 2, 5, 4, 7, 0, 3, 6, 8};
	uint64_t acc = 1, r[4] = {1, 2, 3, 4}, steps = 0;
	for (unsigned pc = 0; steps < 400000; steps++) {
		switch (code[pc++]) {
		case 0: acc += r[0]; break;
		case 1: acc ^= r[1] << 3; break;
		case 2: r[2] = acc * 5; break;
		case 3: acc -= r[3]; break;
		case 4: r[1] += acc >> 7; break;
		case 5: r[3] ^= r[2]; break;
		case 6: acc = acc << 13 | acc >> 51; break;
		case 7: if (acc & 1) r[0]++; break;
		case 8: pc = 0; break;
		}
	}
	return acc + r[0] + r[1] + r[2] + r[3];
}

// records: structures, small calls, string compares (of Dhrystone's kind)
struct record { struct record *next; int kind, number; char name[32]; };
static struct record recs[2];
NOINLINE static int rec_kind(int a, int b) { return a == b ? a + 1 : b - a; }
NOINLINE static void rec_next(struct record *r, int n) { r->next->number = r->number + n; r->next->kind = rec_kind(r->kind, n & 7); }
NOINLINE static int rec_same(const char *a, const char *b) {
	int i = 0;
	while (a[i] && a[i] == b[i]) i++;
	return a[i] - b[i];
}
NOINLINE static void rec_copy(struct record *to, const struct record *from) { struct record *n = to->next; *to = *from; to->next = n; }
NOINLINE static uint64_t records(void) {
	uint64_t sum = 0;
	recs[0].next = &recs[1], recs[1].next = &recs[0];
	strcpy(recs[0].name, "some name, of a usual length"), strcpy(recs[1].name, "some name, of a usual lengtH");
	for (int n = 0; n < 100000; n++) {
		rec_next(&recs[n & 1], n);
		sum += rec_same(recs[0].name, recs[1].name) + recs[n & 1].next->kind;
		if (!(n & 15)) rec_copy(&recs[0], &recs[1]), recs[1].name[n >> 4 & 15] ^= 1;
	}
	return sum + recs[0].number;
}

NOINLINE static uint64_t fib_rec(uint64_t n) { return n < 2 ? n : fib_rec(n - 1) + fib_rec(n - 2); }
NOINLINE static uint64_t fib(void) { return fib_rec(25); }

// a chained hash table: dependent loads
struct entry { struct entry *next; uint32_t key, value; };
static struct entry pool[8192], *table[1024];
NOINLINE static uint64_t hash(void) {
	uint64_t sum = 0;
	memset(table, 0, sizeof table);
	for (int i = 0; i < 8192; i++) {
		struct entry *e = &pool[i];
		e->key = rnd(), e->value = i;
		e->next = table[e->key >> 22], table[e->key >> 22] = e;
	}
	for (int round = 0; round < 4; round++)
		for (int i = 0; i < 8192; i++)
			for (struct entry *e = table[pool[i].key >> 22]; e; e = e->next)
				if (e->key == pool[i].key) { sum += e->value; break; }
	return sum;
}

NOINLINE static uint64_t int64(void) {
	uint64_t a = 0x9e3779b97f4a7c15u, b = 1, sum = 0;
	for (int i = 1; i < 200000; i++) {
		a ^= a << 13, a ^= a >> 7, a ^= a << 17;
		b = b * 6364136223846793005u + a;
		sum += b % (i | 1) + (a >> 33) / (unsigned)i;
	}
	return sum;
}

// a linked list, reversed and searched
struct node { struct node *next; int16_t key, value; };
static struct node nodes[2048];
NOINLINE static struct node *list_reverse(struct node *l) {
	struct node *r = 0;
	while (l) { struct node *n = l->next; l->next = r, r = l, l = n; }
	return r;
}
NOINLINE static struct node *list_find(struct node *l, int16_t key) {
	while (l && l->key != key) l = l->next;
	return l;
}
NOINLINE static uint64_t list(void) {
	uint64_t sum = 0;
	struct node *head = 0;
	for (int i = 0; i < 2048; i++) nodes[i].next = head, nodes[i].key = (i * 37) & 2047, nodes[i].value = i, head = &nodes[i];
	for (int i = 0; i < 200; i++) {
		struct node *n = list_find(head, (int16_t)(rnd() >> 20));
		if (n) sum += n->value;
		head = list_reverse(head);
	}
	return sum;
}

// 16-bit matrices
#define NM 64
static int16_t xa[NM][NM], xb[NM][NM];
static int32_t xc[NM][NM];
NOINLINE static uint64_t matrix(void) {
	uint64_t sum = 0;
	for (int i = 0; i < NM; i++)
		for (int j = 0; j < NM; j++) xa[i][j] = (int16_t)rnd(), xb[i][j] = (int16_t)(rnd() >> 16);
	for (int i = 0; i < NM; i++)
		for (int j = 0; j < NM; j++) {
			int32_t s = 0;
			for (int k = 0; k < NM; k++) s += (xa[i][k] * xb[k][j] >> 2 & 15) * (xa[i][k] * xb[k][j] >> 5 & 127);
			xc[i][j] = s;
		}
	for (int i = 0; i < NM; i++) sum = sum * 7 + xc[i][(i * 3) % NM];
	return sum;
}

// a state machine over characters that counts its transitions
static uint32_t transitions[8], finals[8];
NOINLINE static int state_step(const char **p) {
	int state = 0;
	for (; **p && state != 7; ++*p) {
		char c = **p;
		if (c == ',') { ++*p; break; }
		switch (state) {
		case 0: state = c >= '0' && c <= '9' ? 2 : c == '+' || c == '-' ? 1 : c == '.' ? 3 : 7; transitions[0]++; break;
		case 1: state = c >= '0' && c <= '9' ? 2 : c == '.' ? 3 : 7; transitions[1]++; break;
		case 2: if (c == '.') state = 3, transitions[2]++; else if (c < '0' || c > '9') state = 7, transitions[2]++; break;
		case 3: if (c == 'e' || c == 'E') state = 4, transitions[3]++; else if (c < '0' || c > '9') state = 7, transitions[3]++; break;
		case 4: state = c == '+' || c == '-' ? 5 : 7; transitions[4]++; break;
		case 5: state = c >= '0' && c <= '9' ? 6 : 7; transitions[5]++; break;
		case 6: if (c < '0' || c > '9') state = 7, transitions[6]++; break;
		}
	}
	while (state == 7 && **p && **p != ',') ++*p;
	return state;
}
NOINLINE static uint64_t state(void) {
	static const char *const words[] = {"5012,", "-874,", "+122,", "35.54400,", ".1234500,", "-110.700,", "5.500e+3,", "-.123e-2,", "T0.3e-1F,", "1T3.4e4z,"};
	static char input[20000];
	char *d = input;
	while (d < input + sizeof input - 12) {
		const char *w = words[(rnd() >> 16) % 10];
		while (*w) *d++ = *w++;
	}
	*d = 0;
	uint64_t sum = 0;
	for (int round = 0; round < 20; round++) {
		const char *p = input;
		while (*p) finals[state_step(&p)]++;
	}
	for (int i = 0; i < 8; i++) sum = sum * 31 + transitions[i] * 3 + finals[i];
	return sum;
}

static const struct { const char *name; uint64_t (*run)(void); } kernels[] = {
	{"sieve", sieve}, {"matmul", matmul}, {"sha256", sha}, {"qsort", qsort_ptr}, {"strings", strings}, {"interp", interp}, {"records", records},
	{"fib", fib}, {"hash", hash}, {"int64", int64}, {"list", list}, {"matrix", matrix}, {"state", state},
};

#ifndef FREESTANDING
int main(int argc, char **argv) {
	if (argc != 3) {
		for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; i++) puts(kernels[i].name);
		return argc == 1 ? 0 : 2;
	}
	for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		if (strcmp(kernels[i].name, argv[1])) continue;
		long reps = atol(argv[2]);
		uint64_t sum = 0;
		struct timespec t0, t1;
		printf("@begin %s %ld\n", argv[1], reps);
		fflush(stdout);
		clock_gettime(CLOCK_MONOTONIC, &t0);
		for (long r = 0; r < reps; r++) sum = sum * 3 + kernels[i].run();
		clock_gettime(CLOCK_MONOTONIC, &t1);
		printf("@end %s %ld %016llx\n", argv[1], (t1.tv_sec - t0.tv_sec) * 1000000000L + t1.tv_nsec - t0.tv_nsec, (unsigned long long)sum);
		return 0;
	}
	fprintf(stderr, "kernels: no %s\n", argv[1]);
	return 2;
}
#endif
