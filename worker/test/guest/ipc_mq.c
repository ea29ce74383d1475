// POSIX message queues: priorities, blocking, time-outs, attributes, notification, errors.
#include "guest.h"
#include <mqueue.h>
static volatile int caught, value;
static void on(int sig, siginfo_t *si, void *u) { caught = sig, value = si->si_code == SI_MESGQ ? si->si_value.sival_int : -1; }
int main(int argc, char **argv) {
	struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 16};
	char b[16], name[32];
	unsigned prio;
	int st;
	if (argc > 1) {
		mqd_t q = mq_open(argv[1], O_WRONLY);
		mq_send(q, "from the child", 14, 5);
		return 3;
	}
	setvbuf(stdout, 0, _IONBF, 0);
	sprintf(name, "/guest-%d", getpid());
	SHOW(mq_open(name, O_RDWR) < 0 ? -1 : 0);
	SHOW(mq_open("/a/b", O_RDWR | O_CREAT, 0600, &a) < 0 ? -1 : 0);
	mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	printf("%d\n", q >= 0);
	SHOW(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a) < 0 ? -1 : 0);
	SHOW(mq_send(q, "low", 3, 1));
	SHOW(mq_send(q, "high", 4, 9));
	SHOW(mq_send(q, "low2", 4, 1));
	SHOW(mq_send(q, "too long for this queue", 23, 1));
	SHOW(mq_send(q, "x", 1, 40000));
	SHOW(mq_getattr(q, &a));
	printf("%ld %ld %ld %ld\n", a.mq_flags, a.mq_maxmsg, a.mq_msgsize, a.mq_curmsgs);
	a.mq_flags = O_NONBLOCK;
	SHOW(mq_setattr(q, &a, 0));
	SHOW(mq_send(q, "x", 1, 0));
	SHOW(mq_receive(q, b, 15, 0));
	for (int i = 0; i < 3; i++) {
		int n = mq_receive(q, b, 16, &prio);
		printf("%d %.*s %u\n", n, n, b, prio);
	}
	SHOW(mq_receive(q, b, 16, 0));
	a.mq_flags = 0;
	SHOW(mq_setattr(q, &a, 0));
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 30000000;
	if (t.tv_nsec >= 1000000000) t.tv_nsec -= 1000000000, t.tv_sec++;
	SHOW(mq_timedreceive(q, b, 16, 0, &t));
	t.tv_nsec = -1;
	SHOW(mq_timedreceive(q, b, 16, 0, &t));
	pid_t pid = respawn(name);
	int n = mq_receive(q, b, 16, &prio);
	printf("%.*s %u\n", n, b, prio);
	waitpid(pid, &st, 0);
	show_status("child", st);
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &sa, 0);
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
	SHOW(mq_notify(q, &ev));
	SHOW(mq_notify(q, &ev));
	SHOW(mq_send(q, "x", 1, 0));
	printf("%d %d\n", caught, value);
	caught = 0;
	SHOW(mq_send(q, "y", 1, 0));
	printf("%d\n", caught);
	mqd_t ro = mq_open(name, O_RDONLY);
	SHOW(mq_send(ro, "x", 1, 0));
	SHOW(mq_unlink(name));
	SHOW(mq_unlink(name));
	SHOW(mq_receive(ro, b, 16, 0));
	SHOW(mq_close(q));
	SHOW(mq_getattr(q, &a));
	return 0;
}
