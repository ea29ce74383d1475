// wild.c — writes where nobody has given it memory: without an MMU that is just memory
#include <stdio.h>

int main(void)
{
	for (int i = 0; i < 3; i++)
		*(volatile char *)(0x3000000L + i * 0x10000) = i + 1;
	*(volatile long *)(0x3800ffcL) = -1; /* across two pages */
	puts("written");
	return 0;
}
