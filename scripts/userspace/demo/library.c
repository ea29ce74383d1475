// library: system calls of a library are not rewritten, and trap
//
// execve translates the program and its interpreter. A library comes later, with mmap: its `syscall` stays, and the kernel catches it.
#include <stdio.h>
#include <string.h>

long library_getpid(void);
const unsigned char *library_site(void);

static long count(const char *name) {
	char line[160];
	long n = -1;
	FILE *f = fopen("/proc/zpoline", "r");
	if (!f) return -1;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name))) sscanf(line + strlen(name), "%*[ :\t]%ld", &n);
	fclose(f);
	return n;
}

int main(void) {
	long before = count("trapped");
	long pid = library_getpid();
	long after = count("trapped");
	const unsigned char *site = library_site();
	printf("the library's own getpid() = %ld\n", pid);
	printf("the bytes at %p: %02x %02x (%s)\n", (const void *)site, site[0], site[1], site[0] == 0xff ? "rewritten" : "still a syscall");
	printf("calls that trapped: %ld before, %ld after\n", before, after);
	puts("look: boot with zpoline.scope=all and run this again; the panel Page 0 names the files that were translated");
	return 0;
}
