/* Finding runs by words. */
#include "cli/push/chosen.h"

#include <stdlib.h>

#include "cli/push/query.h"

static int64_t run_of(wi_database *db, const char *word) {
    int64_t id = 0;
    within (s, wi__push_query(
                   db, "SELECT id FROM run WHERE ?1 = 'last' OR name = ?1 OR"
                       " (length(?1) >= 4 AND substr(uuid, 1, length(?1)) = lower(?1))"
                       " ORDER BY ?1 <> 'last' AND name = ?1, started_ms DESC, id DESC LIMIT 1")) {
        wi__push_bind_text(s->handle, 1, word);
        if (!wi__push_next(db, s->handle))
            wi_raise(WI_VALUE_ERROR, "%s: no run has the name or id \"%s\"", db->path, word);
        id = sqlite3_column_int64(s->handle, 0);
    }
    return id;
}

static int compare_ids(const void *left, const void *right) {
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

void wi__choose(wi_database *db, char **words, wi__chosen *chosen) {
    size_t most = 0, count = 0;
    while (words[most]) most++;
    chosen->ids = wi_check_null(calloc(most + 1, sizeof *chosen->ids), "a list of runs");
    for (; *words; words++) chosen->ids[count++] = run_of(db, *words);
    qsort(chosen->ids, count, sizeof *chosen->ids, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || chosen->ids[i] != chosen->ids[i - 1])
            chosen->ids[chosen->count++] = chosen->ids[i];
}

void wi__chosen_release(wi__chosen *chosen) {
    free(chosen->ids);
    chosen->ids = NULL;
}
