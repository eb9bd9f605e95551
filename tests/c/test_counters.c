/* Counters: right while they can be read, absent while they cannot. */
#include <dlfcn.h>
#include <sys/resource.h>

#include "manage/system_counters.h"
#include "process_helpers.h"

enum { THREADS, RESIDENT, HDF5_HANDLES, GPU_MEMORY, DESCRIPTORS, ADDED };

/* The thread sanitizer has a thread of its own, and takes memory for each byte. */
enum { OWN_THREADS = 1 + UNDER_TSAN };

static int64_t level(int counter) { return wi__counters_read(WI__ALL_COUNTERS).of[counter]; }

alone(descriptors_are_counted) {
    int64_t before = level(DESCRIPTORS);
    int files[3];
    for (int i = 0; i < 3; i++) files[i] = open("/dev/null", O_RDONLY);
    expect_count(level(DESCRIPTORS) - before, 3);
    close(files[0]);
    expect_count(level(DESCRIPTORS) - before, 2);
}

/* Kernels before 6.2 do not tell the number. */
alone(descriptors_are_counted_one_by_one_where_the_kernel_does_not_tell) {
    level(DESCRIPTORS);
    int entries = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int64_t before = wi__count_entries(entries);
    for (int i = 0; i < 500; i++) open("/dev/null", O_RDONLY);
    expect_count(wi__count_entries(entries) - before, 500);
    expect_count(wi__count_entries(entries), level(DESCRIPTORS));
    expect(wi__count_entries(-1) == WI__ABSENT);
}

static void *wait_for_byte(void *pipe) {
    char byte;
    return read(*(int *)pipe, &byte, 1) == 1 ? pipe : NULL;
}

alone(threads_are_counted) {
    if (UNDER_TSAN) return; /* it starts threads as it likes */
    int ends[2];
    expect(pipe(ends) == 0);
    expect_count(level(THREADS), OWN_THREADS);
    pthread_t other = start(wait_for_byte, &ends[0]);
    expect_count(level(THREADS), OWN_THREADS + 1);
    expect(write(ends[1], "x", 1) == 1);
    pthread_join(other, NULL);
    wait_for_threads(OWN_THREADS);
    expect_count(level(THREADS), OWN_THREADS);
}

alone(resident_memory_is_in_bytes) {
    enum { BYTES = 64 << 20 };
    int64_t before = level(RESIDENT);
    volatile char *memory = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i += 512) memory[i] = 1;
    int64_t growth = level(RESIDENT) - before;
    expect_near(growth, BYTES, UNDER_TSAN ? 3 * (double)BYTES : BYTES / 4);
    free((void *)memory);
}

alone(a_kept_descriptor_is_not_inherited_by_exec) {
    char inherited[200];
    for (int fd = 3; fd < 200; fd++) inherited[fd] = fcntl(fd, F_GETFD) >= 0;
    level(DESCRIPTORS);
    int kept = 0;
    for (int fd = 3; fd < 200; fd++) {
        int flags = inherited[fd] ? -1 : fcntl(fd, F_GETFD);
        expect(flags < 0 || flags & FD_CLOEXEC);
        kept += flags >= 0;
    }
    expect_count(kept, 3);
}

/* As daemons do. */
alone(a_program_may_close_all_descriptors) {
    level(DESCRIPTORS);
    for (int fd = 3; fd < 200; fd++) close(fd);
    int64_t before = level(DESCRIPTORS);
    open("/dev/null", O_RDONLY);
    expect_count(level(DESCRIPTORS) - before, 1);
    expect(level(THREADS) == OWN_THREADS && level(RESIDENT) > 0);
}

