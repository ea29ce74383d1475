// differ/terminals.c — pseudo-terminals: what is typed and printed through every mode of the line discipline, job control, packet mode, hanging up.
#include "differ.h"
#include "families.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <asm-generic/termbits.h>
struct termio { unsigned short c_iflag, c_oflag, c_cflag, c_lflag; unsigned char c_line, c_cc[8]; };
#define TCGETS2 _IOR('T', 0x2A, struct termios2)
#define TCSETS2 _IOW('T', 0x2B, struct termios2)

static volatile sig_atomic_t seen[65];
static void note(int signal) { seen[signal]++; }

static const int noted[] = {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGWINCH, SIGIO, SIGCHLD};
enum { NOTED = sizeof noted / sizeof *noted };

/** What is written to one side reaches the other when a kernel thread has been there. */
static void settle(void) {
	struct timespec moment = {0, 3000000};
	struct pollfd fds[10];
	for (int i = 0; i < 10; i++) fds[i] = (struct pollfd){i + 3, POLLIN, 0};
	for (int i = 0; i < 2; i++) {
		syscall(SYS_nanosleep, &moment, 0);
		poll(fds, 10, 0);
	}
}

static bool terminal(int fd) {
	int discipline;
	return ioctl(fd, TIOCGETD, &discipline) == 0;
}

/** A descriptor, most often one of a terminal. */
static int side(void) {
	int fd = any_fd();
	for (int i = 0; i < 6 && !terminal(fd) && !seldom(12); i++) fd = any_fd();
	return fd;
}

static void trim(void) { syscall(SYS_close_range, 13, 40, 0); }

static void pair(void) {
	int off = 0, n, m = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	char name[40];
	if (m < 0) return;
	ioctl(m, TIOCSPTLCK, &off);
	ioctl(m, TIOCGPTN, &n);
	sprintf(name, "/dev/pts/%d", n);
	open(name, O_RDWR | O_NONBLOCK | (seldom(2) ? O_NOCTTY : 0));
}

void start_terminals(int actor) {
	struct sigaction a = {.sa_handler = note};
	for (int i = 0; i < NOTED; i++) sigaction(noted[i], &a, 0);
	if (!actor) pair();
}

static void say_modes(const struct termios2 *t) {
	say(" {i%o o%o c%o l%o line %d cc", t->c_iflag, t->c_oflag, t->c_cflag, t->c_lflag, t->c_line);
	for (int i = 0; i < 17; i++) say(" %x", t->c_cc[i]);
	say("}");
}

static void modes(int fd) {
	struct termios2 t;
	memset(&t, 0, sizeof t);
	int op = below(10);
	if (op == 0) {
		say(" TCGETS2(%d)", fd);
		if (sys(SYS_ioctl, fd, TCGETS2, &t) == 0) {
			say_modes(&t);
			say(" %u %u", t.c_ispeed, t.c_ospeed);
		}
		return;
	}
	if (op == 1) {
		struct termio o;
		memset(&o, 0, sizeof o);
		say(" TCGETA(%d)", fd);
		if (sys(SYS_ioctl, fd, TCGETA, &o) == 0) {
			say(" {i%o o%o c%o l%o line %d", o.c_iflag, o.c_oflag, o.c_cflag, o.c_lflag, o.c_line);
			for (int i = 0; i < 8; i++) say(" %x", o.c_cc[i]);
			say("}");
			if (seldom(2)) {
				o.c_lflag ^= SOME(4, ICANON, ECHO, ISIG);
				say(" TCSETA l%o", o.c_lflag);
				sys(SYS_ioctl, fd, ONE(TCSETA, TCSETAW, TCSETAF), &o);
			}
		}
		return;
	}
	if (ioctl(fd, TCGETS2, &t)) {
		say(" TCGETS(%d)", fd);
		sys(SYS_ioctl, fd, TCGETS, &t);
		return;
	}
	t.c_iflag ^= SOME(9, IGNBRK, BRKINT, IGNPAR, PARMRK, INPCK, ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY, IXOFF, IMAXBEL, IUTF8);
	t.c_oflag ^= SOME(9, OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, OFILL, XTABS, TAB1);
	t.c_cflag ^= SOME(12, CSTOPB, CREAD, PARENB, PARODD, HUPCL, CLOCAL, CS7, CS6, B9600, CRTSCTS);
	t.c_lflag ^= SOME(9, ISIG, ICANON, XCASE, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, ECHOCTL, ECHOPRT, ECHOKE, FLUSHO, IEXTEN, EXTPROC);
	if (seldom(3)) t.c_lflag |= ICANON;
	if (seldom(3)) t.c_cc[VMIN] = ONE(0, 1, 1, 2, 5, 255);
	if (seldom(4)) t.c_cc[VTIME] = ONE(0, 0, 1);
	if (seldom(6)) t.c_cc[ONE(VINTR, VERASE, VEOF, VEOL, VEOL2, VSTART, VKILL, VWERASE, VLNEXT, VREPRINT)] = ONE(0, 'e', 'x', 255, 3);
	if (seldom(20)) t.c_line = ONE(0, 1, 3, 29);
	op = ONE(TCSETS2, TCSETS2, TCSETS2 + 1, TCSETS2 + 2, TCSETS, TCSETSW, TCSETSF);
	say(" set(%d, %s", fd, op == TCSETS2 || op == TCSETS ? "now" : op == TCSETS2 + 1 || op == TCSETSW ? "drain" : "flush");
	say_modes(&t);
	say(")");
	sys(SYS_ioctl, fd, op, &t);
	settle();
}

