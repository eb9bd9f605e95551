/* Finding runs by words. */
#include "cli/push/chosen.h"

#include <stdlib.h>

#include "cli/runs/database.h"

static int compare_ids(const void *left, const void *right) {
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

void wi__choose(wi_database *db, char **words, wi__chosen *chosen) {
    size_t most = 0, count = 0;
    while (words[most]) most++;
    chosen->ids = wi_check_null(calloc(most + 1, sizeof *chosen->ids), "a list of runs");
    for (; *words; words++) chosen->ids[count++] = wi__run_meant(db->handle, *words);
    qsort(chosen->ids, count, sizeof *chosen->ids, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || chosen->ids[i] != chosen->ids[i - 1])
            chosen->ids[chosen->count++] = chosen->ids[i];
}

void wi__chosen_release(wi__chosen *chosen) {
    free(chosen->ids);
    chosen->ids = NULL;
}