/* The numbers of the kept descriptors become those of files of the program's: these are left alone. */
alone(a_number_may_be_used_again) {
    int64_t before = level(DESCRIPTORS);
    char kept[200] = {0};
    for (int fd = 3; fd < 200; fd++) kept[fd] = close(fd) == 0;
    int zero = open("/dev/zero", O_RDONLY);
    for (int fd = 4; fd < 200; fd++)
        if (kept[fd]) expect(dup2(zero, fd) == fd);
    int64_t reused = level(DESCRIPTORS);
    expect(reused > before && level(THREADS) == OWN_THREADS && level(RESIDENT) > 0);
    for (int fd = 4; fd < 200; fd++) {
        char byte = 1;
        if (kept[fd]) expect(read(fd, &byte, 1) == 1 && byte == 0);
    }
}

alone(a_forked_child_counts_its_own) {
    level(DESCRIPTORS);
    pid_t child = fork();
    if (child == 0) {
        int64_t before = level(DESCRIPTORS);
        for (int i = 0; i < 5; i++) open("/dev/null", O_RDONLY);
        _exit(level(DESCRIPTORS) - before == 5 ? 0 : 1);
    }
    int64_t before = level(DESCRIPTORS);
    int status = -1;
    waitpid(child, &status, 0);
    expect_count(status, 0);
    expect_count(level(DESCRIPTORS), before);
}

static void *count_for_ever(void *ends) {
    while (!__atomic_load_n((int *)ends, __ATOMIC_RELAXED)) wi__counters_read(WI__ALL_COUNTERS);
    return NULL;
}

alone(a_fork_while_another_thread_counts_leaves_a_child_that_can) {
    int ends = 0;
    pthread_t other = start(count_for_ever, &ends);
    for (int i = 0; i < 200; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) _exit(level(DESCRIPTORS) > 0 && level(THREADS) == 1 ? 0 : 1);
        waitpid(child, &status, 0);
        expect_count(status, 0);
    }
    __atomic_store_n(&ends, 1, __ATOMIC_RELAXED);
    pthread_join(other, NULL);
}

alone(without_a_free_descriptor_counters_are_absent_and_come_back) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rlimit none = {3, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    errno = 7;
    wi__levels levels = wi__counters_read(WI__ALL_COUNTERS);
    expect_count(errno, 7);
    expect(levels.of[DESCRIPTORS] == WI__ABSENT && levels.of[THREADS] == WI__ABSENT &&
           levels.of[RESIDENT] == WI__ABSENT);
    setrlimit(RLIMIT_NOFILE, &limit);
    expect(level(DESCRIPTORS) > 2 && level(RESIDENT) > 0);
}

alone(without_proc_counters_are_absent) {
    if (chroot(".") != 0) return; /* who may not is tested above */
    wi__levels levels = wi__counters_read(WI__ALL_COUNTERS);
    expect(levels.of[DESCRIPTORS] == WI__ABSENT && levels.of[THREADS] == WI__ABSENT &&
           levels.of[RESIDENT] == WI__ABSENT);
    _exit(0); /* before sanitizers ask for /proc */
}

/* ---- added ones ---- */

static int64_t read_seven(void) { return 7; }
static int64_t read_eight(void) { return 8; }
static const wi__counter seven = {.one = "orb", .many = "orbs", .read = read_seven};
static const wi__counter eight = {.one = "orb", .many = "orbs", .read = read_eight};

alone(a_counter_is_added_once_for_its_name) {
    expect(level(ADDED) == WI__ABSENT && !wi__counter_at(ADDED));
    expect_count(wi__counter_add(&seven), ADDED);
    expect_count(level(ADDED), 7);
    expect_count(wi__counter_add(&eight), ADDED);
    expect_count(level(ADDED), 8);
    expect(wi__counter_at(ADDED) == &eight && !wi__counter_at(WI__COUNTERS));
}

alone(a_full_table_takes_no_more) {
    static wi__counter others[WI__COUNTERS];
    static char names[WI__COUNTERS][16];
    for (int i = 0; i < WI__COUNTERS; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        others[i] = (wi__counter){.many = names[i], .read = read_seven};
        expect_count(wi__counter_add(&others[i]), ADDED + i < WI__COUNTERS ? ADDED + i : -1);
    }
}

