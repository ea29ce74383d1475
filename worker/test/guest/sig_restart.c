// SA_RESTART against EINTR on a pipe read; nanosleep tells what is left; timers interrupt.
#include "guest.h"
#include <sys/time.h>
static volatile int n;
static int wr;
static void h(int s) {
	(void)s;
	n++;
	if (wr) write(wr, "x", 1);
}
int main(void) {
	int p[2];
	char c;
	pipe(p);
	struct sigaction sa = {.sa_handler = h};
	struct itimerval it = {{0, 20000}, {0, 20000}}; // repeats: one that came before the call slept would be the last otherwise
	sigaction(SIGALRM, &sa, 0);
	setitimer(ITIMER_REAL, &it, 0);
	SHOW(read(p[0], &c, 1));
	printf("interrupted %d\n", n > 0);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, 0);
	wr = p[1];
	SHOW(read(p[0], &c, 1));
	printf("restarted %c\n", c);
	wr = 0;
	struct timespec t = {100, 0}, rem = {0, 0};
	SHOW(nanosleep(&t, &rem));
	printf("left %d\n", rem.tv_sec == 99);
	SHOW(pause());
	n = 0;
	while (n < 3) pause();
	it.it_interval.tv_usec = it.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &it, 0);
	printf("three %d\n", n >= 3);
	SHOW(alarm(100));
	SHOW(alarm(0) == 100);
	return 0;
}
