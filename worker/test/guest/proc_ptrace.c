// proc_ptrace — ptrace(2): a child traced by TRACEME, call by call, its registers and memory; an attached one; events; single steps.
#include "guest.h"
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <elf.h>
#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e
#endif

static char **self;

static void try(const char *what, long r) {
	printf("%s %s\n", what, r < 0 ? ename(errno) : "ok");
}

static void show(const char *what, int status) {
	if (WIFEXITED(status)) printf("%s: exit %d\n", what, WEXITSTATUS(status));
	else if (WIFSIGNALED(status)) printf("%s: killed by %d\n", what, WTERMSIG(status));
	else if (WIFSTOPPED(status)) printf("%s: stopped by %d event %d\n", what, WSTOPSIG(status) & 0x7f, status >> 16);
	else printf("%s: status %x\n", what, status);
}

static pid_t start(const char *role) {
	pid_t pid = vfork();
	if (pid == 0) {
		char *argv[] = {self[0], (char *)role, 0};
		if (role[0] != 'p') ptrace(PTRACE_TRACEME, 0, 0, 0);
		char path[64];
		extern char **environ;
		execve("/proc/self/exe", argv, environ);
		_exit(99);
	}
	return pid;
}

static int role(const char *name) {
	if (name[0] == 'c') { // calls
		syscall(SYS_getppid);
		syscall(SYS_kill, getpid(), SIGUSR1);
		long r = syscall(SYS_geteuid);
		return r == 4242 ? 7 : 8;
	}
	if (name[0] == 'p') { // plain: waits to be attached
		for (;;) pause();
	}
	if (name[0] == 'v') { // a child of its own
		pid_t pid = vfork();
		if (pid == 0) _exit(3);
		int status;
		waitpid(pid, &status, 0);
		return WEXITSTATUS(status);
	}
	return 1;
}

static void calls(void) {
	int status, stops = 0, entry = 1, in_kill = 0;
	struct user_regs_struct regs;
	pid_t pid = start("calls");
	waitpid(pid, &status, 0);
	show("exec", status);
	try("setoptions", ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	try("bad option", ptrace(PTRACE_SETOPTIONS, pid, 0, 1 << 30));
	int sig = 0, seen_info = 0;
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, sig) < 0) { printf("syscall: %s\n", ename(errno)); break; }
		sig = 0;
		if (waitpid(pid, &status, 0) < 0) break;
		if (!WIFSTOPPED(status)) break;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			ptrace(PTRACE_GETREGS, pid, 0, &regs);
			if (entry) {
				if (regs.orig_rax == SYS_getppid || regs.orig_rax == SYS_kill || regs.orig_rax == SYS_geteuid) {
					printf("enter %lld rax %lld\n", (long long)regs.orig_rax, (long long)regs.rax);
					errno = 0;
					long user = ptrace(PTRACE_PEEKUSER, pid, 8 * 15, 0);
					printf("peekuser agrees %d\n", user == (long)regs.orig_rax);
					unsigned char info[88];
					memset(info, 0, sizeof info);
					long n = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, info);
					printf("info %ld op %d nr %d\n", n, info[0], *(int *)(info + 24));
				}
				in_kill = regs.orig_rax == SYS_kill;
			} else if (regs.orig_rax == SYS_geteuid) {
				regs.rax = 4242;
				try("setregs", ptrace(PTRACE_SETREGS, pid, 0, &regs));
			} else if (regs.orig_rax == SYS_getppid) printf("its parent is me %d\n", (pid_t)regs.rax == getpid());
			else if (in_kill) printf("kill gave %lld\n", (long long)regs.rax);
			entry = !entry;
		} else {
			siginfo_t si;
			try("getsiginfo", ptrace(PTRACE_GETSIGINFO, pid, 0, &si));
			show("signal", status);
			printf("code %d from itself %d\n", si.si_code, si.si_pid == pid);
			sig = 0; // it never gets it
		}
	}
	show("end", status);
}