/* ---- HDF5 ---- */

typedef int64_t (*create_function)(const char *path, unsigned flags, int64_t create,
                                   int64_t access);

static void *loaded_hdf5(void) {
    static const char *const names[] = {"libhdf5_serial.so.103", "libhdf5.so", "libhdf5.so.310",
                                        "libhdf5.so.200", "libhdf5.so.103"};
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return library;
}

alone(handles_are_counted_of_an_hdf5_that_is_loaded_later) {
    expect(level(HDF5_HANDLES) == WI__ABSENT);
    void *library = loaded_hdf5();
    if (!library) return;
    expect_count(level(HDF5_HANDLES), 0);
    create_function create = (create_function)dlsym(library, "H5Fcreate");
    expect(create("a.h5", 2, 0, 0) >= 0);
    expect_count(level(HDF5_HANDLES), 1);
}

/* ---- limits ---- */

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    expect(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int64_t limit_in(const char *lines, const char *controller) {
    write_file("cgroup", lines);
    return wi__limit_of_cgroups("fs", "cgroup", controller);
}

static void make_groups(void) {
    static const char *const folders[] = {"fs", "fs/jobs", "fs/jobs/7", "fs/memory",
                                          "fs/memory/jobs"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) mkdir(folders[i], 0700);
    write_file("fs/jobs/memory.max", "1000\n");
    write_file("fs/jobs/7/memory.max", "max\n");
    write_file("fs/jobs/7/pids.max", "50\n");
    write_file("fs/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write_file("fs/memory/jobs/memory.limit_in_bytes", "2000\n");
}

alone(a_group_is_bound_by_those_above_it) {
    make_groups();
    expect_count(limit_in("0::/jobs/7\n", "memory"), 1000);
    expect_count(limit_in("0::/jobs/7\n", "pids"), 50);
    expect(limit_in("0::/jobs\n", "pids") == WI__ABSENT);
    expect(limit_in("0::/\n", "memory") == WI__ABSENT);
}

alone(groups_of_version_1_are_found_too) {
    make_groups();
    expect_count(limit_in("5:cpu,cpuacct:/jobs\n4:memory:/jobs\n0::/\n", "memory"), 2000);
    expect(limit_in("4:memory:/\n", "memory") == WI__ABSENT);
    expect_count(limit_in("4:memory:/gone/jobs\n3:memory:/jobs\n", "memory"), 2000);
    expect(limit_in("", "memory") == WI__ABSENT &&
           limit_in("nonsense\n4:memory\n", "memory") == WI__ABSENT);
    remove("cgroup");
    expect(wi__limit_of_cgroups("fs", "cgroup", "memory") == WI__ABSENT);
}

alone(limits_are_those_of_this_process) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 99;
    setrlimit(RLIMIT_NOFILE, &limit);
    expect_count(wi__limit_of_descriptors(), 99);
    int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    expect(wi__limit_of_memory() > 1 << 20 && wi__limit_of_memory() <= machine);
    expect(wi__limit_of_threads() > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(descriptors_are_counted),
        test(descriptors_are_counted_one_by_one_where_the_kernel_does_not_tell),
        test(threads_are_counted),
        test(resident_memory_is_in_bytes),
        test(a_kept_descriptor_is_not_inherited_by_exec),
        test(a_program_may_close_all_descriptors),
        test(a_number_may_be_used_again),
        test(a_forked_child_counts_its_own),
        test(a_fork_while_another_thread_counts_leaves_a_child_that_can),
        test(without_a_free_descriptor_counters_are_absent_and_come_back),
        test(without_proc_counters_are_absent),
        test(a_counter_is_added_once_for_its_name),
        test(a_full_table_takes_no_more),
        test(handles_are_counted_of_an_hdf5_that_is_loaded_later),
        test(a_group_is_bound_by_those_above_it),
        test(groups_of_version_1_are_found_too),
        test(limits_are_those_of_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
