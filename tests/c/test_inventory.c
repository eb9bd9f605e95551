/* Inventories: what there is more of is named, the largest first, and nothing else is. */
#include <dlfcn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "manage/inventory.h"
#include "manage/system_counters.h"
#include "process_helpers.h"

static char text[1000];

/* What there is more of after `change`. */
static const char *explained(const wi__counter *counter, void (*change)(void)) {
    wi__inventory *inventory = wi__inventory_new(counter);
    wi__inventory_begin(inventory);
    change();
    wi__inventory_end(inventory);
    wi__inventory_text(inventory, text, sizeof text);
    wi__inventory_free(inventory);
    return text;
}

static void nothing(void) {}

/* ---- descriptors ---- */

static void open_some(void) {
    int ends[2];
    for (int i = 0; i < 3; i++) expect(open("part,1.csv", O_RDWR | O_CREAT, 0600) >= 0);
    expect(open("/dev/null", O_RDONLY) >= 0 && open("/dev/null", O_RDONLY) >= 0);
    expect(pipe(ends) == 0 && pipe(ends) == 0);
    expect(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

alone(descriptors_are_named_by_their_paths) {
    expect_text(explained(&wi__descriptor_counter, nothing), "");
    expect_text(explained(&wi__descriptor_counter, open_some),
                "descriptors: +4 pipe\ndescriptors: +3 part,1.csv\ndescriptors: +2 /dev/null\n"
                "descriptors: +1 socket");
}

static void open_event(void) { expect(eventfd(0, 0) >= 0); }

alone(descriptors_without_a_path_are_named_by_their_kind) {
    expect_that(
        strncmp(explained(&wi__descriptor_counter, open_event), "descriptors: +1 eventfd", 23) == 0,
        WHERE, "said: %s", text);
}

static void close_two(void) {
    close(8);
    close(9);
    expect(open("/dev/zero", O_RDONLY) >= 0);
}

alone(what_was_closed_is_not_named) {
    for (int i = 8; i < 10; i++) expect(dup2(open("/dev/null", O_RDONLY), i) == i);
    expect_text(explained(&wi__descriptor_counter, close_two), "descriptors: +1 /dev/zero");
}

/* ---- threads ---- */

static void *sleep_for_ever(void *unused) {
    (void)unused;
    pause();
    return NULL;
}

static void start_loaders(void) {
    char name[16];
    for (int i = 8; i < 12; i++) {
        snprintf(name, sizeof name, "loader-%d", i);
        pthread_setname_np(start(sleep_for_ever, NULL), name);
    }
    start(sleep_for_ever, NULL);
}

alone(threads_are_named_without_their_numbers) {
    if (UNDER_TSAN) return; /* it starts threads as it likes */
    pthread_setname_np(pthread_self(), "sim3");
    expect_text(explained(&wi__thread_counter, start_loaders),
                "threads: +4 loader-N\nthreads: +1 sim3");
}

/* ---- memory ---- */

enum { MEGABYTES = 8, BYTES = MEGABYTES << 20 };

/* The megabytes of a line that begins like this; 0 if there is none. */
static double megabytes_of(const char *begin) {
    double megabytes = 0;
    const char *line = strstr(text, begin);
    if (line) sscanf(line + strlen(begin), "%lf MB", &megabytes);
    return megabytes;
}

static char *blocks[BYTES / 4096];

static void allocate(void) {
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        blocks[i] = malloc(4096);
        memset(blocks[i], 1, 4096);
    }
}

alone(memory_is_named_by_mapping_and_by_the_allocators_figures) {
    explained(&wi__memory_counter, allocate);
    if (UNDER_SANITIZER) return; /* its memory is not the C library's */
    expect_near(megabytes_of("mappings: +") * 1e6, BYTES, 0.1 * BYTES);
    expect_that(strstr(text, " [heap]") != NULL, WHERE, "said: %s", text);
    expect_near(megabytes_of("allocator: +") * 1e6, BYTES, 0.1 * BYTES);
    expect_that(strstr(text, " MB in use") != NULL, WHERE, "said: %s", text);
}

static void map_file(void) {
    int file = open("table.bin", O_RDWR | O_CREAT, 0600);
    expect(ftruncate(file, BYTES) == 0);
    char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    expect(memory != MAP_FAILED);
    memset(memory, 1, BYTES);
    memory = mmap(NULL, BYTES / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, BYTES / 2);
}

alone(mapped_files_are_named_and_what_is_no_files_is_anonymous) {
    if (UNDER_SANITIZER) return;
    explained(&wi__memory_counter, map_file);
    const char *file = strstr(text, "mappings: +8.4 MB /"), *name = strstr(text, "/table.bin\n");
    expect_that(file && name && file < name, WHERE, "said: %s", text);
    expect_that(strstr(text, " anonymous") > name, WHERE, "said: %s", text);
}

/* An inventory is as large as it ever gets before it begins. */
alone(an_inventory_is_not_in_itself) {
    if (UNDER_SANITIZER) return;
    explained(&wi__memory_counter, nothing);
    double kilobytes = 0; /* that the C library keeps of what was freed */
    const char *first = strstr(text, ": +");
    if (first) sscanf(first, ": +%lf kB", &kilobytes);
    expect_that(!strstr(text, " MB ") && kilobytes < 64, WHERE, "said: %s", text);
}

/* ---- HDF5 ---- */

static void *hdf5;
static void make_file(void) {
    int64_t (*create)(const char *, unsigned, int64_t, int64_t) =
        (int64_t (*)(const char *, unsigned, int64_t, int64_t))dlsym(hdf5, "H5Fcreate");
    expect(create("a.h5", 2, 0, 0) >= 0);
}

alone(handles_are_named_by_their_kind) {
    static const char *const names[] = {"libhdf5_serial.so.103", "libhdf5.so", "libhdf5.so.310",
                                        "libhdf5.so.200", "libhdf5.so.103"};
    for (size_t i = 0; i < sizeof names / sizeof *names && !hdf5; i++)
        hdf5 = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    expect_text(explained(&wi__hdf5_handle_counter, nothing), "");
    if (hdf5 && !UNDER_TSAN) /* which has a thread of its own */
        expect_text(explained(&wi__hdf5_handle_counter, make_file), "HDF5 handles: +1 files");
}

/* ---- what is written ---- */

static void (*list_at_end)(wi__inventory *inventory);
static int takes, refused_take;

static int take_probe(wi__inventory *inventory) {
    takes++;
    if (takes % 2 == 0 && list_at_end) list_at_end(inventory);
    return takes != refused_take;
}

static const wi__listing probe = {
    .title = "probe",
    .counters = (const char *const[]){"things", NULL},
    .take = take_probe,
};
static const wi__counter things = {.one = "thing", .many = "things"};
static const wi__counter bytes = {.one = "things", .many = "things", .is_bytes = 1};

static const char *listed(const wi__counter *counter, void (*list)(wi__inventory *)) {
    wi__listing_add(&probe);
    takes = 0;
    list_at_end = list;
    return explained(counter, nothing);
}

static void list_letters(wi__inventory *inventory) {
    for (int i = 0; i < 12; i++)
        wi__inventory_count(inventory, (char[]){(char)('a' + i), '\0'}, i < 8 ? 10 + i : 1 - i,
                            100 - i);
}

static void list_shares(wi__inventory *inventory) {
    wi__inventory_count(inventory, "large", 1000, 8000);
    wi__inventory_count(inventory, "large", 1000, 8000000);
    wi__inventory_count(inventory, "bytes only", 0, 500000);
    wi__inventory_count(inventory, "many small ones", 99, 4000);
}

alone(the_five_largest_are_written_and_how_many_more) {
    expect_text(listed(&things, list_letters),
                "probe: +17 h\nprobe: +16 g\nprobe: +15 f\nprobe: +14 e\n"
                "probe: +13 d\nprobe: and 3 more");
    expect_text(listed(&things, list_shares), "probe: +2,000 large");
    expect_text(listed(&bytes, list_shares),
                "probe: +8.0 MB in 2,000 large\nprobe: +500.0 kB bytes only");
}

static void list_names(wi__inventory *inventory) {
    char name[600];
    memset(name, '/', sizeof name);
    strcpy(name + 500, "data/part.csv");
    wi__inventory_count(inventory, name, 3, 0);
    wi__inventory_count(inventory, "two\nlines\x1b[1m", 2, 0);
    wi__inventory_count_alike(inventory, "worker-12 of 300");
    wi__inventory_count_alike(inventory, "worker-9 of 7");
}

alone(names_are_shortened_and_cannot_move_a_cursor) {
    listed(&things, list_names);
    expect_that(strncmp(text, "probe: +3 …////", 17) == 0 && strstr(text, "/data/part.csv\n"),
                WHERE, "said: %s", text);
    expect(strcspn(text, "\n") < 140);
    expect_that(strstr(text, "probe: +2 two?lines?[1m") && strstr(text, "probe: +2 worker-N of N"),
                WHERE, "said: %s", text);
}

static void list_very_many(wi__inventory *inventory) {
    char name[100];
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "%090d", i);
        wi__inventory_count(inventory, name, i == 7 ? 90 : 1, 0);
    }
}

