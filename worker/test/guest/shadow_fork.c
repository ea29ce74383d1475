// fork under nommu.fork=shadow: memory of its own for parent and child, pipes between them, nested forks, signals, many children at once, exec after fork.
#include "guest.h"
static int global = 1;
static volatile int caught;
static void on(int sig) { caught = sig; }
static int fib(int n) {
	if (n < 2) return n;
	int p[2], st, v[2] = {0, 0};
	pipe(p);
	pid_t pid = fork();
	if (pid == 0) {
		int r = fib(n - 1);
		write(p[1], &r, sizeof r);
		_exit(0);
	}
	int r = fib(n - 2);
	read(p[0], v, sizeof(int));
	waitpid(pid, &st, 0);
	close(p[0]), close(p[1]);
	return v[0] + r;
}
int main(int argc, char **argv) {
	if (argc > 1) {
		printf("exec'd %s\n", argv[1]);
		return 4;
	}
	int st, local = 10, a[2], b[2];
	char *heap = malloc(100000);
	strcpy(heap, "parent");
	setvbuf(stdout, 0, _IONBF, 0);
	pid_t pid = fork();
	if (pid == 0) {
		global++, local++;
		strcpy(heap, "child");
		printf("child %d %d %s\n", global, local, heap);
		exit(7);
	}
	if (pid < 0) {
		printf("fork: %s\n", ename(errno));
		return 1;
	}
	waitpid(pid, &st, 0);
	show_status("child", st);
	printf("parent %d %d %s\n", global, local, heap);

	// both go on, in turns
	pipe(a), pipe(b);
	if ((pid = fork()) == 0) {
		for (int i = 0; i < 5; i++) {
			read(a[0], &local, sizeof local);
			global += local;
			heap[0] = 'a' + i;
			write(b[1], &global, sizeof global);
		}
		printf("in the child: %d %s\n", global, heap);
		_exit(0);
	}
	for (int i = 0; i < 5; i++) {
		int got;
		local = i * 10;
		write(a[1], &local, sizeof local);
		heap[0] = 'A' + i;
		read(b[0], &got, sizeof got);
		printf("%d ", got);
	}
	waitpid(pid, &st, 0);
	printf("\nin the parent: %d %d %s\n", global, local, heap);
	printf("fib %d\n", fib(7));

	// signals between them
	signal(SIGUSR1, on);
	pid_t me = getpid();
	if ((pid = fork()) == 0) {
		kill(me, SIGUSR1);
		while (!caught) pause();
		_exit(caught);
	}
	while (!caught) usleep(1000);
	kill(pid, SIGUSR1);
	waitpid(pid, &st, 0);
	show_status("signalled", st);

	// memory of its own after unmapping, new mappings in both
	char *big = mmap(0, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(big, 'p', 8 * 4096);
	if ((pid = fork()) == 0) {
		memset(big, 'c', 8 * 4096);
		strcpy(shared, "from the child");
		munmap(big, 8 * 4096);
		char *more = mmap(0, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(more, 'x', 8 * 4096);
		_exit(more[5]);
	}
	waitpid(pid, &st, 0);
	show_status("unmapped", st);
	printf("%c %c %s\n", big[0], big[8 * 4096 - 1], shared);

	// the parent goes first; the child lives on
	pipe(a);
	if ((pid = fork()) == 0) {
		if (fork() == 0) {
			usleep(20000);
			strcpy(heap, "orphan");
			write(a[1], heap, 7);
			_exit(0);
		}
		strcpy(heap, "gone");
		_exit(0);
	}
	waitpid(pid, &st, 0);
	close(a[1]);
	char buf[16] = "";
	read(a[0], buf, 16);
	printf("%s, here still %s\n", buf, heap);

	if ((pid = fork()) == 0) {
		char *av[] = {"guest", "after fork", 0};
		execv("/proc/self/exe", av);
		_exit(127);
	}
	waitpid(pid, &st, 0);
	show_status("exec", st);
	int sum = 0;
	for (int i = 0; i < 20; i++) if (fork() == 0) _exit(i);
	while (wait(&st) > 0) sum += WEXITSTATUS(st);
	printf("sum %d, global %d\n", sum, global);
	return 0;
}
