/* The executable without SQLite: within-runs has runs in databases. */
#include "cli/elsewhere.h"
#include "cli/named_run.h"

int wi__as_named_run(const char *name, const char *database, char **words, int (*work)(void *arg),
                     void *arg) {
    static const wi__elsewhere runner = {"run --name", "", "within-runs", "SQLite"};
    (void)name, (void)database, (void)words, (void)work, (void)arg;
    wi__go_elsewhere(&runner, wi__typed_words);
    return -1;
}

void wi__named_run_ended(int wait_status) { (void)wait_status; }
void wi__named_run_measured(const wi__profile *profile) { (void)profile; }
