/* The counters that every process has, and the limits that they run into. */
#ifndef WITHIN_MANAGE_SYSTEM_COUNTERS_H
#define WITHIN_MANAGE_SYSTEM_COUNTERS_H

#include "manage/counters.h"

extern const wi__counter wi__descriptor_counter;
extern const wi__counter wi__thread_counter;
extern const wi__counter wi__memory_counter;
extern const wi__counter wi__hdf5_handle_counter;

/** Call `each` for the entries of an open folder that do not begin with "."; takes no memory. @return 0 if it cannot
 *  be read to its end. */
int wi__each_entry(int folder, void (*each)(const char *name, void *arg), void *arg);
/** Entries of an open folder, "." and ".." excepted, read one by one; WI__ABSENT if it cannot be read. */
int64_t wi__count_entries(int folder);

/** Soft limit of open descriptors. */
int64_t wi__limit_of_descriptors(void);
/** The least of what the control group, the user and the kernel allow. */
int64_t wi__limit_of_threads(void);
/** Bytes: the least of what the control groups allow, or what the machine has. */
int64_t wi__limit_of_memory(void);

/** The least limit that the control groups of this process, as /proc/self/cgroup lists them, set in the files below
 *  `mount`; WI__ABSENT if none does. For "memory" it reads memory.max and memory.limit_in_bytes, for "pids" pids.max. */
int64_t wi__limit_of_cgroups(const char *mount, const char *cgroups, const char *controller);

#endif
