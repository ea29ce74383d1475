// Threads: mutexes, condition variables, barriers, rwlocks, semaphores, once, keys, TLS, cancellation, errno per thread.
#include "guest.h"
#include <pthread.h>
#include <semaphore.h>
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cv = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t bar;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t sem;
static __thread int tls = 5;
static int counter, turn, onces, destroyed, last, shared;
static void init(void) { onces++; }
static void destroy(void *p) { __sync_fetch_and_add(&destroyed, (int)(long)p); }
static void *worker(void *arg) {
	long me = (long)arg;
	pthread_once(&once, init);
	pthread_setspecific(key, (void *)me);
	tls += me;
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mu);
		counter++;
		pthread_mutex_unlock(&mu);
	}
	if (pthread_barrier_wait(&bar) == PTHREAD_BARRIER_SERIAL_THREAD) __sync_fetch_and_add(&last, 1);
	pthread_mutex_lock(&mu);
	while (turn != me) pthread_cond_wait(&cv, &mu);
	printf("turn %ld tls %d\n", me, tls);
	turn++;
	pthread_cond_broadcast(&cv);
	pthread_mutex_unlock(&mu);
	pthread_rwlock_rdlock(&rw);
	int v = shared;
	pthread_rwlock_unlock(&rw);
	pthread_rwlock_wrlock(&rw);
	shared++;
	pthread_rwlock_unlock(&rw);
	sem_post(&sem);
	return (void *)(me * 10);
}
static void cleanup(void *p) { printf("cleanup %s\n", (char *)p); }
static void *victim(void *arg) {
	pthread_cleanup_push(cleanup, "of victim");
	sem_post(&sem);
	for (;;) pause();
	pthread_cleanup_pop(0);
	return 0;
}
static void *quick(void *arg) { pthread_exit((void *)77); }
int main(void) {
	pthread_t t[4];
	setvbuf(stdout, 0, _IONBF, 0);
	pthread_key_create(&key, destroy);
	pthread_barrier_init(&bar, 0, 4);
	sem_init(&sem, 0, 0);
	for (long i = 0; i < 4; i++) SHOW(pthread_create(&t[i], 0, worker, (void *)i));
	for (int i = 0; i < 4; i++) sem_wait(&sem);
	long sum = 0;
	for (int i = 0; i < 4; i++) {
		void *r;
		pthread_join(t[i], &r);
		sum += (long)r;
	}
	printf("%d %d %d %d %d %ld tls %d\n", counter, onces, destroyed, last, shared, sum, tls);
	pthread_t v;
	void *r;
	pthread_create(&v, 0, victim, 0);
	sem_wait(&sem);
	int canceled = pthread_cancel(v);
	pthread_join(v, &r);
	printf("canceled %d %d\n", canceled, r == PTHREAD_CANCELED);
	pthread_create(&v, 0, quick, 0);
	pthread_join(v, &r);
	printf("%ld\n", (long)r);
	SHOW(pthread_mutex_trylock(&mu));
	SHOW(pthread_mutex_trylock(&mu) == EBUSY);
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec = (ts.tv_nsec + 2000000) % 1000000000, ts.tv_sec += ts.tv_nsec < 2000000;
	SHOW(pthread_cond_timedwait(&cv, &mu, &ts) == ETIMEDOUT);
	SHOW(sem_trywait(&sem));
	pthread_mutexattr_t ma;
	pthread_mutex_t rec;
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&rec, &ma);
	SHOW(pthread_mutex_lock(&rec) + pthread_mutex_lock(&rec) + pthread_mutex_unlock(&rec) + pthread_mutex_unlock(&rec));
	pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&rec, &ma);
	SHOW(pthread_mutex_unlock(&rec) == EPERM);
	SHOW(pthread_detach(pthread_self()));
	pthread_exit(0);
}
