/*
 * The cells of this process's record: one stretch of address space that never moves, backed by private
 * memory or by a file, and given out from its begin to its end.
 *
 * Pointers into it stay good through growth, through the move from memory into a file, and in a forked
 * child. Callers hold the record's lock.
 */
#ifndef WITHIN_RECORD_ARENA_H
#define WITHIN_RECORD_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include <within/macros.h>

#include "record/format.h"

/* Where cell 0 is; NULL before wi__arena_create, and for good if there is no memory. */
extern char *wi__arena __attribute__((visibility("hidden")));

static inline wi__header *wi__record_header(void) { return (wi__header *)wi__arena; }
static inline void *wi__cell(uint32_t cell) { return wi__arena + (uint64_t)cell * WI__CELL_BYTES; }
static inline wi__node *wi__node_at(uint32_t cell) { return (wi__node *)wi__cell(cell); }
static inline uint32_t wi__cell_of(const void *pointer) {
    return (uint32_t)(((const char *)pointer - wi__arena) / WI__CELL_BYTES);
}

/** Make an arena in private memory, with room for the header, zeroed. 0 if there is no memory. */
int wi__arena_create(void);
/** Give out zeroed cells; 0 if there are none. */
uint32_t wi__arena_allocate(uint32_t cells);
/**
 * Put a file that is open and claimed under the arena, and its contents into the file.
 * @return 0, or the errno value of what failed: the arena is as before.
 */
int wi__arena_move_to_file(int file, const char *path);
/**
 * In a forked child: back to private memory, the contents of the first `cells` kept, and no others given out.
 * The parent may have written into them since. 0 if there is no memory.
 */
int wi__arena_leave_file(uint32_t cells);
/** Is this cell in memory only, because the file could not grow? */
static inline int wi__arena_is_lost(uint32_t cell) {
    uint32_t file_cells = wi__record_header()->file_cells;
    return file_cells && cell >= file_cells;
}
/** The file's absolute path, or NULL. */
const char *wi__arena_path(void);
/** Nobody asked for the file: from now on it is not said that it was deleted. From any thread. */
WI_API void wi__arena_file_may_go(void);
/** At the end: say so if the path no longer leads to the file, and nobody has said it. */
void wi__arena_check_file(void);

#endif
