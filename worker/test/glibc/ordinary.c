// What a program of an ordinary distribution does: its C library, threads, memory, libraries loaded later, processes that go on side by side.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int data = 42;
static __thread int mine = 7;

static void *thread(void *n)
{
	mine += (int)(long)n;
	return (void *)(long)mine;
}

/* a chain of processes, each made by the one before: each has its own data at the same place, and all are alive at once */
static void chain(int depth, char *self)
{
	data += depth;
	if (depth == 0) return;
	int back[2];
	char text[100];
	if (pipe(back) != 0) abort();
	pid_t pid = fork();
	if (pid == 0) {
		snprintf(text, sizeof text, "%d", depth - 1);
		dup2(back[1], 1);
		close(back[0]);
		close(back[1]);
		execl(self, self, text, (char *)0);
		_exit(127);
	}
	close(back[1]);
	for (ssize_t n; (n = read(back[0], text, sizeof text)) > 0;) write(1, text, n);
	int status;
	waitpid(pid, &status, 0);
	printf("%d: data %d, child's status %d\n", depth, data, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, 0, _IONBF, 0);
	if (argc > 1) {
		int depth = atoi(argv[1]);
		chain(depth, argv[0]);
		printf("%d: data %d\n", depth, data);
		return depth + 10;
	}
	printf("%s, %.17g %Lg\n", setlocale(LC_ALL, "C"), 0.1, 1e300L);
	printf("random %d, page %ld\n", getauxval(AT_RANDOM) != 0, sysconf(_SC_PAGESIZE));

	pthread_t t[4];
	for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, thread, (void *)i);
	for (int i = 0; i < 4; i++) {
		void *got;
		pthread_join(t[i], &got);
		printf("thread %d: %ld\n", i, (long)got);
	}

	char *blocks[100];
	for (int i = 0; i < 100; i++) memset(blocks[i] = malloc(i * 3000 + 1), i, i * 3000 + 1);
	for (int i = 0; i < 100; i += 3) blocks[i] = realloc(blocks[i], i * 5000 + 1);
	long sum = 0;
	for (int i = 0; i < 100; i++) {
		for (int at = 0; at < i * 3000 + 1; at += 1000) sum += blocks[i][at];
		free(blocks[i]);
	}
	printf("blocks %ld\n", sum);

	char *p = mmap(0, 16384, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("mprotect %d %d\n", mprotect(p + 4096, 8192, PROT_READ | PROT_WRITE), mprotect(p + 1, 1, PROT_READ) < 0 ? errno : 0);
	p[4096] = 1;
	p[8192] = 2;
	printf("madvise %d: %d %d\n", madvise(p + 4096, 4096, MADV_DONTNEED), p[4096], p[8192]);

	void *m = dlopen("libm.so.6", RTLD_NOW);
	double (*cosine)(double) = m == 0 ? 0 : (double (*)(double))dlsym(m, "cos");
	printf("cos 1 = %.15f\n", cosine == 0 ? 0 : cosine(1));

	pid_t pid = fork();
	if (pid == 0) {
		data = 1;
		_exit(3);
	}
	int status;
	waitpid(pid, &status, 0);
	printf("child %d, data %d\n", WEXITSTATUS(status), data);
	chain(3, argv[0]);
	FILE *other = popen("echo from a shell; exit 5", "r");
	char line[100];
	if (fgets(line, sizeof line, other) != 0) fputs(line, stdout);
	printf("pclose %d\n", WEXITSTATUS(pclose(other)));
	return 0;
}