/** Text with the characters that mean something. */
static int typed(char *text) {
	static const char *const words[] = {"a", "b c", "Hello", "\t", "\n", "\n", "\r", "\x03", "\x04", "\x04", "\x16", "\x15", "\x17", "\x7f", "\x7f", "\b", "\x11", "\x13", "\x1a", "\x1c", "\x12", "\x0f",
		"\xff", "\xc3\xa9", "\xe2\x82\xac", "\xa9", "x y  z", "e", "\x1b[A", "\x01", "\x7f\x7f\x7f", "word word2 ", "_-+", "\xf0\x9f\x90\xa7"};
	int length = 0;
	for (int n = 1 + below(7); n > 0; n--) {
		const char *w = PICK(words);
		strcpy(text + length, w);
		length += strlen(w);
	}
	if (seldom(20)) text[below(length)] = 0;
	if (seldom(40)) {
		// more than the line discipline keeps is lost in the order in which a kernel thread comes by
		length = 300;
		memset(text, 'L', length);
	}
	return length;
}

static void ioctls(int fd) {
	int n = -1;
	switch (below(22)) {
	case 0: {
		struct winsize w = {below(3) * 20, below(3) * 40, 0, below(2)};
		if (seldom(3)) {
			say(" TIOCSWINSZ(%d, %d %d)", fd, w.ws_row, w.ws_col);
			sys(SYS_ioctl, fd, TIOCSWINSZ, &w);
		} else {
			say(" TIOCGWINSZ(%d)", fd);
			if (sys(SYS_ioctl, fd, TIOCGWINSZ, &w) == 0) say(" {%d %d %d %d}", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
		}
		break;
	}
	case 1:
		say(" FIONREAD(%d)", fd);
		if (sys(SYS_ioctl, fd, FIONREAD, &n) == 0) say(" %d", n);
		break;
	case 2:
		say(" TIOCOUTQ(%d)", fd);
		if (sys(SYS_ioctl, fd, TIOCOUTQ, &n) == 0) say(" %d", n);
		break;
	case 3:
		say(" TIOCGPGRP(%d)", fd);
		if (sys(SYS_ioctl, fd, TIOCGPGRP, &n) == 0) say(" %s", n == getpgrp() ? "ours" : n == 0 ? "none" : "another");
		say(" TIOCGSID");
		if (sys(SYS_ioctl, fd, TIOCGSID, &n) == 0) say(" %s", n == getsid(0) ? "ours" : "another");
		break;
	case 4:
		n = ONE(0, 0, 0, 1, 9999, -1);
		if (n == 0) n = getpgrp();
		say(" TIOCSPGRP(%d, %s)", fd, n == getpgrp() ? "ours" : n == 1 ? "1" : "bad");
		sys(SYS_ioctl, fd, TIOCSPGRP, &n);
		break;
	case 5:
		n = ONE(0, 0, 1);
		say(" TIOCSCTTY(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, TIOCSCTTY, (long)n);
		break;
	case 6:
		if (!seldom(3)) break;
		say(" TIOCNOTTY(%d)", fd);
		sys(SYS_ioctl, fd, TIOCNOTTY);
		break;
	case 7: {
		char c = ONE('s', '\n', 3, 4);
		say(" TIOCSTI(%d, %x)", fd, c);
		sys(SYS_ioctl, fd, TIOCSTI, &c);
		break;
	}
	case 8: case 9:
		n = ONE(TCIFLUSH, TCOFLUSH, TCIOFLUSH, 3);
		say(" TCFLSH(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, TCFLSH, (long)n);
		break;
	case 10: case 11:
		n = ONE(TCOOFF, TCOON, TCOON, TCIOFF, TCION, 4);
		say(" TCXONC(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, TCXONC, (long)n);
		break;
	case 12:
		n = ONE(1, 1, 0);
		say(" TCSBRK(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, ONE(TCSBRK, TCSBRKP), (long)n);
		break;
	case 13: case 14:
		n = ONE(0, 1, 1);
		say(" TIOCPKT(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, TIOCPKT, &n);
		break;
	case 15:
		n = ONE(SIGINT, SIGQUIT, SIGTSTP, SIGHUP, 0, 65);
		say(" TIOCSIG(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, TIOCSIG, (long)n);
		break;
	case 16:
		n = ONE(0, 0, 1, 5, 40);
		say(" TIOCSETD(%d, %d)", fd, n);
		if (n == 0) sys(SYS_ioctl, fd, TIOCSETD, &n);
		break;
	case 17: {
		long op = ONE(TIOCEXCL, TIOCNXCL, TIOCNXCL, TIOCGEXCL);
		say(" exclusive(%d, %lx)", fd, op);
		if (sys(SYS_ioctl, fd, op, &n) == 0 && op == TIOCGEXCL) say(" %d", n);
		break;
	}
	case 18: {
		long op = ONE(TIOCGPKT, TIOCGPTLCK, TIOCGPTN, TIOCGETD, TIOCGSOFTCAR);
		say(" get(%d, %lx)", fd, op);
		if (sys(SYS_ioctl, fd, op, &n) == 0) say(" %d", op == TIOCGPTN ? handle('N', n) : n);
		break;
	}
	case 19: {
		long op = ONE(TIOCMGET, TIOCMSET, TIOCGSERIAL, TIOCGICOUNT, TIOCGLCKTRMIOS, TIOCGRS485, TIOCMIWAIT, 0x5499, 0x541F + 100);
		say(" odd(%d, %lx)", fd, op);
		char room[200] = {0};
		sys(SYS_ioctl, fd, op, room);
		break;
	}
	case 20:
		n = ONE(0, 1, 1, 1);
		say(" FIONBIO(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, FIONBIO, &n);
		break;
	case 21:
		say(" bad pointer(%d)", fd);
		sys(SYS_ioctl, fd, ONE(TCGETS, TCSETS, TIOCGWINSZ, TIOCSWINSZ, FIONREAD, TIOCSPTLCK, TIOCGPTN, TIOCPKT, TIOCSPGRP), (void *)-4096L);
		break;
	}
}

static void child_of(void) {
	static pid_t last;
	int status, how = below(3);
	char *argv[] = {"differ", "child", "p", 0};
	if (how == 0 || !last) {
		bool fg = seldom(2);
		int in = side();
		if (last > 0) {
			kill(last, SIGKILL);
			while (waitpid(last, 0, 0) < 0 && errno == EINTR);
		}
		last = vfork();
		if (!last) {
			syscall(SYS_setpgid, 0, 0);
			execv("/differ", argv);
			_exit(127);
		}
		say(" child");
		settle();
		if (fg) {
			say(" in front(%d)", in);
			sigset_t block, old;
			sigemptyset(&block);
			sigaddset(&block, SIGTTOU);
			sigprocmask(SIG_BLOCK, &block, &old);
			sys(SYS_ioctl, in, TIOCSPGRP, &last);
			sigprocmask(SIG_SETMASK, &old, 0);
		}
	} else if (how == 1) {
		say(" wait");
		settle();
		pid_t p = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
		if (p > 0) {
			say_status(status);
			if (!WIFSTOPPED(status) && !WIFCONTINUED(status)) last = 0;
		} else say(p ? " none" : " nothing");
	} else {
		int s = ONE(SIGCONT, SIGCONT, SIGSTOP, SIGKILL);
		say(" kill(%d)", s);
		if (last > 0) sys(SYS_kill, last, s);
		settle();
	}
}

void step_terminals(void) {
	static char text[6000], got[6000];
	int fd = side();
	memset((void *)seen, 0, sizeof seen);
	settle();
	switch (below(24)) {
	case 0: {
		int f = O_RDWR | SOME(3, O_NOCTTY, O_NONBLOCK) | O_NONBLOCK * !seldom(4);
		char name[40];
		int n = below(3);
		if (seldom(3)) {
			say(" open(ptmx, 0%o)", f);
			sys(SYS_open, "/dev/ptmx", f);
		} else if (seldom(4)) {
			say(" open(tty, 0%o)", f);
			sys(SYS_open, "/dev/tty", f);
		} else {
			sprintf(name, "/dev/pts/%d", n);
			say(" open(pts/%d, 0%o)", n, f);
			sys(SYS_open, name, f);
		}
		break;
	}
	case 1: {
		int n = ONE(0, 0, 1);
		say(" TIOCSPTLCK(%d, %d)", fd, n);
		sys(SYS_ioctl, fd, TIOCSPTLCK, &n);
		break;
	}
	case 2:
		say(" TIOCGPTPEER(%d)", fd);
		sys(SYS_ioctl, fd, TIOCGPTPEER, (long)(O_RDWR | O_NOCTTY | (seldom(4) ? 0 : O_NONBLOCK)));
		break;
	case 3:
		if (!seldom(2)) break;
		say(" close(%d)", fd);
		sys(SYS_close, fd == CONTROL ? -1 : fd);
		break;
	case 4:
		say(" dup(%d)", fd);
		sys(SYS_dup, fd);
		break;
	case 5: case 6: case 7:
		modes(fd);
		break;
	case 8: case 9: case 10: case 11: case 12: case 13: {
		int n = typed(text);
		say(" write(%d,", fd);
		say_bytes(text, n);
		say(")");
		if (fd != CONTROL) sys(SYS_write, fd, text, n);
		settle();
		break;
	}
	case 14: case 15: case 16: case 17: {
		long n = ONE(1, 2, 5, 20, 4096, 5000, 5000, 0);
		memset(got, 0, sizeof got);
		say(" read(%d, %ld)", fd, n);
		if (fd == CONTROL) break;
		long r = sys(SYS_read, fd, got, n);
		if (r > 400) {
			say_bytes(got, r);
			say_bytes(got, 40);
			say_bytes(got + r - 40, 40);
		}
		else for (long i = 0; i < r; i += 40) say_bytes(got + i, r - i < 40 ? r - i : 40);
		break;
	}
	case 18: {
		struct pollfd p[3] = {{fd, 0x7ff, 0}, {side(), 0x7ff, 0}, {side(), POLLIN | POLLPRI, 0}};
		say(" poll(%d %d %d)", p[0].fd, p[1].fd, p[2].fd);
		sys(SYS_poll, p, 3, 0);
		say(" %x %x %x", p[0].revents, p[1].revents, p[2].revents);
		break;
	}
	case 19: {
		struct stat st;
		say(" odd(%d)", fd);
		switch (below(6)) {
		case 0: sys(SYS_lseek, fd, 0, SEEK_CUR); break;
		case 1: sys(SYS_fsync, fd); break;
		case 2: sys(SYS_ftruncate, fd, 0); break;
		case 3: went(syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0)); break;
		case 4: if (sys(SYS_fstat, fd, &st) == 0 && S_ISCHR(st.st_mode)) say(" %o nlink %d", st.st_mode, (int)st.st_nlink); break;
		case 5: if (fd != CONTROL) sys(SYS_pread64, fd, got, 5, 0L); break;
		}
		break;
	}
	case 20:
		child_of();
		break;
	default:
		ioctls(fd);
		settle();
	}
	settle();
	trim();
	for (int i = 0; i < NOTED; i++) if (seen[noted[i]]) say(" <%d>", noted[i]);
}
