// Core files: when there is one, what is in it, how far it goes; flags of the exit status.
#include "guest.h"
#include <elf.h>
#include <sys/procfs.h>
#include <sys/resource.h>
static char magic[64] = "not yet";
static unsigned char core[8 << 20];
static void limit(unsigned long n) {
	struct rlimit r = {n, RLIM_INFINITY};
	setrlimit(RLIMIT_CORE, &r);
}
static void run(const char *what, const char *how) {
	int st, fd;
	struct stat s;
	pid_t p = respawn(how);
	waitpid(p, &st, 0);
	printf("%s: signal %d dumped %d\n", what, WTERMSIG(st), WCOREDUMP(st) != 0);
	fd = open("core", O_RDONLY);
	if (fd < 0) {
		printf("no file\n");
		return;
	}
	fstat(fd, &s);
	printf("mode %o uid %d\n", s.st_mode, s.st_uid);
	if (!S_ISREG(s.st_mode)) {
		close(fd);
		return;
	}
	long n = read(fd, core, sizeof core);
	close(fd);
	unlink("core");
	Elf64_Ehdr *e = (void *)core;
	printf("elf %d type %d machine %d phentsize %d some %d\n", !memcmp(e->e_ident, ELFMAG, 4), e->e_type, e->e_machine, e->e_phentsize, e->e_phnum > 3);
	Elf64_Phdr *ph = (void *)(core + e->e_phoff);
	printf("first %d\n", ph->p_type);
	for (unsigned at = 0, k = 0; at < ph->p_filesz && ph->p_offset + at < n && k < 3; k++) {
		Elf64_Nhdr *h = (void *)(core + ph->p_offset + at);
		unsigned char *d = (unsigned char *)(h + 1) + 8;
		printf("note %x %s %d\n", h->n_type, (char *)(h + 1), h->n_descsz);
		if (h->n_type == NT_PRSTATUS) {
			struct elf_prstatus *s = (void *)d;
			printf("cursig %d pid %d ppid %d\n", s->pr_cursig, s->pr_pid == p, s->pr_ppid == getpid());
		}
		if (h->n_type == NT_PRPSINFO) {
			struct elf_prpsinfo *s = (void *)d;
			printf("args %s uid %d pid %d\n", s->pr_psargs, s->pr_uid, s->pr_pid == p);
		}
		if (h->n_type == NT_SIGINFO) printf("signo %d code %d\n", ((siginfo_t *)d)->si_signo, ((siginfo_t *)d)->si_code);
		at += sizeof *h + 8 + (h->n_descsz + 3 & ~3);
	}
	int found = 0, aligned = 1;
	for (int i = 1; i < e->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD || ph[i].p_offset % 4096) aligned = 0;
		for (unsigned long k = 0; k + 16 < ph[i].p_filesz && ph[i].p_offset + k + 16 < n; k++)
			if (!memcmp(core + ph[i].p_offset + k, "found in the core", 15)) found = 1;
	}
	printf("aligned %d memory %d\n", aligned, found);
}
int main(int argc, char **argv) {
	if (argc > 1) {
		memcpy(magic, "FOUND in the core", 18);
		for (int i = 0; i < 5; i++) magic[i] |= 32;
		if (argv[1][0] == 'a') abort();
		if (argv[1][0] == 'f') *(volatile int *)8 = 1;
		if (argv[1][0] == 'k') raise(SIGKILL);
		if (argv[1][0] == 't') raise(SIGTERM);
		if (argv[1][0] == 'q') raise(SIGQUIT);
		return 0;
	}
	limit(RLIM_INFINITY);
	run("abort", "a");
	run("fault", "f");
	run("quit", "q");
	run("kill", "k");
	run("term", "t");
	limit(0);
	run("limit 0", "a");
	limit(100);
	run("limit 100", "a");
	mkdir("core", 0700);
	limit(RLIM_INFINITY);
	run("a directory", "a");
	rmdir("core");
	symlink("elsewhere", "core");
	run("a link", "a");
	SHOW(access("elsewhere", F_OK));
	return 0;
}