alone(names_that_find_no_room_are_left_out) {
    listed(&things, list_very_many);
    expect_that(strncmp(text, "probe: +90 0", 12) == 0 && strchr(text, '\n') == NULL, WHERE,
                "said: %s", text);
}

alone(lines_that_find_no_room_are_left_out) {
    wi__listing_add(&probe);
    list_at_end = list_letters;
    wi__inventory *inventory = wi__inventory_new(&things);
    wi__inventory_begin(inventory);
    wi__inventory_end(inventory);
    wi__inventory_text(inventory, text, 30);
    expect_text(text, "probe: +17 h\nprobe: +16 g");
    wi__inventory_free(inventory);
}

/* Else all there is would be more than before. */
alone(what_could_be_listed_only_once_is_left_out) {
    refused_take = 1;
    expect_text(listed(&things, list_letters), "");
    refused_take = 2;
    expect_text(listed(&things, list_letters), "");
    refused_take = 0;
}

static void *listed_in_thread(void *unused) {
    (void)unused;
    for (int i = 0; i < 20; i++) {
        wi__inventory *inventory = wi__inventory_new(&wi__descriptor_counter);
        wi__inventory_begin(inventory);
        wi__inventory_end(inventory);
        wi__inventory_free(inventory);
    }
    return NULL;
}

alone(threads_take_inventories_at_the_same_time) {
    pthread_t others[4];
    for (int i = 0; i < 4; i++) others[i] = start(listed_in_thread, NULL);
    for (int i = 0; i < 20; i++) wi__counters_read(WI__ALL_COUNTERS);
    for (int i = 0; i < 4; i++) pthread_join(others[i], NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(descriptors_are_named_by_their_paths),
        test(descriptors_without_a_path_are_named_by_their_kind),
        test(what_was_closed_is_not_named),
        test(threads_are_named_without_their_numbers),
        test(memory_is_named_by_mapping_and_by_the_allocators_figures),
        test(mapped_files_are_named_and_what_is_no_files_is_anonymous),
        test(an_inventory_is_not_in_itself),
        test(handles_are_named_by_their_kind),
        test(the_five_largest_are_written_and_how_many_more),
        test(names_are_shortened_and_cannot_move_a_cursor),
        test(names_that_find_no_room_are_left_out),
        test(lines_that_find_no_room_are_left_out),
        test(what_could_be_listed_only_once_is_left_out),
        test(threads_take_inventories_at_the_same_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
