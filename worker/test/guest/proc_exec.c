// vfork and exec: arguments and environment arrive, close-on-exec, errors of exec, signal state across exec, scripts.
#include "guest.h"
extern char **environ;
static void spawn(const char *path, char *const argv[], char *const envp[]) {
	int st;
	fflush(stdout);
	pid_t pid = vfork();
	if (!pid) {
		execve(path, argv, envp);
		_exit(errno == ENOENT ? 100 : errno == EACCES ? 101 : errno == ENOEXEC ? 102 : errno == E2BIG ? 103 : errno == ENOTDIR ? 104 : errno == ELOOP ? 105 : 99);
	}
	waitpid(pid, &st, 0);
	show_status(path, st);
}
int main(int argc, char **argv) {
	if (argc > 1 && !strcmp(argv[1], "child")) {
		for (int i = 0; i < argc; i++) printf("arg %d %s\n", i, argv[i]);
		for (char **e = environ; *e; e++) printf("env %s\n", *e);
		struct sigaction sa;
		sigset_t set;
		sigaction(SIGUSR1, 0, &sa);
		printf("USR1 default %d\n", sa.sa_handler == SIG_DFL);
		sigaction(SIGUSR2, 0, &sa);
		printf("USR2 ignored %d\n", sa.sa_handler == SIG_IGN);
		sigprocmask(SIG_BLOCK, 0, &set);
		printf("HUP blocked %d\n", sigismember(&set, SIGHUP));
		return 42;
	}
	char *args[] = {"zero", "child", "", "a b", 0}, *env[] = {"A=1", "B=", 0}, *none[] = {0};
	sigset_t set;
	signal(SIGUSR1, (void (*)(int))main), signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set), sigaddset(&set, SIGHUP), sigprocmask(SIG_BLOCK, &set, 0);
	spawn("/proc/self/exe", args, env);
	spawn("/proc/self/exe", args, none);
	spawn("missing", args, env);
	spawn("", args, env);
	mkdir("dir", 0755);
	spawn("dir", args, env);
	int fd = open("plain", O_CREAT | O_WRONLY, 0644);
	write(fd, "plain text", 10), close(fd);
	spawn("plain", args, env);
	chmod("plain", 0755);
	spawn("plain", args, env);
	spawn("plain/x", args, env);
	symlink("self", "self");
	spawn("self", args, env);
	fd = open("script", O_CREAT | O_WRONLY, 0755);
	dprintf(fd, "#!/proc/self/exe  child\nwhatever\n"), close(fd);
	fd = open("bad", O_CREAT | O_WRONLY, 0755);
	dprintf(fd, "#!/no/such/interpreter\n"), close(fd);
	spawn("bad", args, env);
	fd = open("empty", O_CREAT | O_WRONLY, 0755);
	close(fd);
	spawn("empty", args, env);
	char *big = malloc(200000), *huge[] = {"x", big, 0};
	memset(big, 'a', 199999), big[199999] = 0;
	spawn("/proc/self/exe", huge, env);
	return 0;
}
