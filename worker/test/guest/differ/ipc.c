// differ/ipc.c — System V's message queues, semaphores and shared memory, and POSIX message queues, between two processes.
#include "differ.h"
#include "families.h"
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/** what is there, in the order of making: known to both by their keys */
enum { KEYS = 3 };
static struct { long type; char text[9000]; } message;
static char *attached[8];

void start_ipc(int actor) {
	(void)actor;
	memset(message.text, 'm', sizeof message.text);
	signal(SIGUSR1, SIG_IGN);
}

static int key(void) { return seldom(8) ? IPC_PRIVATE : 100 + below(KEYS); }
static int flags(void) { return ONE(0600, 0600, 0666, 0, 0400, 0200) | SOME(2, IPC_CREAT) | SOME(6, IPC_EXCL, IPC_NOWAIT); }
/** An identifier: of one of the keys, or wrong. */
static int id(long (*get)(int)) { return seldom(12) ? ONE(-1, 999999, 0) : get(100 + below(KEYS)); }
static long msg_of(int k) { return syscall(SYS_msgget, k, 0); }
static long sem_of(int k) { return syscall(SYS_semget, k, 0, 0); }
static long shm_of(int k) { return syscall(SYS_shmget, k, 0, 0); }

static void say_perm(const struct ipc_perm *p) { say(" {key %x %u:%u creator %u:%u mode %o", p->__ipc_perm_key, p->uid, p->gid, p->cuid, p->cgid, p->mode); }

static void messages(void) {
	int q = id(msg_of);
	switch (below(8)) {
	case 0: case 1: {
		int k = key(), f = flags();
		say(" msgget(%d, 0%o)", k, f);
		went(syscall(SYS_msgget, k, f));
		break;
	}
	case 2: case 3: case 4: {
		size_t n = ONE(0, 1, 5, 100, 8192, 8193, 3000);
		message.type = ONE(1, 1, 2, 3, 0, -1, 1L << 40);
		say(" msgsnd(type %ld, %zu)", message.type, n);
		sys(SYS_msgsnd, q, &message, n, seldom(6) ? 0 : IPC_NOWAIT);
		break;
	}
	case 5: case 6: {
		long type = ONE(0, 0, 1, 2, -2, -3, 5);
		size_t n = ONE(9000, 9000, 5, 0, 1);
		int f = SOME(3, MSG_NOERROR) | SOME(8, MSG_EXCEPT) | (seldom(6) ? 0 : IPC_NOWAIT);
		static struct { long type; char text[9000]; } in;
		say(" msgrcv(%zu, %ld, %x)", n, type, f);
		long r = sys(SYS_msgrcv, q, &in, n, type, f);
		if (r >= 0) say(" type %ld", in.type), say_bytes(in.text, r);
		break;
	}
	case 7: {
		struct msqid_ds ds;
		int c = ONE(IPC_STAT, IPC_STAT, IPC_RMID, IPC_SET, 99);
		memset(&ds, 0, sizeof ds);
		say(" msgctl(%d)", c);
		if (c == IPC_SET) {
			if (syscall(SYS_msgctl, q, IPC_STAT, &ds)) break;
			ds.msg_qbytes = ONE(16384, 100, 20000, 16384);
			ds.msg_perm.mode = ONE(0600, 0666, 0);
		}
		if (sys(SYS_msgctl, q, c, &ds) == 0 && c == IPC_STAT) {
			say_perm(&ds.msg_perm);
			say(" n %ld bytes %ld most %ld sent %d got %d by %d %d}", (long)ds.msg_qnum, (long)ds.msg_cbytes, (long)ds.msg_qbytes, ds.msg_stime != 0, ds.msg_rtime != 0, ds.msg_lspid != 0, ds.msg_lrpid != 0);
		}
		break;
	}
	}
}

