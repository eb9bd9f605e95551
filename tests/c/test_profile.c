/* From a record's bytes to a profile: what a reader is told of a process that lives, died, or left damage. */
#include "record_helpers.h"

#include "record/arena.h"
#include "record/reader.h"
#include "record/tree.h"

/* The bytes of a record, to be damaged: links are followed as the reader does. */
typedef struct image {
    char *bytes;
    size_t length;
} image;

static image image_of(const char *path) {
    image read = {NULL, (size_t)size_of(path)};
    FILE *file = fopen(path, "r");
    expect(file && posix_memalign((void **)&read.bytes, WI__CELL_BYTES, read.length) == 0);
    expect(fread(read.bytes, 1, read.length, file) == read.length);
    fclose(file);
    return read;
}

static wi__header *header_of(const image *in) { return (wi__header *)in->bytes; }
static void *cell_of(const image *in, uint32_t cell) {
    return in->bytes + (size_t)cell * WI__CELL_BYTES;
}
static wi__region *region_of(const image *in) { return cell_of(in, header_of(in)->first_region); }
static wi__node *root_of(const image *in) { return cell_of(in, region_of(in)->root); }

/* The root's children are "(other)", then what was measured, in its order. */
static wi__node *child_of(const image *in, const wi__node *parent, int number) {
    uint32_t cell = parent->first_child;
    while (number-- && cell) cell = ((wi__node *)cell_of(in, cell))->next_sibling;
    expect(cell != 0);
    return cell_of(in, cell);
}

static wi__profile profile_of(const image *in) {
    wi__profile profile;
    char why[256];
    int read = wi__profile_of_bytes(in->bytes, in->length, &profile, why, sizeof why);
    expect_that(read, WHERE, "%s", why);
    return profile;
}

static void measure_three(void) {
    wi_record_open("record");
    within (wi_section("a")) measure("inside");
    measure("b");
    measure("c");
    raise(SIGKILL);
}

static image three(void) {
    expect_count(status_of(measure_three), SIGKILL);
    return image_of("record");
}

static void expect_left(image *in, const char *paths, uint32_t damaged) {
    wi__profile profile = profile_of(in);
    expect_text(paths_of(&profile), paths);
    expect_count(profile.damaged, damaged);
    wi__profile_release(&profile);
    free(in->bytes);
}

/* ---- damage costs what it touches, and no more ---- */

alone(a_whole_record_has_no_damage) {
    image in = three();
    expect_left(&in, "a, b, c, a > inside", 0);
}

alone(a_link_to_nowhere_ends_the_list) {
    image in = three();
    child_of(&in, root_of(&in), 2)->next_sibling = header_of(&in)->used_cells + 7;
    expect_left(&in, "a, b, a > inside", 1);
}

alone(a_link_back_is_cut) {
    image in = three();
    child_of(&in, root_of(&in), 3)->first_child = region_of(&in)->root;
    expect_left(&in, "a, b, c, a > inside", 1);
}

alone(nodes_that_overlap_are_read_once) {
    image in = three();
    child_of(&in, root_of(&in), 2)->next_sibling = root_of(&in)->first_child + 3;
    expect_left(&in, "a, b, a > inside", 1);
}

alone(regions_in_a_circle_are_read_once) {
    image in = three();
    region_of(&in)->next_region = header_of(&in)->first_region;
    expect_left(&in, "a, b, c, a > inside", 1);
}

alone(a_name_outside_the_record_is_said_to_be_damaged) {
    image in = three();
    child_of(&in, root_of(&in), 2)->name = UINT32_MAX;
    expect_left(&in, "a, (damaged), c, a > inside", 1);
}

alone(open_sections_in_a_circle_are_listed_once) {
    image in = three();
    wi__node *a = child_of(&in, root_of(&in), 1), *inside = child_of(&in, a, 0);
    region_of(&in)->current = a->first_child;
    a->parent = a->first_child;
    wi__profile profile = profile_of(&in);
    expect_text(open_in(&profile), "section inside, section a");
    expect_count(profile.damaged, 1);
    wi__profile_release(&profile);
    expect(inside->calls == 1);
    free(in.bytes);
}

alone(a_history_that_cannot_be_does_not_become_negative) {
    image in = three();
    wi__node *a = child_of(&in, root_of(&in), 1);
    a->total = 1;
    a->max = 0;
    a->squares[0] = a->squares[1] = 0;
    header_of(&in)->last.ticks = 0;
    wi__profile profile = profile_of(&in);
    wi__figures figures = wi__path_figures(&profile, find_path(&profile, "a"));
    expect(figures.self_s >= 0 && figures.std_s >= 0 && figures.total_s >= 0);
    wi__profile_release(&profile);
    free(in.bytes);
}

