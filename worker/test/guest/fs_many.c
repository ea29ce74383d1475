// A directory of a thousand files: names, removal of every third, seeking in the listing, long names; a file in many pieces.
#include "guest.h"
#include <dirent.h>
static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
int main(void) {
	char name[300];
	mkdir("d", 0755);
	for (int i = 0; i < 1000; i++) {
		sprintf(name, "d/file-%04d-%.*s", i, i % 40, "0123456789012345678901234567890123456789");
		int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0) printf("%s: %s\n", name, ename(errno));
		write(fd, name, i % 60);
		close(fd);
	}
	for (int i = 0; i < 1000; i += 3) {
		sprintf(name, "d/file-%04d-%.*s", i, i % 40, "0123456789012345678901234567890123456789");
		if (unlink(name) < 0) printf("%s: %s\n", name, ename(errno));
	}
	memset(name, 'L', 257), memcpy(name, "d/", 2), name[257] = 0;
	SHOW(close(open(name, O_CREAT | O_WRONLY, 0600)));
	name[257] = 'L', name[258] = 0;
	SHOW(open(name, O_CREAT | O_WRONLY, 0600));
	char *names[2000];
	int n = 0;
	DIR *d = opendir("d");
	long middle = 0;
	for (struct dirent *e; (e = readdir(d));) {
		names[n++] = strdup(e->d_name);
		if (n == 300) middle = telldir(d);
	}
	printf("%d entries\n", n);
	seekdir(d, middle);
	struct dirent *e = readdir(d);
	printf("seek %d\n", e && !strcmp(e->d_name, names[300]));
	rewinddir(d);
	int again = 0;
	while (readdir(d)) again++;
	printf("again %d\n", again);
	closedir(d);
	qsort(names, n, sizeof *names, compare);
	unsigned h = 0, twice = 0;
	for (int i = 0; i < n; i++) {
		for (char *c = names[i]; *c; c++) h = h * 31 + *c;
		if (i) twice += !strcmp(names[i], names[i - 1]);
	}
	printf("%x twice %u\n", h, twice);
	unsigned long bytes = 0;
	for (int i = 0; i < n; i++) {
		struct stat st;
		sprintf(name, "d/%s", names[i]);
		if (lstat(name, &st) == 0 && S_ISREG(st.st_mode)) bytes += st.st_size;
	}
	printf("%lu bytes\n", bytes);
	SHOW(rmdir("d"));
	int fd = open("pieces", O_CREAT | O_RDWR | O_TRUNC, 0644);
	unsigned x = 1;
	static unsigned char block[3000];
	for (int i = 0; i < 300; i++) {
		x = x * 1103515245 + 12345;
		memset(block, i + 1, sizeof block);
		pwrite(fd, block, 1 + (x >> 20) % 2999, (x >> 4) % 4000000);
	}
	struct stat st;
	fstat(fd, &st);
	h = 0;
	long zeros = 0;
	for (off_t at = 0; at < st.st_size;) {
		int r = pread(fd, block, sizeof block, at);
		for (int i = 0; i < r; i++) h = h * 16777619 ^ block[i], zeros += !block[i];
		at += r;
	}
	printf("%ld %x %ld\n", (long)st.st_size, h, zeros);
	SHOW(ftruncate(fd, 1000000));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(unlink("pieces"));
	fstat(fd, &st);
	printf("links %ld\n", (long)st.st_nlink);
	return 0;
}
