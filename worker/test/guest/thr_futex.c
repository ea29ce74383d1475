// futex(2) itself: wrong value, time-outs, wake counts, requeue, bad arguments.
#include "guest.h"
#include <linux/futex.h>
static uint32_t f[2];
static long futex(uint32_t *a, int op, uint32_t v, const struct timespec *t, uint32_t *b, uint32_t v3) { return syscall(SYS_futex, a, op, v, t, b, v3); }
int main(void) {
	struct timespec t = {0, 2000000}, bad = {0, -1}, past = {0, 0};
	f[0] = 1;
	SHOW(futex(f, FUTEX_WAIT, 2, 0, 0, 0));
	SHOW(futex(f, FUTEX_WAIT, 1, &t, 0, 0));
	SHOW(futex(f, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, &t, 0, 0));
	SHOW(futex(f, FUTEX_WAIT, 1, &bad, 0, 0));
	SHOW(futex((uint32_t *)((char *)f + 1), FUTEX_WAIT, 1, 0, 0, 0));
	SHOW(futex(f, FUTEX_WAKE, 10, 0, 0, 0));
	SHOW(futex(f, FUTEX_WAIT_BITSET, 1, &past, 0, ~0u));
	SHOW(futex(f, FUTEX_WAIT_BITSET, 1, 0, 0, 0));
	SHOW(futex(f, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
	SHOW(futex(f, FUTEX_CMP_REQUEUE, 1, (void *)1, &f[1], 9));
	SHOW(futex(f, FUTEX_CMP_REQUEUE, 1, (void *)1, &f[1], 1));
	SHOW(futex(f, FUTEX_WAKE_OP, 1, (void *)1, &f[1], FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
	printf("%u\n", f[1]);
	SHOW(futex(f, 99, 0, 0, 0, 0));
	return 0;
}
