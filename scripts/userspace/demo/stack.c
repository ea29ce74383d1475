// stack: it overflows into its neighbour, without a word
//
// A stack is a block like any other: 128 KiB by default, it does not grow, and no guard page lies below. This thread's stack lies above a table.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { TABLE = 64 << 10, STACK = 16 << 10 };
static struct {
	unsigned char table[TABLE];
	unsigned char stack[STACK];
} block __attribute__((aligned(4096)));

static int deep(int depth) {
	volatile char frame[1024];
	memset((void *)frame, 0xee, sizeof frame);
	return depth == 0 ? frame[0] : deep(depth - 1) + frame[1];
}

static void *thread(void *depth) {
	deep(*(int *)depth);
	return 0;
}

static int damaged(int depth) {
	pthread_t t;
	pthread_attr_t attr;
	memset(&block, 0, sizeof block);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, block.stack, STACK);
	if (pthread_create(&t, &attr, thread, &depth)) return -1;
	pthread_join(t, 0);
	int n = 0;
	for (int i = 0; i < TABLE; i++) n += block.table[i] != 0;
	return n;
}

int main(void) {
	printf("a table at %p, a stack of 16 KiB above it at %p\n", (void *)block.table, (void *)block.stack);
	printf("recursion of  8 frames of 1 KiB: %d bytes of the table changed\n", damaged(8));
	printf("recursion of 40 frames of 1 KiB: %d bytes of the table changed, and nothing complained\n", damaged(40));
	puts("look: what lies below a program's own stack in /proc/maps is its neighbour; gcc -Wl,-z,stack-size=N asks for more");
	return 0;
}
