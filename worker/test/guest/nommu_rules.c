// What differs without an MMU: fork, MAP_FIXED, mprotect and madvise are not there, one's own break never moves, mremap's rules.
#include "guest.h"
int main(void) {
	SHOW(syscall(SYS_fork));
	SHOW(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int failed = mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED;
	printf("%d %s\n", failed, ename(errno));
	SHOW(mprotect(p, 4096, PROT_READ));
	SHOW(madvise(p, 4096, MADV_DONTNEED));
	SHOW(msync(p, 4096, MS_SYNC));
	SHOW(mlock(p, 4096));
	SHOW(mincore(p, 4096, (void *)p));
	long brk = syscall(SYS_brk, 0);
	printf("brk moves %d\n", syscall(SYS_brk, brk + 4096) == brk + 4096);
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	write(fd, "x", 1);
	failed = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED;
	printf("%d %s\n", failed, ename(errno));
	return 0;
}
