// Permission bits as root sees them, umask, set-id and sticky bits, chown clearing them, mknod of a FIFO.
#include "guest.h"
#include <sys/sysmacros.h>
static void mode(const char *f) {
	struct stat st;
	if (lstat(f, &st)) printf("%s: %s\n", f, ename(errno));
	else printf("%s %o %d:%d\n", f, st.st_mode, (int)st.st_uid, (int)st.st_gid);
}
int main(void) {
	umask(022);
	close(open("a", O_CREAT | O_WRONLY, 0777));
	mode("a");
	printf("%o\n", umask(0777));
	close(open("b", O_CREAT | O_WRONLY, 0777));
	mode("b");
	umask(0);
	mkdir("d", 01777);
	mode("d");
	SHOW(chmod("a", 06755));
	mode("a");
	SHOW(chown("a", 100, 200));
	mode("a");
	SHOW(chown("a", -1, 300));
	mode("a");
	SHOW(chmod("a", 07777));
	mode("a");
	symlink("a", "l");
	SHOW(lchown("l", 5, 6));
	mode("l");
	mode("a");
	SHOW(mkfifo("p", 0644));
	mode("p");
	SHOW(mknod("n", S_IFREG | 0600, 0));
	mode("n");
	SHOW(mknod("z", S_IFDIR | 0600, 0));
	SHOW(chmod("missing", 0600));
	SHOW(access("a", X_OK));
	SHOW(access("n", X_OK));
	SHOW(access("n", W_OK));
	SHOW(access("n", 99));
	return 0;
}
