// differ/families.h — what is played: one file for each.
#pragma once
void step_files(void), start_files(int actor);
void step_pipes(void), start_pipes(int actor);
void step_sockets(void), start_sockets(int actor);
void step_signals(void), start_signals(int actor);
void step_locks(void), start_locks(int actor);
void step_pointers(void), start_pointers(int actor);
void step_times(void), start_times(int actor);
void step_terminals(void), start_terminals(int actor);
void step_watches(void), start_watches(int actor);
void step_ipc(void), start_ipc(int actor);
