// Symbolic links: following, not following, loops, dangling ones, ones that end in a slash, long ones.
#include "guest.h"
int main(void) {
	char buf[5000], longer[300];
	struct stat st;
	mkdir("d", 0700);
	close(open("d/f", O_CREAT | O_WRONLY, 0644));
	SHOW(symlink("d/f", "l"));
	SHOW(symlink("d/f", "l"));
	SHOW(symlink("", "empty"));
	SHOW(symlink("loop", "loop"));
	SHOW(symlink("nowhere", "dangling"));
	SHOW(symlink("d", "dirlink"));
	ssize_t n = readlink("l", buf, sizeof buf);
	printf("%.*s\n", (int)n, buf);
	SHOW(readlink("l", buf, 2));
	SHOW(readlink("d", buf, 2));
	SHOW(open("loop", O_RDONLY));
	SHOW(open("dangling", O_RDONLY));
	SHOW(open("l", O_RDONLY | O_NOFOLLOW));
	SHOW(open("dirlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	TRY(open("dirlink/", O_RDONLY));
	TRY(open("dirlink/f", O_RDONLY));
	TRY(open("l/", O_RDONLY));
	SHOW(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600));
	TRY(open("dangling", O_CREAT | O_WRONLY, 0600));
	TRY(stat("nowhere", &st));
	lstat("l", &st);
	printf("link %d size %ld\n", S_ISLNK(st.st_mode), (long)st.st_size);
	stat("l", &st);
	printf("file %d\n", S_ISREG(st.st_mode));
	SHOW(unlink("dirlink/"));
	SHOW(rmdir("dirlink"));
	SHOW(rename("dirlink", "moved"));
	TRY(stat("moved/f", &st));
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	SHOW(symlink(longer, "long"));
	n = readlink("long", buf, sizeof buf);
	printf("%ld %d\n", (long)n, !memcmp(buf, longer, n));
	SHOW(link("l", "hardlink-to-link"));
	lstat("hardlink-to-link", &st);
	printf("%d\n", S_ISLNK(st.st_mode));
	SHOW(linkat(AT_FDCWD, "l", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
	lstat("followed", &st);
	printf("%d\n", S_ISREG(st.st_mode));
	for (int i = 0; i < 45; i++) {
		char a[16], b[16];
		snprintf(a, 16, "c%d", i), snprintf(b, 16, "c%d", i + 1);
		symlink(b, a);
	}
	close(open("c45", O_CREAT | O_WRONLY, 0600));
	TRY(open("c5", O_RDONLY));
	TRY(open("c4", O_RDONLY));
	TRY(open("c3", O_RDONLY));
	SHOW(chdir("moved"));
	printf("%s\n", strrchr(getcwd(buf, sizeof buf), '/'));
	return 0;
}