static void semaphores(void) {
	int s = id(sem_of);
	switch (below(7)) {
	case 0: case 1: {
		int k = key(), n = ONE(1, 3, 3, 0, 5, -1, 40000), f = flags();
		say(" semget(%d, %d, 0%o)", k, n, f);
		went(syscall(SYS_semget, k, n, f));
		break;
	}
	case 2: case 3: case 4: {
		struct sembuf op[4];
		int n = ONE(1, 1, 2, 3, 0, 4);
		for (int i = 0; i < 4; i++) op[i] = (struct sembuf){ONE(0, 0, 1, 2, 7), ONE(1, 1, -1, -2, 0, 3, 32767), (seldom(8) ? 0 : IPC_NOWAIT) | (seldom(4) ? SEM_UNDO : 0)};
		struct timespec t = {0, ONE(0, 1000000, -1)};
		bool timed = seldom(4);
		say(" sem%sop(%d:", timed ? "timed" : "", n);
		for (int i = 0; i < n; i++) say(" %d%+d%s%s", op[i].sem_num, op[i].sem_op, op[i].sem_flg & SEM_UNDO ? "u" : "", op[i].sem_flg & IPC_NOWAIT ? "" : "w");
		say(")");
		if (timed) sys(SYS_semtimedop, s, op, n, &t);
		else sys(SYS_semop, s, op, n);
		break;
	}
	default: {
		unsigned short all[8] = {0};
		struct semid_ds ds;
		int c = ONE(GETVAL, GETALL, SETVAL, SETALL, GETPID, GETNCNT, GETZCNT, IPC_STAT, IPC_RMID, IPC_SET, 99), n = ONE(0, 1, 2, 9, -1);
		long arg = c == SETVAL ? ONE(0, 1, 5, 32767, 32768, -1) : c == GETALL || c == SETALL ? (long)all : (long)&ds;
		memset(&ds, 0, sizeof ds);
		for (int i = 0; i < 8; i++) all[i] = below(4);
		if (c == IPC_SET) {
			if (syscall(SYS_semctl, s, 0, IPC_STAT, &ds)) break;
			ds.sem_perm.mode = ONE(0600, 0666, 0);
		}
		say(" semctl(%d, %d", n, c);
		if (c == SETVAL) say(", %ld", arg);
		say(")");
		if (c == IPC_RMID && !seldom(3)) break;
		long r = c == GETPID ? syscall(SYS_semctl, s, n, c, arg) : sys(SYS_semctl, s, n, c, arg);
		if (c == GETPID) say(r < 0 ? " no" : r == 0 ? " 0" : " somebody");
		if (r == 0 && c == GETALL) for (int i = 0; i < 5; i++) say(" %d", all[i]);
		if (r == 0 && c == IPC_STAT) {
			say_perm(&ds.sem_perm);
			say(" n %ld used %d}", (long)ds.sem_nsems, ds.sem_otime != 0);
		}
	}
	}
}

static void memory(void) {
	int m = id(shm_of), i = below(8);
	switch (below(6)) {
	case 0: case 1: {
		// IPC_NOWAIT is SHM_HUGETLB here
		int k = key(), f = flags() & ~IPC_NOWAIT;
		long n = ONE(4096, 5000, 100, 0, 8192, -1);
		say(" shmget(%d, %ld, 0%o)", k, n, f);
		went(syscall(SYS_shmget, k, n, f));
		break;
	}
	case 2: {
		int f = ONE(0, 0, 0, SHM_RDONLY);
		if (attached[i]) break;
		say(" shmat(%x)", f);
		long r = went(syscall(SYS_shmat, m, 0, f));
		if (r != -1) attached[i] = (char *)r;
		break;
	}
	case 3:
		say(" shmdt(%s)", attached[i] ? "it" : "nothing");
		if (sys(SYS_shmdt, attached[i] ? attached[i] : (char *)(seldom(2) ? 4096 : 123)) == 0) attached[i] = 0;
		break;
	case 4:
		if (!attached[i]) break;
		say(" bytes %d", attached[i][0]);
		break;
	case 5: {
		struct shmid_ds ds;
		int c = ONE(IPC_STAT, IPC_STAT, IPC_STAT, IPC_RMID, IPC_SET, SHM_LOCK, SHM_UNLOCK, 99);
		memset(&ds, 0, sizeof ds);
		if (c == IPC_SET) {
			if (syscall(SYS_shmctl, m, IPC_STAT, &ds)) break;
			ds.shm_perm.mode = ONE(0600, 0666, 0);
		}
		say(" shmctl(%d)", c);
		if (sys(SYS_shmctl, m, c, &ds) == 0 && c == IPC_STAT) {
			say_perm(&ds.shm_perm);
			say(" size %ld attached %ld at %d dt %d creator %d last %d}", (long)ds.shm_segsz, (long)ds.shm_nattch, ds.shm_atime != 0, ds.shm_dtime != 0, ds.shm_cpid != 0, ds.shm_lpid != 0);
		}
		break;
	}
	}
}

