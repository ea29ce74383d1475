// differ/child.c — what a process that a family starts does.
#include "differ.h"

void child(const char *what) {
	int n = atoi(what + 1);
	sigset_t none;
	sigemptyset(&none);
	for (int i = 1; i < 64; i++) signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, 0);
	switch (*what) {
	case 'x': _exit(n); // exits with n
	case 'k': // dies of signal n
		kill(getpid(), n);
		_exit(99);
	case 's': // stops, and goes on to the end
		kill(getpid(), n);
		_exit(7);
	case 'p': for (;;) pause();
	}
	_exit(98);
}
