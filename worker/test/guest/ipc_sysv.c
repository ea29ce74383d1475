// System V IPC: message queues, semaphores with undo and sleep, shared memory between processes.
#include "guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(int argc, char **argv) {
	int st;
	if (argc > 1) {
		int id = atoi(argv[1]);
		int *p = shmat(id, 0, 0);
		printf("child %d\n", p[0]);
		int sem = p[1];
		p[0] = 99;
		struct sembuf up = {0, 1, 0};
		semop(sem, &up, 1);
		return 0;
	}
	setvbuf(stdout, 0, _IONBF, 0);
	int id = shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0600);
	int *p = shmat(id, 0, 0);
	printf("%d %d\n", p != (void *)-1, p[0]);
	p[0] = 42;
	int sem = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
	p[1] = sem;
	char arg[16];
	sprintf(arg, "%d", id);
	pid_t pid = respawn(arg);
	struct sembuf down = {0, -1, 0};
	SHOW(semop(sem, &down, 1));
	waitpid(pid, &st, 0);
	printf("parent %d\n", p[0]);
	struct shmid_ds ds;
	SHOW(shmctl(id, IPC_STAT, &ds));
	printf("%zu %ld\n", ds.shm_segsz, (long)ds.shm_nattch);
	SHOW(shmdt(p));
	SHOW(shmdt(p));
	SHOW(shmctl(id, IPC_RMID, 0));
	SHOW(shmat(id, 0, 0) == (void *)-1 ? -1 : 0);
	union { int val; unsigned short *array; } u = {.val = 3};
	SHOW(semctl(sem, 1, SETVAL, u));
	SHOW(semctl(sem, 1, GETVAL));
	struct sembuf two[2] = {{1, -2, 0}, {0, -1, IPC_NOWAIT}};
	SHOW(semop(sem, two, 2));
	SHOW(semctl(sem, 1, GETVAL));
	two[1].sem_num = 7;
	SHOW(semop(sem, two, 2));
	SHOW(semctl(sem, 0, IPC_RMID));
	SHOW(semop(sem, two, 1));
	int q = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	struct { long type; char text[32]; } m = {2, "second"};
	SHOW(msgsnd(q, &m, 7, 0));
	m.type = 1, strcpy(m.text, "first");
	SHOW(msgsnd(q, &m, 6, 0));
	SHOW(msgrcv(q, &m, 32, 1, 0));
	puts(m.text);
	SHOW(msgrcv(q, &m, 32, 5, IPC_NOWAIT));
	SHOW(msgrcv(q, &m, 3, 0, 0));
	SHOW(msgrcv(q, &m, 3, 0, MSG_NOERROR));
	SHOW(msgctl(q, IPC_RMID, 0));
	SHOW(msgget(0x12345, 0));
	SHOW(semget(0x12345, 1, 0));
	SHOW(shmget(0x12345, 1, 0));
	return 0;
}
