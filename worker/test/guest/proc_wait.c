// wait4 and waitid: statuses, WNOHANG, ECHILD, stopped and continued children, WNOWAIT, rusage is filled.
#include "guest.h"
#include <sys/resource.h>
int main(int argc, char **argv) {
	if (argc > 1) {
		if (!strcmp(argv[1], "exit7")) return 7;
		if (!strcmp(argv[1], "kill")) { raise(SIGTERM); return 1; }
		if (!strcmp(argv[1], "segv")) { *(volatile int *)8 = 1; return 1; }
		if (!strcmp(argv[1], "fpe")) { volatile int a = 1, b = 0; return a / b; }
		if (!strcmp(argv[1], "ill")) { __builtin_trap(); return 1; }
		if (!strcmp(argv[1], "abort")) abort();
		if (!strcmp(argv[1], "pause")) for (;;) pause();
		if (!strcmp(argv[1], "stop")) { raise(SIGSTOP); return 9; }
		return 3;
	}
	int st;
	siginfo_t si;
	struct rusage ru;
	SHOW(wait(&st));
	SHOW(waitpid(-1, &st, WNOHANG));
	SHOW(waitpid(1 << 30, &st, 0));
	static const char *const kinds[] = {"exit7", "kill", "segv", "fpe", "ill", "abort"};
	for (int i = 0; i < 6; i++) {
		pid_t p = respawn(kinds[i]);
		printf("%d ", waitpid(p, &st, 0) == p);
		show_status(kinds[i], st & ~0x80);
	}
	pid_t p = respawn("pause");
	SHOW(waitpid(p, &st, WNOHANG));
	SHOW(kill(p, SIGSTOP));
	printf("%d ", waitpid(p, &st, WUNTRACED) == p);
	show_status("pause", st);
	SHOW(waitpid(p, &st, WNOHANG | WUNTRACED));
	kill(p, SIGCONT);
	printf("%d ", waitpid(p, &st, WCONTINUED) == p);
	show_status("pause", st);
	kill(p, SIGKILL);
	memset(&si, 0, sizeof si);
	SHOW(waitid(P_PID, p, &si, WEXITED | WNOWAIT));
	printf("code %d status %d pid %d signo %d\n", si.si_code, si.si_status, si.si_pid == p, si.si_signo);
	printf("%d ", wait4(p, &st, 0, &ru) == p);
	show_status("pause", st);
	SHOW(waitid(P_PID, p, &si, WEXITED));
	SHOW(waitid(P_PID, p, &si, 0));
	SHOW(kill(p, 0));
	p = respawn("stop");
	printf("%d ", waitpid(p, &st, WUNTRACED) == p);
	show_status("stop", st);
	kill(p, SIGCONT);
	printf("%d ", waitpid(p, &st, 0) == p);
	show_status("stop", st);
	signal(SIGCHLD, SIG_IGN);
	p = respawn("exit7");
	SHOW(waitpid(p, &st, 0));
	signal(SIGCHLD, SIG_DFL);
	return 0;
}
