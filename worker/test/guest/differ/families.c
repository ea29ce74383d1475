// differ/families.c — the list.
#include "differ.h"
#include "families.h"

const struct family families[] = {
	{"files", 2, step_files, start_files, true},
	{"pipes", 2, step_pipes, start_pipes, false},
	{"sockets", 2, step_sockets, start_sockets, false},
	{"signals", 2, step_signals, start_signals, false},
	{"locks", 3, step_locks, start_locks, false},
	{"pointers", 1, step_pointers, start_pointers, false},
	{"times", 1, step_times, start_times, false},
	{"terminals", 1, step_terminals, start_terminals, false},
	{"watches", 2, step_watches, start_watches, true},
	{"ipc", 2, step_ipc, start_ipc, false},
	{0},
};
