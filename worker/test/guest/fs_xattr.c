// Extended attributes of files, directories and links: set, replace, list, remove, sizes, name spaces, errors.
#include "guest.h"
#include <sys/xattr.h>
static void list(const char *path) {
	char buf[512], *names[16];
	int n = listxattr(path, buf, sizeof buf), count = 0;
	if (n < 0) { printf("list %s\n", ename(errno)); return; }
	for (int i = 0; i < n; i += strlen(buf + i) + 1) if (!strncmp(buf + i, "user.", 5)) names[count++] = buf + i;
	for (int i = 0; i < count; i++) for (int j = i + 1; j < count; j++) if (strcmp(names[i], names[j]) > 0) { char *t = names[i]; names[i] = names[j], names[j] = t; }
	printf("list");
	for (int i = 0; i < count; i++) printf(" %s", names[i]);
	printf("\n");
}
int main(void) {
	char buf[256], long_name[300];
	close(open("f", O_CREAT, 0644)), mkdir("d", 0755), symlink("f", "l");
	list("f");
	SHOW(setxattr("f", "user.one", "1", 1, 0));
	SHOW(setxattr("f", "user.two", "two", 3, XATTR_CREATE));
	SHOW(setxattr("f", "user.two", "TWO", 3, XATTR_CREATE));
	SHOW(setxattr("f", "user.none", "x", 1, XATTR_REPLACE));
	SHOW(setxattr("f", "user.one", "eins", 4, XATTR_REPLACE));
	SHOW(setxattr("f", "user.empty", "", 0, 0));
	list("f");
	memset(buf, 0, sizeof buf);
	SHOW(getxattr("f", "user.one", buf, sizeof buf));
	puts(buf);
	SHOW(getxattr("l", "user.two", buf, sizeof buf));
	SHOW(getxattr("f", "user.two", 0, 0));
	SHOW(getxattr("f", "user.two", buf, 2));
	SHOW(getxattr("f", "user.empty", buf, sizeof buf));
	SHOW(getxattr("f", "user.none", buf, sizeof buf));
	SHOW(lsetxattr("l", "user.x", "1", 1, 0));
	SHOW(lgetxattr("l", "user.x", buf, sizeof buf));
	SHOW(setxattr("d", "user.dir", "d", 1, 0));
	list("d");
	SHOW(setxattr("f", "bogus.x", "1", 1, 0));
	SHOW(setxattr("f", "user.", "1", 1, 0));
	SHOW(setxattr("f", "", "1", 1, 0));
	memset(long_name, 'n', sizeof long_name), memcpy(long_name, "user.", 5), long_name[299] = 0;
	SHOW(setxattr("f", long_name, "1", 1, 0));
	SHOW(setxattr("f", "user.big", buf, 70000, 0));
	SHOW(setxattr("f", "user.x", "1", 1, 7));
	SHOW(setxattr("nope", "user.x", "1", 1, 0));
	SHOW(removexattr("f", "user.two"));
	SHOW(removexattr("f", "user.two"));
	int fd = open("f", O_RDONLY);
	SHOW(fsetxattr(fd, "user.fd", "fd", 2, 0));
	SHOW(fgetxattr(fd, "user.fd", buf, sizeof buf));
	SHOW(fremovexattr(fd, "user.empty"));
	list("f");
	rename("f", "g");
	list("g");
	link("g", "h");
	list("h");
	return 0;
}
