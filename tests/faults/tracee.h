/* The inside of a traced thread that has stopped: its memory, its registers, where its descriptors lead. */
#ifndef WITHIN_FAULTS_TRACEE_H
#define WITHIN_FAULTS_TRACEE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Copy size bytes at an address of the thread; false if they are not all there. */
bool tracee_read(pid_t tid, uint64_t address, void *bytes, size_t size);

/** Overwrite memory of the thread, be it read-only to the thread itself. */
void tracee_write(pid_t tid, uint64_t address, const void *bytes, size_t size);

/** Copy a text that ends within PATH_MAX bytes; false if it does not, or is not there. */
bool tracee_read_text(pid_t tid, uint64_t address, char text[PATH_MAX]);

/** Where a descriptor leads; AT_FDCWD is the working folder. False if it is closed. */
bool tracee_descriptor(pid_t tid, int descriptor, char path[PATH_MAX]);

/** At the start of a call: the kernel shall not run it. Its result is to be set at its end. */
void tracee_skip_call(pid_t tid);

/** An argument of the call, 0 to 5. Programs count on finding it unchanged after the call. */
void tracee_set_argument(pid_t tid, int argument, uint64_t value);

/** At the end of a call: what it returns; -errno for an error. */
void tracee_set_result(pid_t tid, int64_t result);

#endif
