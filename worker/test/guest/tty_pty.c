// A pseudo-terminal: line discipline, echo, erase and kill, raw mode, end of file, window size, hang-up.
#include "guest.h"
#include <sys/ioctl.h>
#include <termios.h>
static int m, s;
static void type(const char *t) { write(m, t, strlen(t)); }
/** Reads once, or until there are `want` bytes: what one end wrote may reach the other in pieces. */
static void show(const char *what, int fd, int want) {
	char b[256];
	int n = 0, r;
	do {
		r = read(fd, b + n, sizeof b - n);
		if (r > 0) n += r;
	} while (r > 0 && n < want);
	printf("%s %d:", what, n);
	if (r < 0) printf(" %s", ename(errno));
	for (int i = 0; i < n; i++) printf(b[i] >= ' ' && b[i] < 127 ? "%c" : "<%02x>", (unsigned char)b[i]);
	printf("\n");
}
int main(void) {
	int n, zero = 0;
	struct termios t;
	m = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	SHOW(ioctl(m, TIOCSPTLCK, &zero));
	TRY(ioctl(m, TIOCGPTN, &n));
	char name[32];
	sprintf(name, "/dev/pts/%d", n);
	s = open(name, O_RDWR | O_NOCTTY);
	printf("isatty %d %d\n", isatty(m), isatty(s));
	SHOW(tcgetattr(s, &t));
	printf("%o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	for (int i = 0; i < 17; i++) printf("%x ", t.c_cc[i]);
	printf("\n");
	type("hello\n");
	show("line", s, 1);
	show("echo", m, 7);
	type("abc\x7f\x7fxy\n");
	show("line", s, 1);
	show("echo", m, 13);
	type("words to kill\x15kept\n");
	show("line", s, 1);
	show("echo", m, 13 + 13 * 3 + 6);
	type("one two\x17three\n");
	show("line", s, 1);
	show("echo", m, 7 + 9 + 7);
	type("part\x04");
	show("part", s, 1);
	type("\x04");
	show("eof", s, 1);
	show("echo", m, 4);
	type("a\x16\x03z\n");
	show("literal", s, 1);
	show("echo", m, 8);
	write(s, "out\nput\n", 8);
	show("onlcr", m, 10);
	fcntl(s, F_SETFL, O_NONBLOCK);
	show("empty", s, 1);
	fcntl(s, F_SETFL, 0);
	cfmakeraw(&t);
	SHOW(tcsetattr(s, TCSANOW, &t));
	type("r\r\x03\x04");
	show("raw", s, 4);
	t.c_cc[VMIN] = 0, t.c_cc[VTIME] = 1;
	tcsetattr(s, TCSANOW, &t);
	show("timeout", s, 1);
	struct winsize w = {0};
	SHOW(ioctl(s, TIOCGWINSZ, &w));
	printf("%d %d\n", w.ws_row, w.ws_col);
	w.ws_row = 30, w.ws_col = 90;
	SHOW(ioctl(m, TIOCSWINSZ, &w));
	memset(&w, 0, sizeof w);
	ioctl(s, TIOCGWINSZ, &w);
	printf("%d %d\n", w.ws_row, w.ws_col);
	type("xyz");
	do ioctl(s, FIONREAD, &n); while (n < 3);
	printf("fionread %d\n", n);
	SHOW(tcflush(s, TCIFLUSH));
	ioctl(s, FIONREAD, &n);
	printf("fionread %d\n", n);
	close(s);
	show("closed", m, 1);
	s = open(name, O_RDWR | O_NOCTTY);
	close(m);
	show("hung up", s, 1);
	SHOW(write(s, "x", 1));
	return 0;
}
