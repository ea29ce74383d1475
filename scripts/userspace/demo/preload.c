// preload: the library again, translated by an LD_PRELOAD object
//
// What execve leaves can be rewritten by the program itself, before main: the way that the nommu documentation proposes for libraries.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
	puts("LD_PRELOAD=/usr/libexec/nommu/libzpoline.so /usr/libexec/nommu/library");
	fflush(stdout);
	setenv("LD_PRELOAD", "/usr/libexec/nommu/libzpoline.so", 1);
	execl("/usr/libexec/nommu/library", "library", (char *)0);
	perror("library");
	return 1;
}
