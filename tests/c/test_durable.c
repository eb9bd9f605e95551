/* Writing that goes on after short writes, and says what failed. */
#include "record_helpers.h"

#include "manage/durable.h"

/* A pipe takes what its reader makes room for: every write is short. */
static void *read_slowly(void *file) {
    char bytes[1000];
    size_t total = 0;
    for (ssize_t got; (got = read(*(int *)file, bytes, sizeof bytes)) > 0;) total += (size_t)got;
    return (void *)total;
}

alone(all_is_written_however_short_the_writes) {
    enum { BYTES = 1 << 20 };
    static char bytes[BYTES];
    int ends[2];
    void *total = NULL;
    expect(pipe(ends) == 0);
    pthread_t reader = start(read_slowly, &ends[0]);
    expect_count(wi__write_all(ends[1], bytes, BYTES), 0);
    expect_count(wi__close(ends[1]), 0);
    pthread_join(reader, &total);
    expect_count((size_t)total, BYTES);
}

alone(what_fails_is_told) {
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    expect_count(wi__write_all(full, "a", 1), ENOSPC);
    expect_count(wi__write_all(full, "a", 0), 0);
    expect_count(wi__close(full), 0);
    expect_count(wi__close(full), EBADF);
    expect_count(wi__sync(full), EBADF);
}

alone(a_folder_is_synced_by_the_name_of_what_lies_in_it) {
    expect_count(wi__sync_folder_of("a"), 0);
    expect_count(wi__sync_folder_of("/tmp/a"), 0);
    expect_count(wi__sync_folder_of("missing/a"), ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(all_is_written_however_short_the_writes),
        test(what_fails_is_told),
        test(a_folder_is_synced_by_the_name_of_what_lies_in_it),
    };
    return cmocka_run_group_tests_name("durable", tests, NULL, NULL);
}