static void posix(void) {
	const char *name = WORD("one", "one", "two", "three", "", "a/b", ".");
	int fd = any_fd();
	switch (below(9)) {
	case 0: case 1: {
		struct mq_attr a = {.mq_maxmsg = ONE(1, 3, 10, 0, -1, 11), .mq_msgsize = ONE(1, 100, 8192, 0, 8193)};
		int f = ONE(O_RDWR, O_RDWR, O_RDONLY, O_WRONLY) | SOME(2, O_CREAT) | SOME(6, O_EXCL) | (seldom(6) ? 0 : O_NONBLOCK);
		bool with = !seldom(3);
		say(" mq_open(\"%s\", 0%o", name, f);
		if (with) say(" %ld %ld", a.mq_maxmsg, a.mq_msgsize);
		say(")");
		sys(SYS_mq_open, name, f, 0600, with ? &a : 0);
		syscall(SYS_close_range, 10, 40, 0);
		break;
	}
	case 2:
		say(" mq_unlink(\"%s\")", name);
		sys(SYS_mq_unlink, name);
		break;
	case 3: case 4: {
		size_t n = ONE(0, 1, 1, 50, 100, 101, 8192);
		unsigned p = ONE(0, 1, 1, 5, 32767, 32768);
		struct timespec t = {ONE(0, 1), ONE(0, 1000000000, 5)};
		say(" mq_send(%d, %zu, %u)", fd, n, p);
		sys(SYS_mq_timedsend, fd, message.text, n, p, seldom(5) ? &t : 0);
		break;
	}
	case 5: case 6: {
		static char in[9000];
		unsigned p = 77;
		size_t n = ONE(8192, 9000, 100, 1, 0);
		struct timespec t = {ONE(0, 1), ONE(0, 1000000000, 5)};
		say(" mq_receive(%d, %zu)", fd, n);
		long r = sys(SYS_mq_timedreceive, fd, in, n, &p, seldom(5) ? &t : 0);
		if (r >= 0) say(" priority %u", p), say_bytes(in, r);
		break;
	}
	case 7: {
		struct mq_attr a = {.mq_flags = ONE(0, O_NONBLOCK, 1)}, old;
		bool set = seldom(3);
		memset(&old, 0, sizeof old);
		say(" mq_getsetattr(%d", fd);
		if (set) say(", %lx", a.mq_flags);
		say(")");
		if (sys(SYS_mq_getsetattr, fd, set ? &a : 0, &old) == 0) say(" {%lx %ld %ld %ld}", old.mq_flags, old.mq_maxmsg, old.mq_msgsize, old.mq_curmsgs);
		break;
	}
	case 8:
		if (seldom(2)) {
			struct sigevent e = {.sigev_notify = ONE(SIGEV_SIGNAL, SIGEV_NONE, 9), .sigev_signo = ONE(SIGUSR1, SIGUSR1, 65)};
			bool off = seldom(3);
			say(" mq_notify(%d", fd);
			if (!off) say(", %d %d", e.sigev_notify, e.sigev_signo);
			say(")");
			sys(SYS_mq_notify, fd, off ? 0 : &e);
		} else {
			say(" close(%d)", fd);
			sys(SYS_close, fd == CONTROL ? -1 : fd);
		}
	}
}

void step_ipc(void) {
	switch (below(4)) {
	case 0: messages(); break;
	case 1: semaphores(); break;
	case 2: memory(); break;
	case 3: posix(); break;
	}
}
