// visited: has a word in its memory and looks at it every second, until somebody else has changed it
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile char word[16] = "untouched";

int main(void) {
	printf("my word is \"%s\", at %p; I look at it every second\n", (char *)word, (void *)word);
	for (int i = 0; i < 3600; i++) {
		sleep(1);
		if (strcmp((char *)word, "untouched")) {
			printf("somebody wrote \"%.15s\" into my memory; nobody asked me\n", (char *)word);
			return 0;
		}
	}
	return 1;
}
