// printf and scanf of numbers: integers, long double arithmetic inside musl, hexadecimal floats, rounding, infinities.
#include "guest.h"
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
int main(void) {
	double v[] = {0, -0.0, 1, 0.1, 1.0 / 3, 2.5, 3.5, 1e22, 1e23, 123456789.123456789, 5e-324, DBL_MIN, DBL_MAX, DBL_EPSILON, -1e-7, 299792458, 6.02214076e23, INFINITY, -INFINITY};
	for (unsigned i = 0; i < sizeof v / sizeof *v; i++) printf("%g %e %.17g %f %a %.0f %.3f|%10.2f|%-12.4e|%+g\n", v[i], v[i], v[i], v[i], v[i], v[i], v[i], v[i], v[i], v[i]);
	long double w[] = {1.0L / 3, LDBL_MIN, LDBL_MAX, LDBL_EPSILON, 3.14159265358979323846264338327950288L, 1e4000L};
	for (unsigned i = 0; i < sizeof w / sizeof *w; i++) printf("%Lg %.25Le %La\n", w[i], w[i], w[i]);
	printf("%d %i %u %x %X %#x %o %#o %c %s %% %5d|%-5d|%05d|%+d|% d\n", -5, 6, 7u, 255, 255, 255, 8, 8, 'c', "str", 42, 42, 42, 42, 42);
	printf("%ld %lld %lu %hhd %hd %zu %jd %llx\n", LONG_MIN, INT64_MIN, ~0ul, (char)200, (short)40000, (size_t)9, INTMAX_MAX, ~0ull);
	printf("%.3s|%10s|%-10s|%*d|%.*f\n", "abcdef", "right", "left", 6, 42, 2, 3.14159);
	const char *t[] = {"0", "1e10", "0x1.8p3", "1e400", "-1e400", "1e-400", "nan", "inf", "  12.5xyz", "0.1", "2.2250738585072011e-308", "9007199254740993", "179769313486231580793728971405301e277", "4.9406564584124654e-324", "."};
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		char *end;
		errno = 0;
		double d = strtod(t[i], &end);
		printf("%s -> %.17g rest '%s' %s; ", t[i], fabs(d), end, ename(errno));
		printf("%.9g ", fabs(strtof(t[i], 0)));
		printf("%.21Lg\n", fabsl(strtold(t[i], 0)));
	}
	const char *n[] = {"123", "-0x1f", "077", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "zz", "", "  +5 "};
	for (unsigned i = 0; i < sizeof n / sizeof *n; i++) {
		char *end;
		errno = 0;
		long l = strtol(n[i], &end, 0);
		printf("%s -> %ld '%s' %s %lu\n", n[i], l, end, ename(errno), strtoul(n[i], 0, 36));
	}
	int a, b, c = 0;
	float f;
	double d;
	char s[20];
	printf("%d", sscanf("12 0x1a 3.5 word 7e2 rest", "%d %i %f %19s %lf%n", &a, &b, &f, s, &d, &c));
	printf(" %d %d %g %s %g %d\n", a, b, f, s, d, c);
	printf("%d\n", sscanf("a,b;c", "%*[a],%1[a-z];%c", s, s + 5));
	return 0;
}
