// guest.h — what the guest programs share. A program prints only what every Linux must print: no times, pids, addresses or host limits.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** The name of an errno, so that output does not depend on a libc's wording. */
static inline const char *ename(int e) {
	switch (e) {
#define E(x) case x: return #x;
	E(EPERM) E(ENOENT) E(ESRCH) E(EINTR) E(EIO) E(ENXIO) E(E2BIG) E(ENOEXEC) E(EBADF) E(ECHILD) E(EAGAIN) E(ENOMEM) E(EACCES) E(EFAULT) E(EBUSY) E(EEXIST)
	E(EXDEV) E(ENODEV) E(ENOTDIR) E(EISDIR) E(EINVAL) E(ENFILE) E(EMFILE) E(ENOTTY) E(ETXTBSY) E(EFBIG) E(ENOSPC) E(ESPIPE) E(EROFS) E(EMLINK) E(EPIPE) E(EDOM)
	E(ERANGE) E(EDEADLK) E(ENAMETOOLONG) E(ENOLCK) E(ENOSYS) E(ENOTEMPTY) E(ELOOP) E(ENODATA) E(ETIME) E(EOVERFLOW) E(ENOTSOCK) E(EDESTADDRREQ) E(EMSGSIZE)
	E(EPROTOTYPE) E(ENOPROTOOPT) E(EPROTONOSUPPORT) E(EOPNOTSUPP) E(EAFNOSUPPORT) E(EADDRINUSE) E(EADDRNOTAVAIL) E(ECONNRESET) E(EISCONN) E(ENOTCONN)
	E(ETIMEDOUT) E(ECONNREFUSED) E(EALREADY) E(EINPROGRESS) E(ECANCELED) E(EOWNERDEAD) E(EIDRM) E(ENOMSG)
#undef E
	}
	return e ? "E?" : "ok";
}
/** Prints "what: result" or "what: ERRNO". */
#define SHOW(call) do { errno = 0; long r_ = (long)(call); if (r_ < 0) printf("%s: %s\n", #call, ename(errno)); else printf("%s: %ld\n", #call, r_); } while (0)
/** Prints only whether it worked, for results that differ between machines. */
#define TRY(call) do { errno = 0; long r_ = (long)(call); printf("%s: %s\n", #call, r_ < 0 ? ename(errno) : "ok"); } while (0)
static inline void show_status(const char *who, int st) {
	if (WIFEXITED(st)) printf("%s exited %d\n", who, WEXITSTATUS(st));
	else if (WIFSIGNALED(st)) printf("%s killed by %d\n", who, WTERMSIG(st));
	else if (WIFSTOPPED(st)) printf("%s stopped by %d\n", who, WSTOPSIG(st));
	else if (WIFCONTINUED(st)) printf("%s continued\n", who);
}
/** Runs this program again with one argument in a vfork child; returns its pid. */
static inline pid_t respawn(const char *arg) {
	char *argv[] = {"guest", (char *)arg, 0};
	fflush(stdout);
	pid_t pid = vfork();
	if (!pid) {
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	return pid;
}
