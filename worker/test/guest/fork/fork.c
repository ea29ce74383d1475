// fork: what each process has of its own (data, heap, stack), what they share (a shared mapping, open files), grandchildren, signals, threads before a fork.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static int data = 1;
static int bss[4096];
static volatile int caught;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void on_usr1(int sig) { caught = sig + data; }
static int status_of(pid_t pid) {
	int st;
	if (waitpid(pid, &st, 0) != pid) return -1;
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}
static int depth(int n) {
	int mine = n * 7;
	if (n == 0) return 0;
	pid_t pid = fork();
	if (pid == 0) {
		data += n;
		_exit(depth(n - 1) + (mine == n * 7));
	}
	int below = status_of(pid);
	return mine == n * 7 ? below + 1 : 99;
}
static void *thread(void *arg) {
	pthread_mutex_lock(&lock);
	data += 10;
	pthread_mutex_unlock(&lock);
	return arg;
}
int main(void) {
	setvbuf(stdout, 0, _IOLBF, 0);
	int local = 2, p[2], q[2];
	char *heap = malloc(300000);
	strcpy(heap, "parent's");
	int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pipe(p);
	pipe(q);
	pid_t pid = fork();
	if (pid == 0) {
		char c;
		data = 100, local = 200, bss[4000] = 300, *shared = 400;
		strcpy(heap, "child's");
		char *own = malloc(100000);
		memset(own, 7, 100000);
		write(p[1], "x", 1);
		read(q[0], &c, 1);
		printf("child %d %d %d %s %d\n", data, local, bss[4000], heap, own[99999]);
		free(heap);
		free(own);
		_exit(3);
	}
	char c;
	read(p[0], &c, 1);
	printf("parent %d %d %d %s shared %d\n", data, local, bss[4000], heap, *shared);
	data = 5, strcpy(heap, "parent's again");
	write(q[1], "x", 1);
	printf("status %d\n", status_of(pid));
	printf("parent %d %s\n", data, heap);

	printf("depth %d data %d\n", depth(6), data);

	signal(SIGUSR1, on_usr1);
	pid = fork();
	if (pid == 0) {
		data = 50;
		write(p[1], "r", 1);
		while (!caught) usleep(1000);
		_exit(caught == SIGUSR1 + 50 ? 4 : 5);
	}
	read(p[0], &c, 1);
	kill(pid, SIGUSR1);
	printf("signalled %d, here %d\n", status_of(pid), caught);

	pthread_t t[3];
	for (int i = 0; i < 3; i++) pthread_create(&t[i], 0, thread, 0);
	pid = fork();
	if (pid == 0) _exit(7);
	for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
	printf("threads %d %d\n", data, status_of(pid));

	// many at once, each with its own copy
	pid_t pids[8];
	int sum = 0;
	for (int i = 0; i < 8; i++)
		if ((pids[i] = fork()) == 0) {
			for (int k = 0; k < 50; k++) bss[k] += i, usleep(100);
			int n = 0;
			for (int k = 0; k < 50; k++) n += bss[k];
			_exit(n == 50 * i ? i : 99);
		}
	for (int i = 0; i < 8; i++) sum += status_of(pids[i]);
	printf("many %d %d\n", sum, bss[0]);

	pid = fork();
	if (pid == 0) {
		execl("/bin/echo", "echo", "executed", (char *)0);
		_exit(9);
	}
	printf("exec %d\n", status_of(pid));
	FILE *f = popen("echo through a pipe | cat", "r");
	char line[64] = "";
	fgets(line, sizeof line, f);
	pclose(f);
	printf("popen %s", line);
	munmap(heap, 0);
	return 0;
}
