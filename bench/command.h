/* Running a whole command, as the sides that measure one do. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

/** Run a program to its end, without its output. The process ends with status 1 if it fails. */
void run_command(const char *program, const char *const *arguments);

#endif
