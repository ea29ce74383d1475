// fork: refused, because two processes cannot have the same addresses; vfork lends them instead
//
// fork(2) promises a copy of the memory at the same addresses. There is one address space here, so there is no such place.
// vfork(2) promises less: the child runs in the parent's memory, and the parent waits until it execs or exits.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
	pid_t pid = fork();
	if (pid == 0) _exit(0);
	if (pid > 0) {
		waitpid(pid, 0, 0);
		puts("fork() worked: this kernel was started with nommu.fork=shadow");
	} else printf("fork() = -1, %s\n", strerror(errno));

	volatile int shared = 1;
	pid = vfork();
	if (pid == 0) {
		shared = 2; // the parent's own variable
		_exit(0);
	}
	waitpid(pid, 0, 0);
	printf("vfork() worked, and what the child wrote is in the parent: %d\n", shared);
	puts("look: the shell makes every pipeline and every $( ) with vfork and exec: strace of hush, or the panel Processes");
	return 0;
}
