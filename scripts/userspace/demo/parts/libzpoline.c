// libzpoline: an LD_PRELOAD object that does for libraries what execve does for the program: `syscall` becomes `call *%rax`
//
// Text is writable on a machine without an MMU, so a constructor is enough. This one has no disassembler: it takes a `syscall` only where the
// instruction before it is `mov $nr, %eax` with the number of a call, which hardly any other bytes look like; what it passes over goes on trapping.
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static int rewritten;

static int is_site(const unsigned char *p) {
	unsigned nr;
	memcpy(&nr, p + 1, 4);
	return p[0] == 0xb8 && nr < 463 && p[5] == 0x0f && p[6] == 0x05;
}

static int translate(struct dl_phdr_info *info, size_t size, void *data) {
	(void)size, (void)data;
	// execve has translated the program and its interpreter, and knows what must be left there
	if (info->dlpi_addr == getauxval(AT_BASE) || (unsigned long)info->dlpi_phdr == getauxval(AT_PHDR)) return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X)) continue;
		unsigned char *p = (unsigned char *)info->dlpi_addr + ph->p_vaddr, *end = p + ph->p_filesz;
		for (; p + 7 <= end; p++)
			if (is_site(p)) p[5] = 0xff, p[6] = 0xd0, rewritten++;
	}
	return 0;
}

__attribute__((constructor)) static void start(void) {
	dl_iterate_phdr(translate, 0);
	printf("libzpoline: %d sites rewritten in what the dynamic linker loaded\n", rewritten);
	fflush(stdout);
}
