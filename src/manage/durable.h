/* Writing that is complete and on the disk when it says so. Each returns 0 or an errno value. */
#ifndef WITHIN_MANAGE_DURABLE_H
#define WITHIN_MANAGE_DURABLE_H

#include <stddef.h>

#include <within/macros.h>

/** Write all n bytes, going on after short writes and interruptions. */
WI_API int wi__write_all(int fd, const void *bytes, size_t n);
/** fsync, going on after interruptions. After a failure what was written must be discarded. */
WI_API int wi__sync(int fd);
/** fsync the folder that a path lies in, so that its name is on the disk too. */
int wi__sync_folder_of(const char *path);
/** Close: the descriptor is closed in any case, and its error told. */
int wi__close(int fd);

#endif
