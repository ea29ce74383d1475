// libc without the kernel: string and memory functions at all alignments, qsort, bsearch, regex, fnmatch, multibyte text, setjmp.
#include "guest.h"
#include <ctype.h>
#include <fnmatch.h>
#include <locale.h>
#include <regex.h>
#include <search.h>
#include <setjmp.h>
#include <wchar.h>
static int compare(const void *a, const void *b) { return *(int *)a - *(int *)b; }
static jmp_buf env;
static void deep(int n) { if (n) deep(n - 1); else longjmp(env, 7); }
int main(void) {
	unsigned char a[512], b[512];
	unsigned long sum = 0;
	for (int off = 0; off < 17; off++)
		for (int len = 0; len < 140; len++) {
			for (int i = 0; i < 512; i++) a[i] = i * 7 + off, b[i] = 255 - i;
			memcpy(b + off, a + 3, len);
			memmove(b + off + 5, b + off, len);
			memset(a + off, len, len);
			for (int i = 0; i < 200; i++) sum = sum * 31 + b[i] + a[i];
			sum += memcmp(a, b, len) < 0;
			a[off + len] = 0;
			sum += strlen((char *)a + off);
			void *p = memchr(b, 100, 200);
			sum += p ? (unsigned char *)p - b : 999;
		}
	printf("%lx\n", sum);
	int v[1000];
	unsigned x = 1;
	for (int i = 0; i < 1000; i++) v[i] = (x = x * 1103515245 + 12345) >> 16 & 1023;
	qsort(v, 1000, sizeof *v, compare);
	int sorted = 1;
	for (int i = 1; i < 1000; i++) sorted &= v[i - 1] <= v[i];
	int key = v[500];
	printf("%d %d %d %d\n", sorted, v[0], v[999], *(int *)bsearch(&key, v, 1000, sizeof *v, compare) == key);
	char s[100] = "a,b,,c";
	for (char *r = s, *t; (t = strsep(&r, ","));) printf("[%s]", t);
	strcpy(s, "one two  three");
	for (char *t = strtok(s, " "); t; t = strtok(0, " ")) printf("<%s>", t);
	printf("\n%s %s %d %d\n", strstr("haystack with needle", "needle"), strrchr("a/b/c", '/'), strcasecmp("ABC", "abd") < 0, strncmp("abcd", "abxx", 2));
	printf("%zu %zu %s\n", strspn("aabbc", "ab"), strcspn("hello", "lo"), strpbrk("hello", "xl"));
	regex_t re;
	regmatch_t m[3];
	printf("%d", regcomp(&re, "^([a-z]+)=([0-9]{2,4})$", REG_EXTENDED));
	printf("%d", regexec(&re, "name=1234", 3, m, 0));
	printf(" %d-%d %d-%d", (int)m[1].rm_so, (int)m[1].rm_eo, (int)m[2].rm_so, (int)m[2].rm_eo);
	printf(" %d\n", regexec(&re, "name=1", 3, m, 0) == REG_NOMATCH);
	printf("%d %d\n", fnmatch("*.[ch]", "file.c", 0), fnmatch("a?c", "a/c", FNM_PATHNAME) != 0);
	setlocale(LC_ALL, "C.UTF-8");
	wchar_t w[20];
	size_t n = mbstowcs(w, "h\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7", 20);
	printf("%zu %x %x %x\n", n, (unsigned)w[1], (unsigned)w[2], (unsigned)w[3]);
	printf("%ls|%d|%d\n", w, wcwidth(0x4e2d), towupper(0xe9));
	int j = setjmp(env);
	if (j == 0) deep(50);
	printf("%d\n", j);
	hcreate(50);
	for (int i = 0; i < 30; i++) {
		char *k = malloc(8);
		sprintf(k, "k%d", i);
		hsearch((ENTRY){k, (void *)(long)i}, ENTER);
	}
	printf("%ld\n", (long)hsearch((ENTRY){"k17", 0}, FIND)->data);
	srand(1);
	printf("%d %d\n", rand(), rand());
	struct tm tm;
	time_t t = 1700000000;
	char d[64];
	strftime(d, sizeof d, "%Y-%m-%d %H:%M:%S %j %a %b", gmtime_r(&t, &tm));
	printf("%s %ld\n", d, (long)timegm(&tm));
	return 0;
}
