// differ/dice.c — xorshift: the same dice on both sides.
#include "differ.h"

uint32_t dice = 1;

uint32_t below(uint32_t n) {
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return (dice >> 3) % n;
}

/** One that is open, mostly. */
int any_fd(void) {
	int open_ones[12], n = 0;
	if (seldom(25)) return ONE(-1, 99, 1000000, -100);
	if (seldom(12)) return 3 + below(10);
	for (int fd = 3; fd < 15; fd++) if (fcntl(fd, F_GETFD) >= 0) open_ones[n++] = fd;
	return n ? open_ones[below(n)] : 3;
}

/** Few names, so that calls meet. */
const char *any_path(void) {
	static char ring[8][5000];
	static int turn;
	char *path = ring[turn++ & 7];
	path[0] = 0;
	if (seldom(60)) return "";
	if (seldom(40)) {
		sprintf(path, "/proc/self/fd/%d", 3 + below(8));
		return path;
	}
	if (seldom(60)) {
		// over PATH_MAX, or just not
		int n = below(2) ? 4094 : 4096;
		while (n > (int)strlen(path)) strcat(path, "./");
		path[n] = 0;
		strcpy(path + strlen(path) - 1, "a");
		return path;
	}
	int depth = 1 + (seldom(3) ? below(3) : 0);
	for (int i = 0; i < depth; i++) {
		if (i) strcat(path, seldom(8) ? "//" : "/");
		if (seldom(50)) {
			size_t n = strlen(path), k = below(2) ? 255 : 256;
			memset(path + n, 'L', k);
			path[n + k] = 0;
		} else if (i + 1 < depth) strcat(path, WORD("d", "e", "d", "e", "s", "t", "a", ".", ".."));
		else strcat(path, WORD("a", "b", "c", "d", "e", "s", "t", "p", "a", "b", "d", "s", ".", ".."));
	}
	if (seldom(12)) strcat(path, "/");
	return path;
}
