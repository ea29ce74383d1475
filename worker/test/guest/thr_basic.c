// Threads: join, mutex, condition variable, thread-local storage, a shared counter, detached exit, signals to a thread.
#include "guest.h"
#include <pthread.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cv = PTHREAD_COND_INITIALIZER;
static int counter, turn, hits;
static __thread int tls = 5;
static void *add(void *arg) {
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&m);
		counter++;
		pthread_mutex_unlock(&m);
	}
	tls += (int)(intptr_t)arg;
	return (void *)(intptr_t)tls;
}
static void *player(void *arg) {
	int me = (int)(intptr_t)arg;
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&m);
		while (turn != me) pthread_cond_wait(&cv, &m);
		turn = !me;
		hits++;
		pthread_cond_broadcast(&cv);
		pthread_mutex_unlock(&m);
	}
	return 0;
}
static void *waiter(void *arg) {
	sigset_t set;
	int sig;
	sigemptyset(&set), sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
	return (void *)(intptr_t)sig;
}
int main(void) {
	pthread_t t[4];
	void *r;
	for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, add, (void *)(intptr_t)i);
	for (int i = 0; i < 4; i++) pthread_join(t[i], &r), printf("thread %d returned %d\n", i, (int)(intptr_t)r);
	printf("counter %d tls %d\n", counter, tls);
	for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, player, (void *)(intptr_t)i);
	for (int i = 0; i < 2; i++) pthread_join(t[i], 0);
	printf("hits %d\n", hits);
	sigset_t set;
	sigemptyset(&set), sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, 0);
	pthread_create(&t[0], 0, waiter, 0);
	pthread_kill(t[0], SIGUSR1);
	pthread_join(t[0], &r);
	printf("got signal %d\n", (int)(intptr_t)r == SIGUSR1);
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 5000000;
	if (ts.tv_nsec >= 1000000000) ts.tv_sec++, ts.tv_nsec -= 1000000000;
	pthread_mutex_lock(&m);
	printf("timed wait %d\n", pthread_cond_timedwait(&cv, &m, &ts) == ETIMEDOUT);
	pthread_mutex_unlock(&m);
	return 0;
}
