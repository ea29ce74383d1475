// posix_spawn with file actions, popen and system, environment, exit handlers, process groups, exit codes of a shell-less exec.
#include "guest.h"
#include <spawn.h>
extern char **environ;
static void bye(void) { puts("at exit"); }
int main(int argc, char **argv) {
	int st;
	if (argc > 1) {
		if (!strcmp(argv[1], "env")) {
			for (char **e = environ; *e; e++) puts(*e);
			return 0;
		}
		if (!strcmp(argv[1], "args")) {
			for (int i = 0; i < argc; i++) printf("[%s]", argv[i]);
			puts("");
			return 3;
		}
		if (!strcmp(argv[1], "cat")) {
			char b[64];
			int n;
			while ((n = read(0, b, 64)) > 0) write(1, b, n);
			return 0;
		}
		if (!strcmp(argv[1], "group")) {
			printf("own group %d\n", getpgrp() == getpid());
			return 0;
		}
		sigset_t s;
		sigprocmask(0, 0, &s);
		printf("mask %d\n", sigismember(&s, SIGUSR1));
		raise(SIGABRT);
	}
	setvbuf(stdout, 0, _IONBF, 0);
	pid_t pid;
	char *args[] = {"spawned", "args", "", "two words", "\xff", 0}, *env[] = {"A=1", "B", "LONG=xxxxxxxxxxxxxxxxxxxx", 0};
	int r = posix_spawn(&pid, "/proc/self/exe", 0, 0, args, env);
	waitpid(pid, &st, 0);
	printf("spawn %d\n", r);
	show_status("args", st);
	args[1] = "env", args[2] = 0;
	posix_spawn(&pid, "/proc/self/exe", 0, 0, args, env);
	waitpid(pid, &st, 0);
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "in", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 9, "out", O_CREAT | O_WRONLY, 0600);
	posix_spawn_file_actions_adddup2(&fa, 9, 1);
	posix_spawn_file_actions_addclose(&fa, 9);
	args[1] = "cat";
	printf("%s\n", ename(posix_spawn(&pid, "/proc/self/exe", &fa, 0, args, environ)));
	int fd = open("in", O_CREAT | O_WRONLY, 0600);
	write(fd, "through\n", 8);
	close(fd);
	SHOW(posix_spawn(&pid, "/proc/self/exe", &fa, 0, args, environ));
	waitpid(pid, &st, 0);
	char b[32] = "";
	fd = open("out", O_RDONLY);
	SHOW(read(fd, b, 31));
	printf("%s", b);
	posix_spawnattr_t at;
	posix_spawnattr_init(&at);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP);
	args[1] = "group";
	posix_spawn(&pid, "/proc/self/exe", 0, &at, args, environ);
	waitpid(pid, &st, 0);
	sigset_t s;
	sigemptyset(&s), sigaddset(&s, SIGUSR1);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&at, &s);
	args[1] = "abort";
	posix_spawn(&pid, "/proc/self/exe", 0, &at, args, environ);
	waitpid(pid, &st, 0);
	show_status("abort", st);
	printf("%s\n", ename(posix_spawn(&pid, "/missing", 0, 0, args, environ)));
	printf("%s\n", ename(posix_spawn(&pid, "in", 0, 0, args, environ)));
	setenv("X", "y", 1);
	unsetenv("PATH");
	putenv("Z=zz");
	printf("%s %s %d\n", getenv("X"), getenv("Z"), getenv("PATH") == 0);
	atexit(bye);
	exit(300);
}
