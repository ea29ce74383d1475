// map-fixed: mmap at a wanted address is refused
//
// MAP_FIXED means: exactly here, whatever is there now. "Here" may be another process. So mm/nommu.c says EINVAL, always.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void) {
	char *mine = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mine == MAP_FAILED) return perror("mmap"), 1;
	printf("mmap anywhere            = %p\n", (void *)mine);
	char *hint = mmap(mine + (1 << 20), 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("mmap with a hint %p = %p: hints are not taken\n", (void *)(mine + (1 << 20)), (void *)hint);
	char *fixed = mmap(mine, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (fixed == MAP_FAILED) printf("mmap MAP_FIXED, onto our own page: %s\n", strerror(errno));
	else puts("mmap MAP_FIXED onto our own page worked: this kernel was started with nommu.map_fixed=own");
	if (mprotect(mine, 4096, PROT_NONE)) printf("mprotect: %s (no page tables, no protection)\n", strerror(errno));
	puts("look: the musl of this image loads libraries without MAP_FIXED; a stock one needs nommu.map_fixed=own");
	return 0;
}
