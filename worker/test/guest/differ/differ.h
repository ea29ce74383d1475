// differ/differ.h — what the families share: dice, the line that is being written, names for what a kernel may number as it likes.
#pragma once
#include "../guest.h"
#include <stdarg.h>
#include <stdbool.h>

/** Where the control pipe of an actor is; what the families play with is below. */
enum { CONTROL = 100, WAKE = 64, ACTORS = 3 };

// dice.c
extern uint32_t dice;
uint32_t below(uint32_t n);
/** One in n. */
static inline bool seldom(uint32_t n) { return below(n) == 0; }
#define PICK(array) ((array)[below(sizeof(array) / sizeof *(array))])
/** One of the numbers given. */
#define ONE(...) ({ static const long one_[] = {__VA_ARGS__}; one_[below(sizeof one_ / sizeof *one_)]; })
/** Each of the bits given with a chance of one in n. */
#define SOME(n, ...) ({ static const long bit_[] = {__VA_ARGS__}; long all_ = 0; for (unsigned i_ = 0; i_ < sizeof bit_ / sizeof *bit_; i_++) if (seldom(n)) all_ |= bit_[i_]; all_; })
/** One of the texts given. */
#define WORD(...) ({ static const char *const word_[] = {__VA_ARGS__}; word_[below(sizeof word_ / sizeof *word_)]; })

// log.c
/** Appends to the line of this step. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Appends a call's result: a number, or the errno's name. Gives it back. */
long told(long result);
/** The same for results that are numbered as the kernel likes: ok. */
long went(long result);
/** Appends bytes as text; more than 40 as a sum. */
void say_bytes(const void *data, long n);
/** A small number for a big one that only the kernel knows (inode, process, device...), the same each time. */
int handle(char kind, uint64_t value);
/** A time: exact if it is one that we set, "now" otherwise. */
void say_time(const char *name, struct timespec t);
/** struct stat, as far as it is the same on every Linux. */
void say_stat(const struct stat *st);
extern char line[1 << 16];
extern size_t line_length;
void say_status(int status);
void say_siginfo(const siginfo_t *info);

/** The number of a descriptor that may be open. */
int any_fd(void);
/** A path relative to the folder of the sequence; in a ring of buffers. */
const char *any_path(void);
/** For the log: long names and bad pointers cut. */
const char *shown(const char *path);

#define sys(...) told(syscall(__VA_ARGS__))

struct family {
	const char *name;
	int actors;
	/** one call or a few */
	void (*step)(void);
	/** in each actor before its first step; may be 0 */
	void (*start)(int actor);
	/** the folder's contents are shown in the end, and time stamps between calls */
	bool files;
};
extern const struct family families[];
extern int self; // which actor
extern char folder[256];
/** Starts this program as `child WHAT`, which does one thing; its pid. */
pid_t spawn(const char *what);
/** What such a child does; does not return. */
void child(const char *what);
