// The line discipline keystroke by keystroke, modes of input and output, what a pty answers to which ioctl.
#include "guest.h"
#include <termios.h>
#include <sys/ioctl.h>
#include <poll.h>
#include <pty.h>
#define IN(t) in(t,sizeof t-1)
static int m, s;
static void show(const char*n, int fd) {
	char b[512];
	struct pollfd p = {fd, POLLIN, 0};
	int r = poll(&p, 1, 200);
	printf("%s ", n);
	if (r<=0) {
		puts("nothing");
		return;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	int k = read(fd, b, sizeof b);
	if (k<0)printf("%s", ename(errno));
	for (int i = 0;i<k;i++)if (b[i]>=32&&b[i]<127)putchar(b[i]);
	else printf("\\%02x", (unsigned char)b[i]);
	printf(" (%d)\n", k);
	fcntl(fd, F_SETFL, 0);
}
static void in(const char*t, int n) {
	write(m, t, n);
	printf("type %d: ", n);
	show("echo", m);
	show("read", s);
}
static void tset(void(*f)(struct termios*)) {
	struct termios t;
	tcgetattr(s, &t);
	f(&t);
	tcsetattr(s, TCSANOW, &t);
}
static void raw(struct termios*t) {
	cfmakeraw(t);
}
static void crnl(struct termios*t) {
	t->c_iflag = INLCR|IGNCR;
	t->c_oflag = OPOST|OCRNL|ONOCR;
	t->c_lflag = ICANON|ECHO;
}
static void olc(struct termios*t) {
	t->c_oflag = OPOST|OLCUC|XTABS|ONLRET;
	t->c_iflag = IUCLC|ISTRIP;
	t->c_lflag = ICANON|ECHO|IEXTEN;
}
static void vtime(struct termios*t) {
	cfmakeraw(t);
	t->c_cc[VMIN] = 3;
	t->c_cc[VTIME] = 1;
}
static void vt0(struct termios*t) {
	cfmakeraw(t);
	t->c_cc[VMIN] = 0;
	t->c_cc[VTIME] = 1;
}
static void sane(struct termios*t) {
	t->c_iflag = ICRNL|IXON|BRKINT|IMAXBEL|IUTF8;
	t->c_oflag = OPOST|ONLCR;
	t->c_lflag = ISIG|ICANON|ECHO|ECHOE|ECHOK|ECHOCTL|ECHOKE|IEXTEN;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
	t->c_cc[VEOL] = 0;
	t->c_cc[VEOL2] = 0;
}
static void prt(struct termios*t) {
	sane(t);
	t->c_lflag|=ECHOPRT;
	t->c_lflag&=~ECHOKE;
}
static void noe(struct termios*t) {
	sane(t);
	t->c_lflag&=~(ECHO|ECHOE);
	t->c_lflag|=ECHONL;
}
static void eol(struct termios*t) {
	sane(t);
	t->c_cc[VEOL] = ';';
	t->c_cc[VEOL2] = '!';
}
static void mrk(struct termios*t) {
	sane(t);
	t->c_iflag|=PARMRK;
	t->c_iflag&=~IUTF8;
	t->c_lflag&=~ISIG;
}
static void noflsh(struct termios*t) {
	sane(t);
	t->c_lflag|=NOFLSH;
}
static void tos(struct termios*t) {
	sane(t);
	t->c_lflag|=TOSTOP|FLUSHO|PENDIN|EXTPROC;
}
int main(void) {
	setvbuf(stdout, 0, _IOLBF, 0);
	struct termios t;
	SHOW(openpty(&m, &s, 0, 0, 0)<0);
	tcgetattr(s, &t);
	printf("%x %x %x %x line %d\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_line);
	for (int i = 0;i<19;i++)printf("%02x ", t.c_cc[i]);
	puts("");
	printf("%d %d\n", cfgetispeed(&t), cfgetospeed(&t));
	tset(sane);
	IN("hello\n");
	IN("abc\x7f\x7fx\n");
	IN("a\tb\x7f\x7fz\n");
	IN("\xc3\xa9\xe2\x82\xac\x7f\x7fq\n");
	IN("two words\x17x\n");
	IN("kill me\x15ok\n");
	IN("lit\x16\x03\x16\x7f\n");
	IN("re\x12print\n");
	IN("x\x04");
	IN("\x04");
	IN("ctl\x01\x1b\n");
	IN("a\rb\n");
	IN("\x13""stopped\x11\n");
	write(s, "out\n\tx\r\n", 8);
	show("m", m);
	tset(prt);
	IN("abc\x7f\x7fxy\n");
	IN("kill\x15n\n");
	tset(noe);
	IN("hid\x7f\n");
	tset(eol);
	IN("one;two!three\n");
	show("read", s);
	show("read", s);
	tset(mrk);
	IN("a\xff""b\n");
	tset(crnl);
	IN("a\rb\n");
	write(s, "x\r\ny\rz\n", 7);
	show("m", m);
	tset(olc);
	IN("ABC\xc1\n");
	write(s, "abc\tdef\n", 8);
	show("m", m);
	tset(raw);
	IN("raw\x03\x04\r");
	tset(vtime);
	IN("ab");
	char b[64];
	SHOW(write(m, "cd", 2));
	SHOW(read(s, b, 64));
	tset(vt0);
	SHOW(read(s, b, 64));
	tset(sane);
	int n;
	SHOW(tcflush(s, 99));
	SHOW(tcflow(s, 99));
	show("m", m);
	struct winsize w = {24, 80, 1, 2}, w2;
	SHOW(ioctl(m, TIOCSWINSZ, &w));
	SHOW(ioctl(s, TIOCGWINSZ, &w2));
	printf("%d %d %d %d\n", w2.ws_row, w2.ws_col, w2.ws_xpixel, w2.ws_ypixel);
	SHOW(ioctl(m, TIOCGPTN, &n)<0);
	SHOW(ioctl(s, TIOCGPTN, &n));
	SHOW(ioctl(s, TIOCGPGRP, &n));
	SHOW(ioctl(m, TIOCGPGRP, &n));
	SHOW(tcgetpgrp(s));
	SHOW(tcsetpgrp(s, getpid()));
	SHOW(ioctl(s, TIOCGSID, &n));
	SHOW(ioctl(s, TIOCSTI, "x"));
	n = 1;
	SHOW(ioctl(m, TIOCPKT, &n));
	SHOW(ioctl(m, TIOCGPKT, &n));
	printf("%d\n", n);
	write(s, "pkt", 3);
	show("m", m);
	show("m", m);
	n = 0;
	ioctl(m, TIOCPKT, &n);
	SHOW(ioctl(s, TIOCPKT, &n));
	SHOW(ioctl(s, TIOCMGET, &n));
	SHOW(ioctl(s, TIOCEXCL));
	SHOW(ioctl(s, TIOCGEXCL, &n));
	printf("%d\n", n);
	char name[64];
	SHOW(ptsname_r(m, name, 64));
	SHOW(ioctl(s, TIOCNXCL));
	SHOW(ioctl(s, TIOCSETD, &n)<-1);
	SHOW(ioctl(s, TIOCGETD, &n));
	printf("%d\n", n);
	SHOW(ioctl(s, TCSBRK, 1));
	SHOW(ioctl(s, TIOCNOTTY));
	SHOW(ioctl(s, 0x5499, &n));
	SHOW(tcdrain(s));
	SHOW(ioctl(m, TIOCSPTLCK, &n));
	SHOW(ioctl(m, TIOCGPTLCK, &n));
	SHOW(isatty(s));
	SHOW(lseek(s, 0, 0));
	SHOW(ttyname_r(s, name, 64));
	tset(noflsh);
	IN("keep\n");
	tset(tos);
	tcgetattr(s, &t);
	printf("%x\n", t.c_lflag);
	struct pollfd p = {m, POLLIN|POLLOUT, 0};
	close(s);
	poll(&p, 1, 0);
	printf("%x\n", p.revents);
	SHOW(read(m, b, 9));
	SHOW(write(m, "x", 1));
	openpty(&m, &s, 0, 0, 0);
	write(m, "left\n", 5);
	close(m);
	p.fd = s;
	poll(&p, 1, 0);
	printf("%x\n", p.revents);
	SHOW(read(s, b, 9));
	SHOW(write(s, "x", 1));
	SHOW(tcgetattr(s, &t));
	SHOW(ioctl(s, TIOCGWINSZ, &w));
	return 0;
}
