// pie: a program with a fixed address is refused; only what can live anywhere can be loaded
//
// Where a program goes is decided by what is free. One linked for address 0x400000 (ELF type EXEC) asks for that place only.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef FIXED
#define FIXED "/usr/libexec/nommu/fixed"
#endif

int main(void) {
	volatile int error = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		execl(FIXED, "fixed", (char *)0);
		error = errno; // in the parent's memory: that is how it gets to know
		_exit(127);
	}
	int status;
	waitpid(pid, &status, 0);
	if (error) printf("exec of a program linked with -no-pie: %s\n", strerror(error));
	else puts("the fixed program ran: this is no machine without an MMU");
	printf("this program is a PIE, and main is at %p this time\n", (void *)main);
	puts("look: run it twice beside `sleep 100 &`: it goes where there is room; readelf -h tells EXEC from DYN");
	return 0;
}
