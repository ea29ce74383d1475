// differ/log.c — the line of a step: calls, results and what they left in memory, in words that are the same on every Linux.
#include "differ.h"
#include <sys/sysmacros.h>

char line[1 << 16];
size_t line_length;

void say(const char *format, ...) {
	va_list list;
	va_start(list, format);
	int n = vsnprintf(line + line_length, sizeof line - line_length, format, list);
	va_end(list);
	if (n > 0) line_length += n;
	if (line_length > sizeof line - 2) line_length = sizeof line - 2;
}

static void say_errno(int e) {
	const char *name = ename(e);
	if (!strcmp(name, "E?")) say(" = E%d", e);
	else say(" = %s", name);
}

long told(long result) {
	int e = errno;
	if (result == -1) say_errno(e);
	else say(" = %ld", result);
	errno = e;
	return result;
}

long went(long result) {
	int e = errno;
	if (result == -1) say_errno(e);
	else say(" = ok");
	errno = e;
	return result;
}

void say_bytes(const void *data, long n) {
	const unsigned char *p = data;
	if (n > 40) {
		uint32_t sum = 0;
		for (long i = 0; i < n; i++) sum = sum * 31 + p[i];
		say(" #%08x", sum);
		return;
	}
	say(" \"");
	for (long i = 0; i < n; i++) {
		if (p[i] >= ' ' && p[i] < 127 && p[i] != '"' && p[i] != '\\') say("%c", p[i]);
		else say("\\x%02x", p[i]);
	}
	say("\"");
}

int handle(char kind, uint64_t value) {
	static struct { char kind; uint64_t value; } known[2000];
	static int count;
	int n = 0;
	for (int i = 0; i < count; i++)
		if (known[i].kind == kind) {
			if (known[i].value == value) return n;
			n++;
		}
	if (count == 2000) return -1;
	known[count].kind = kind;
	known[count++].value = value;
	return n;
}

void say_time(const char *name, struct timespec t) {
	if (t.tv_sec > 1000000000) say(" %s=now", name);
	else say(" %s=%ld.%09ld", name, (long)t.tv_sec, t.tv_nsec);
}

void say_stat(const struct stat *st) {
	static const char types[] = "?pc?d?b?-?l?s???";
	say(" {%c%04o nlink=%lu %u:%u", types[st->st_mode >> 12 & 15], st->st_mode & 07777, (unsigned long)st->st_nlink, st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode)) say(" size=%ld", (long)st->st_size);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) say(" rdev=%u,%u", major(st->st_rdev), minor(st->st_rdev));
	say_time("a", st->st_atim);
	say_time("m", st->st_mtim);
	say("}");
}

void say_status(int status) {
	if (WIFEXITED(status)) say(" exited %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status)) say(" killed %d%s", WTERMSIG(status), WCOREDUMP(status) ? " core" : "");
	else if (WIFSTOPPED(status)) say(" stopped %d%s", WSTOPSIG(status), status >> 16 ? " event" : "");
	else if (WIFCONTINUED(status)) say(" continued");
	else say(" status %x", status);
}

void say_siginfo(const siginfo_t *i) {
	say(" {signo=%d errno=%d code=%d", i->si_signo, i->si_errno, i->si_code);
	if (i->si_signo == SIGCHLD) say(" pid=%d uid=%d status=%d", handle('P', i->si_pid), i->si_uid, i->si_status);
	else if (i->si_code == SI_TIMER) say(" overrun=%d value=%d", i->si_overrun ? 1 : 0, i->si_value.sival_int);
	else if (i->si_signo == SIGIO || i->si_signo == SIGURG) say(" band=%lx fd=%d", (long)i->si_band, i->si_fd);
	else if (i->si_code == SI_USER || i->si_code == SI_TKILL) say(" pid=%d uid=%d", handle('P', i->si_pid), i->si_uid);
	else if (i->si_code < 0) say(" pid=%d uid=%d value=%lx", handle('P', i->si_pid), i->si_uid, (long)i->si_value.sival_ptr);
	say("}");
}

const char *shown(const char *path) {
	static char ring[4][600];
	static int turn;
	if ((uintptr_t)path < 4096) return "NULL";
	if ((uintptr_t)path >> 47) return "BAD";
	char *out = ring[turn++ & 3];
	size_t n = strlen(path);
	if (n < 80) sprintf(out, "\"%s\"", path);
	else sprintf(out, "\"%.3s...%s\" (%zu)", path, path + n - 4, n);
	return out;
}
