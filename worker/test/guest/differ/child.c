// differ/child.c — what a process that a family starts does.
#include "differ.h"

void child(const char *what) {
	int n = atoi(what + 1);
	switch (*what) {
	case 'x': _exit(n); // exits with n
	case 'k': // dies of signal n
		signal(n, SIG_DFL);
		kill(getpid(), n);
		_exit(99);
	case 'p': for (;;) pause();
	}
	_exit(98);
}
