// libm: double and what is exact on long double to the last bit; x87 transcendental results, whose last bits differ between makers of CPUs, to 16 digits.
#include "guest.h"
#include <fenv.h>
#include <math.h>
#pragma STDC FENV_ACCESS ON
static volatile double in[] = {0, 0.5, 1, -1, 2, 10, 0.1, 1e-10, 1e10, 709, -745, 3.141592653589793, 1e300, 123.456};
static volatile long double lin[] = {0.5L, 1, 2, 10.25L, 1e-20L, 11356.5L, -3.75L, 0.1L};
#define D(f) do { printf(#f); for (unsigned i = 0; i < sizeof in / sizeof *in; i++) { double r = f(in[i]); if (r != r) printf(" nan"); else printf(" %a", r); } printf("\n"); } while (0)
#define L(f) do { printf(#f); for (unsigned i = 0; i < sizeof lin / sizeof *lin; i++) { long double r = f(lin[i]); if (r != r) printf(" nan"); else printf(" %La", r); } printf("\n"); } while (0)
#define A(f) do { printf(#f); for (unsigned i = 0; i < sizeof lin / sizeof *lin; i++) { long double r = f(lin[i]); if (r != r) printf(" nan"); else printf(" %.16Lg", r); } printf("\n"); } while (0)
int main(void) {
	D(sqrt); D(exp); D(log); D(sin); D(cos); D(tan); D(atan); D(asin); D(sinh); D(cbrt); D(floor); D(ceil); D(rint); D(round); D(trunc); D(exp2); D(log2); D(log10); D(expm1); D(log1p); D(tgamma); D(lgamma); D(erf);
	L(sqrtl); A(expl); A(logl); A(sinl); A(cosl); A(atanl); L(floorl); L(ceill); L(rintl); L(truncl); A(exp2l); A(log2l); A(log10l); A(log1pl); A(expm1l); A(cbrtl);
	printf("%a %a %a %a\n", pow(2, 0.5), pow(-2, 3), fmod(10.5, 3), remainder(10.5, 3));
	printf("%La %.16Lg %.16Lg\n", fmodl(1e30L, 7), powl(3, 40.5L), atan2l(1, -2));
	printf("%a %a %a\n", hypot(3, 4), atan2(-1, -1), fma(0.1, 10, -1));
	int e;
	double m = frexp(123.456, &e);
	printf("%a %d %a %a %d\n", m, e, ldexp(m, 3), scalbn(1, -1074), ilogb(5e-324));
	printf("%ld %lld %ld %ld\n", lrint(2.5), llrint(-2.5), lround(2.5), lrintf(1e9f));
	static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
	for (int i = 0; i < 4; i++) {
		fesetround(modes[i]);
		volatile double x = 1, y = 3;
		volatile long double lx = 1, ly = 3;
		volatile float fx = 1, fy = 3;
		printf("%d %a %La %a %a %a %ld\n", fegetround() == modes[i], x / y, lx / ly, fx / fy, rint(2.5), rint(-2.5), lrint(-1.5));
	}
	fesetround(FE_TONEAREST);
	feclearexcept(FE_ALL_EXCEPT);
	volatile double z = 0, big = 1e308, tiny = 1e-308, r;
	r = 1 / z;
	printf("%d", !!fetestexcept(FE_DIVBYZERO));
	r = big * big;
	printf("%d%d", !!fetestexcept(FE_OVERFLOW), !!fetestexcept(FE_INEXACT));
	r = tiny * tiny;
	printf("%d", !!fetestexcept(FE_UNDERFLOW));
	r = z / z;
	printf("%d\n", !!fetestexcept(FE_INVALID));
	return 0;
}
