// A controlling terminal: sessions, foreground groups, ^C and ^Z and ^\ from the other end, SIGTTIN, SIGWINCH, SIGHUP on hang-up.
#include "guest.h"
#include <sys/ioctl.h>
#include <termios.h>
static sigset_t set;
static void await_signal(void) {
	int sig = sigwaitinfo(&set, 0);
	printf("signal %d\n", sig);
}
static int child(const char *name) {
	setvbuf(stdout, 0, _IONBF, 0);
	printf("new session %d\n", setsid() == getpid());
	printf("no tty: %s\n", open("/dev/tty", O_RDWR) < 0 ? ename(errno) : "?");
	int s = open(name, O_RDWR);
	printf("leader %d\n", tcgetsid(s) == getpid());
	printf("foreground %d\n", tcgetpgrp(s) == getpid());
	int t = open("/dev/tty", O_RDWR);
	printf("/dev/tty %d\n", t >= 0);
	sigaddset(&set, SIGINT), sigaddset(&set, SIGTSTP), sigaddset(&set, SIGQUIT), sigaddset(&set, SIGWINCH), sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, 0);
	char b[64];
	write(s, "ready\n", 6);
	for (int i = 0; i < 4; i++) {
		await_signal();
		write(s, "next\n", 5);
	}
	int n = read(t, b, sizeof b);
	printf("read %d\n", n);
	signal(SIGTTOU, SIG_IGN);
	SHOW(tcsetpgrp(s, 999999999));
	write(s, "done\n", 5);
	await_signal();
	n = read(t, b, sizeof b);
	printf("after hang-up %d\n", n);
	printf("no tty: %s\n", open("/dev/tty", O_RDWR) < 0 ? ename(errno) : "?");
	return 5;
}
static int m;
static void expect(const char *text) {
	char b[256];
	int n = 0;
	for (;;) {
		int r = read(m, b + n, sizeof b - 1 - n);
		if (r <= 0) break;
		b[n += r] = 0;
		if (strstr(b, text)) return;
	}
	printf("no %s\n", text);
}
int main(int argc, char **argv) {
	if (argc > 1) return child(argv[1]);
	int n, zero = 0, st;
	char name[32];
	m = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	ioctl(m, TIOCSPTLCK, &zero);
	ioctl(m, TIOCGPTN, &n);
	sprintf(name, "/dev/pts/%d", n);
	fcntl(m, F_SETFD, FD_CLOEXEC);
	pid_t pid = respawn(name);
	expect("ready");
	write(m, "\x03", 1);
	expect("next");
	write(m, "\x1a", 1);
	expect("next");
	write(m, "\x1c", 1);
	expect("next");
	struct winsize w = {.ws_row = 10, .ws_col = 20};
	ioctl(m, TIOCSWINSZ, &w);
	expect("next");
	write(m, "line\n", 5);
	expect("done");
	close(m);
	waitpid(pid, &st, 0);
	show_status("child", st);
	return 0;
}