alone(a_call_that_was_cut_off_is_said) {
    image in = three();
    child_of(&in, root_of(&in), 1)->seq++;
    wi__profile profile = profile_of(&in);
    expect_count(profile.torn, 1);
    expect_count(profile.damaged, 0);
    expect_count(calls_of(&profile, "a"), 1);
    wi__profile_release(&profile);
    free(in.bytes);
}

/* ---- who measured, and does it live? ---- */

alone(a_pid_that_another_process_has_now_is_not_the_owner) {
    image in = three();
    header_of(&in)->owner.pid = (uint32_t)getpid();
    header_of(&in)
        ->owner.start++; /* two processes may have begun in the same hundredth of a second */
    wi__profile profile = profile_of(&in);
    expect_count(profile.alive, 0);
    wi__profile_release(&profile);
    free(in.bytes);
}

alone(a_process_of_another_boot_is_dead_and_its_times_hold) {
    image in = three();
    wi__profile here = profile_of(&in);
    strcpy(header_of(&in)->boot_id, "another");
    header_of(&in)->last.ticks =
        header_of(&in)->first.ticks + (uint64_t)(10 * here.ticks_per_second);
    header_of(&in)->last.monotonic_ns = header_of(&in)->first.monotonic_ns + 10000000000u;
    wi__profile there = profile_of(&in);
    expect_count(there.alive, 0);
    expect_near(there.ticks_per_second, here.ticks_per_second, 0.01 * here.ticks_per_second);
    expect_near((double)(there.end - there.header.first.ticks), 10 * here.ticks_per_second,
                0.01 * here.ticks_per_second);
    wi__profile_release(&here);
    wi__profile_release(&there);
    free(in.bytes);
}

alone(a_record_that_the_file_had_no_room_for_is_no_damage) {
    image in = three();
    wi__node *b = child_of(&in, root_of(&in), 2);
    header_of(&in)->file_cells = b->next_sibling; /* as if "c" had come after the disk was full */
    header_of(&in)->used_cells += 100000;
    expect_left(&in, "a, b, a > inside", 0);
}

/* ---- a large record ---- */

alone(a_record_of_50000_nodes_is_read_whole) {
    enum { NODES = 50000 };
    wi_record_open("record");
    wi__branch *parent = wi__lane_here()->root;
    char name[32];
    for (int i = 0; i < NODES; i++) { /* half of them wide, half of them deep */
        snprintf(name, sizeof name, "path %d", i);
        wi__branch *child = wi__child_of_name(parent, name);
        expect(child && wi__node_add_call(child->node, 1000));
        if (i >= NODES / 2) parent = child;
    }
    wi__profile profile = profile_in("record");
    expect_count(profile.path_count, NODES + 2);
    expect_count(profile.damaged, 0);
    uint64_t calls = 0;
    for (uint32_t i = 1; i < profile.path_count; i++) calls += profile.paths[i].calls;
    expect_count(calls, NODES);
    wi__profile_release(&profile);
}

/* ---- files that cannot be read ---- */

alone(a_record_without_permission_says_so) {
    image in = three();
    wi__profile profile;
    char why[128];
    free(in.bytes);
    chmod("record", 0);
    if (geteuid() == 0) {
        chmod(folder, 0755);
        expect(setgid(65534) == 0 && setuid(65534) == 0);
    }
    expect(!wi__profile_read("record", &profile, why, sizeof why));
    expect_text(why, "Permission denied");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_whole_record_has_no_damage),
        test(a_link_to_nowhere_ends_the_list),
        test(a_link_back_is_cut),
        test(nodes_that_overlap_are_read_once),
        test(regions_in_a_circle_are_read_once),
        test(a_name_outside_the_record_is_said_to_be_damaged),
        test(open_sections_in_a_circle_are_listed_once),
        test(a_history_that_cannot_be_does_not_become_negative),
        test(a_call_that_was_cut_off_is_said),
        test(a_pid_that_another_process_has_now_is_not_the_owner),
        test(a_process_of_another_boot_is_dead_and_its_times_hold),
        test(a_record_that_the_file_had_no_room_for_is_no_damage),
        test(a_record_of_50000_nodes_is_read_whole),
        test(a_record_without_permission_says_so),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
