// neighbour: one process writes into another, with a plain store
//
// Nothing separates processes: a pointer is a pointer for everybody. Debuggers need no ptrace here, and bugs need no permission.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char secret[32] = "the other one's own";

int main(int argc, char **argv) {
	if (argc > 1) { // the other process: tells where its variable is, waits, and looks at it
		printf("%p\n", (void *)secret);
		fflush(stdout);
		char line[8];
		if (read(0, line, sizeof line) < 0) return 1;
		fprintf(stderr, "  process %d reads its variable: \"%s\"\n", getpid(), secret);
		return 0;
	}
	int out[2], in[2];
	if (pipe(out) || pipe(in)) return perror("pipe"), 1;
	pid_t pid = vfork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(in[0], 0);
		close(in[1]);
		execl("/proc/self/exe", argv[0], "other", (char *)0);
		_exit(127);
	}
	char text[32] = "";
	if (read(out[0], text, sizeof text - 1) <= 0) return perror("read"), 1;
	char *there = (char *)strtoul(text, 0, 16);
	printf("process %d looks into process %d, at %p: \"%s\"\n", getpid(), pid, (void *)there, there);
	strcpy(there, "overwritten by a stranger");
	if (write(in[1], "go\n", 3) != 3) return perror("write"), 1;
	waitpid(pid, 0, 0);
	puts("look: cat /proc/maps lists everybody's memory in one table; the panel Memory draws it");
	return 0;
}