static void attach(void) {
	int status;
	pid_t pid = start("plain");
	usleep(50000);
	try("cont of a stranger", ptrace(PTRACE_CONT, pid, 0, 0));
	try("attach", ptrace(PTRACE_ATTACH, pid, 0, 0));
	try("again", ptrace(PTRACE_ATTACH, pid, 0, 0));
	printf("wait %d\n", waitpid(pid, &status, 0) == pid);
	show("attached", status);
	char line[256], path[64];
	sprintf(path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (fgets(line, sizeof line, f)) {
		int n;
		if (!strncmp(line, "State:", 6)) printf("%s", line);
		if (sscanf(line, "TracerPid: %d", &n) == 1) printf("traced by me %d\n", n == getpid());
	}
	fclose(f);
	struct user_regs_struct regs;
	struct iovec iov = {&regs, sizeof regs};
	printf("getregset %ld %zu\n", ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov), iov.iov_len);
	struct user_fpregs_struct fp;
	try("getfpregs", ptrace(PTRACE_GETFPREGS, pid, 0, &fp));
	errno = 0;
	long word = ptrace(PTRACE_PEEKDATA, pid, regs.rsp, 0);
	printf("peek errno %d\n", errno);
	try("poke", ptrace(PTRACE_POKEDATA, pid, regs.rsp - 256, 0x1122334455667788));
	printf("peek %lx\n", ptrace(PTRACE_PEEKDATA, pid, regs.rsp - 256, 0));
	errno = 0;
	ptrace(PTRACE_PEEKDATA, pid, 16, 0);
	printf("peek at 16: %d\n", errno);
	try("request 999:", ptrace(999, pid, 0, 0));
	kill(pid, SIGUSR2);
	try("detach", ptrace(PTRACE_DETACH, pid, 0, 0));
	waitpid(pid, &status, 0);
	show("after", status);
}

static void seize(void) {
	int status;
	pid_t pid = start("plain");
	usleep(50000);
	try("seize", ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL));
	try("getregs of one that runs", ptrace(PTRACE_GETREGS, pid, 0, &status));
	try("interrupt", ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	waitpid(pid, &status, 0);
	show("interrupted", status);
	ptrace(PTRACE_CONT, pid, 0, 0);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, 0);
	show("signal", status);
	ptrace(PTRACE_CONT, pid, 0, SIGSTOP);
	waitpid(pid, &status, 0);
	show("group stop", status);
	try("listen", ptrace(PTRACE_LISTEN, pid, 0, 0));
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	show("continued", status);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	show("SIGCONT itself", status);
	ptrace(PTRACE_CONT, pid, 0, SIGTERM);
	waitpid(pid, &status, 0);
	show("with another signal", status);
}

static void events(void) {
	int status;
	unsigned long message;
	pid_t pid = start("vforks"), child = 0;
	waitpid(pid, &status, 0);
	show("exec", status);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC);
	ptrace(PTRACE_CONT, pid, 0, 0);
	int left = 2;
	while (left > 0) {
		pid_t who = waitpid(child ? child : pid, &status, __WALL);
		const char *name = who == pid ? "parent" : "child";
		show(name, status);
		if (!WIFSTOPPED(status)) {
			left--;
			child = 0;
			continue;
		}
		int event = status >> 16;
		if (event == PTRACE_EVENT_VFORK) {
			ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
			child = message;
			printf("a child %d\n", child > pid);
		} else if (event == PTRACE_EVENT_EXIT) {
			ptrace(PTRACE_GETEVENTMSG, who, 0, &message);
			printf("status %lx\n", message);
		}
		int sig = event == 0 && WSTOPSIG(status) != SIGSTOP ? WSTOPSIG(status) : 0;
		ptrace(PTRACE_CONT, who, 0, sig);
		// the vfork child goes first, to its end
		if (event == PTRACE_EVENT_VFORK) continue;
	}
}

static void steps(void) {
	int status, n = 0;
	struct user_regs_struct a, b;
	pid_t pid = start("vforks");
	waitpid(pid, &status, 0);
	ptrace(PTRACE_GETREGS, pid, 0, &a);
	for (int i = 0; i < 10; i++) {
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) break;
		ptrace(PTRACE_GETREGS, pid, 0, &b);
		if (b.rip != a.rip) n++;
		if (b.eflags & 0x100) printf("the trap flag shows\n");
		a = b;
	}
	printf("%d steps\n", n);
	// a breakpoint where it stands
	long word = ptrace(PTRACE_PEEKTEXT, pid, b.rip, 0);
	ptrace(PTRACE_POKETEXT, pid, b.rip, (word & ~0xffL) | 0xcc);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	show("breakpoint", status);
	ptrace(PTRACE_GETREGS, pid, 0, &a);
	printf("just past it %d\n", a.rip == b.rip + 1);
	ptrace(PTRACE_POKETEXT, pid, b.rip, word);
	a.rip = b.rip;
	ptrace(PTRACE_SETREGS, pid, 0, &a);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	show("end", status);
	pid = start("vforks");
	waitpid(pid, &status, 0);
	try("kill", ptrace(PTRACE_KILL, pid, 0, 0));
	waitpid(pid, &status, 0);
	show("killed", status);
	try("and then", ptrace(PTRACE_CONT, pid, 0, 0));
}

int main(int argc, char **argv) {
	self = argv;
	setvbuf(stdout, 0, _IOLBF, 0);
	if (argc > 1) return role(argv[1]);
	calls();
	attach();
	seize();
	events();
	steps();
	try("attach to init of this", ptrace(PTRACE_ATTACH, getpid(), 0, 0));
	return 0;
}
