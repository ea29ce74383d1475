// Directories: mkdir, rmdir, rename over things, links, getdents sees all names once.
#include "guest.h"
#include <dirent.h>
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static void list(const char *dir) {
	char *names[2000];
	int n = 0;
	DIR *d = opendir(dir);
	if (!d) { printf("%s: %s\n", dir, ename(errno)); return; }
	for (struct dirent *e; (e = readdir(d));) names[n++] = strdup(e->d_name);
	closedir(d);
	qsort(names, n, sizeof *names, by_name);
	printf("%s: %d:", dir, n);
	for (int i = 0; i < n && i < 12; i++) printf(" %s", names[i]);
	printf("\n");
}
int main(void) {
	char name[64];
	struct stat st;
	SHOW(mkdir("d", 0755));
	SHOW(mkdir("d", 0755));
	SHOW(mkdir("no/d", 0755));
	SHOW(mkdir("d/e/", 0700));
	list("d");
	SHOW(rmdir("d"));
	SHOW(rmdir("d/e"));
	stat("d", &st);
	printf("nlink of d %ld\n", (long)st.st_nlink);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "d/file-with-a-longer-name-%03d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	list("d");
	for (int i = 0; i < 500; i += 2) {
		snprintf(name, sizeof name, "d/file-with-a-longer-name-%03d", i);
		unlink(name);
	}
	list("d");
	SHOW(unlink("d"));
	SHOW(rename("d/file-with-a-longer-name-001", "x"));
	SHOW(rename("x", "d/file-with-a-longer-name-003"));
	list("d");
	SHOW(mkdir("a", 0700));
	SHOW(mkdir("b", 0700));
	SHOW(rename("a", "b"));
	SHOW(rename("b", "d"));
	SHOW(rename("b", "b/c"));
	close(open("plain", O_CREAT | O_WRONLY, 0600));
	SHOW(rename("plain", "b"));
	SHOW(rename("b", "plain"));
	SHOW(rename("missing", "b"));
	SHOW(link("plain", "hard"));
	SHOW(link("plain", "hard"));
	SHOW(link("b", "hard2"));
	stat("plain", &st);
	printf("nlink %ld\n", (long)st.st_nlink);
	SHOW(rename("plain", "hard"));
	list(".");
	SHOW(syscall(SYS_renameat2, AT_FDCWD, "plain", AT_FDCWD, "hard", 1));
	SHOW(syscall(SYS_renameat2, AT_FDCWD, "plain", AT_FDCWD, "b", 2));
	list(".");
	SHOW(rmdir("."));
	SHOW(rmdir("b/.."));
	SHOW(unlink("hard"));
	SHOW(mkdir("", 0700));
	memset(name, 'n', 63), name[63] = 0;
	char big[300];
	memset(big, 'n', 299), big[299] = 0;
	SHOW(mkdir(big, 0700));
	return 0;
}
