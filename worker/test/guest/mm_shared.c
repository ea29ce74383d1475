// Shared memory in /dev/shm: shm_open, MAP_SHARED between processes, named semaphores, ftruncate; private maps of the same file.
#include "guest.h"
int main(int argc, char **argv) {
	int fd, st;
	if (argc > 1) {
		fd = shm_open("/guest-shared", O_RDWR, 0);
		int *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		printf("child sees %d\n", p[0]);
		p[1] = p[0] * 2;
		return 0;
	}
	setvbuf(stdout, 0, _IONBF, 0);
	shm_unlink("/guest-shared");
	SHOW(shm_open("/guest-shared", O_RDWR, 0));
	TRY(fd = shm_open("/guest-shared", O_CREAT | O_EXCL | O_RDWR, 0600));
	SHOW(shm_open("/guest-shared", O_CREAT | O_EXCL | O_RDWR, 0600));
	SHOW(ftruncate(fd, 8192));
	int *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	printf("%d %d %d\n", p != MAP_FAILED, p[0], p[2047]);
	p[0] = 21;
	int v;
	SHOW(pread(fd, &v, 4, 0));
	printf("read %d\n", v);
	v = 1000;
	pwrite(fd, &v, 4, 4096);
	printf("map %d\n", p[1024]);
	pid_t pid = respawn("child");
	waitpid(pid, &st, 0);
	printf("parent sees %d\n", p[1]);
	int *q = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	printf("private %d\n", q[1]);
	q[1] = 5;
	printf("shared still %d\n", p[1]);
	SHOW(munmap(q, 4096));
	SHOW(munmap(p, 8192));
	pread(fd, &v, 4, 4);
	printf("kept %d\n", v);
	SHOW(shm_unlink("/guest-shared"));
	SHOW(shm_unlink("/guest-shared"));
	SHOW(fstat(fd, &(struct stat){0}));
	close(fd);
	return 0;
}
