/* Trees that are removed: whole, and nothing else. */
#include "record_helpers.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "manage/remove_tree.h"

static wi__removal removal;

/* Remove a name of this folder. @return the error */
static int removed(const char *name, int how) {
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = wi__remove_tree(here, name, how, &removal);
    close(here);
    return error;
}

static void write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    expect_that(file >= 0, path, "%s", strerror(errno));
    expect(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
}

/* What nobody may touch: a folder with a file. */
static void make_outside(void) {
    expect(mkdir("outside", 0755) == 0);
    write_file("outside/file", "kept");
}

static int outside_is_whole(void) { return size_of("outside/file") == 4; }

/* ---- what is removed ---- */

alone(a_tree_is_removed_and_counted) {
    expect(mkdir("tree", 0700) == 0 && mkdir("tree/a", 0700) == 0 && mkdir("tree/a/b", 0700) == 0);
    write_file("tree/one", "1");
    write_file("tree/a/two", "22");
    write_file("tree/a/b/three", "333");
    expect(symlink("nowhere", "tree/a/link") == 0 && mkfifo("tree/pipe", 0600) == 0);
    write_file("neighbour", "");
    expect_count(removed("tree", WI__REMOVE_WEIGH), 0);
    expect(!exists("tree") && exists("neighbour"));
    expect_count(removal.files, 5);
    expect_count(removal.bytes, 6);
    expect_count(removal.left, 0);
}

alone(a_file_or_a_link_alone_is_removed_too) {
    make_outside();
    write_file("file", "text");
    expect(symlink("outside", "link") == 0);
    expect_count(removed("file", 0), 0);
    expect_count(removal.files, 1);
    expect_count(removed("link", 0), 0);
    expect(!exists("file") && !exists("link") && outside_is_whole());
}

alone(what_is_not_there_is_no_error) {
    expect_count(removed("missing", 0), 0);
    expect_count(removed("missing", WI__REMOVE_WEIGH), 0);
    expect_count(removal.files, 0);
}

alone(a_dry_run_counts_and_touches_nothing) {
    expect(mkdir("tree", 0700) == 0 && mkdir("tree/a", 0700) == 0);
    write_file("tree/a/file", "four");
    expect_count(removed("tree", WI__REMOVE_WEIGH | WI__REMOVE_DRY), 0);
    expect_count(removal.files, 1);
    expect_count(removal.bytes, 4);
    expect(exists("tree/a/file"));
}

alone(links_are_removed_and_not_followed) {
    make_outside();
    expect(mkdir("tree", 0700) == 0 && symlink("../outside", "tree/folder") == 0);
    expect(symlink("../outside/file", "tree/file") == 0 && symlink("..", "tree/up") == 0);
    expect(symlink(".", "tree/self") == 0);
    expect_count(removed("tree", 0), 0);
    expect(!exists("tree") && outside_is_whole());
}

alone(a_file_with_two_names_keeps_the_other_and_its_mode) {
    struct stat status;
    make_outside();
    expect(mkdir("tree", 0700) == 0 && link("outside/file", "tree/file") == 0);
    expect(chmod("outside/file", 0444) == 0);
    expect_count(removed("tree", 0), 0);
    expect(outside_is_whole() && stat("outside/file", &status) == 0);
    expect_count(status.st_mode & 07777, 0444);
}

alone(names_may_be_any_bytes) {
    static const char *const names[] = {"a b", "line\nbreak", "-rf", "\xff\xfe",
                                        "*",   "\xc3\xa9",    "\\",  "..."};
    expect(mkdir("tree", 0700) == 0 && chdir("tree") == 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char inside[32];
        snprintf(inside, sizeof inside, "%s/%s", names[i], names[i]);
        expect(mkdir(names[i], 0700) == 0);
        write_file(inside, "");
    }
    char longest[NAME_MAX + 1] = "";
    memset(longest, 'n', NAME_MAX);
    write_file(longest, "");
    expect(chdir("..") == 0);
    expect_count(removed("tree", 0), 0);
    expect(!exists("tree"));
}

static void make_deep(const char *name, int levels, const char *deepest) {
    int back = open(".", O_RDONLY | O_CLOEXEC);
    expect(mkdir(name, 0755) == 0 && chdir(name) == 0);
    for (int i = 1; i < levels; i++) expect(mkdir("deeper", 0755) == 0 && chdir("deeper") == 0);
    write_file(deepest, "");
    expect(fchdir(back) == 0);
    close(back);
}

alone(five_thousand_levels_are_no_trouble_with_few_descriptors) {
    struct rlimit few = {16, 16};
    make_deep("tree", 5000, "file");
    expect(setrlimit(RLIMIT_NOFILE, &few) == 0);
    expect_count(removed("tree", 0), 0);
    expect(!exists("tree"));
    expect_count(removal.files, 1);
}

alone(many_folders_and_files_are_all_removed) {
    char path[64];
    expect(mkdir("tree", 0700) == 0);
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "tree/%d", i);
        expect(mkdir(path, 0700) == 0);
        for (int j = 0; j < 10; j++) {
            snprintf(path, sizeof path, "tree/%d/%d", i, j);
            write_file(path, "");
        }
    }
    expect_count(removed("tree", 0), 0);
    expect_count(removal.files, 2000);
}

/* ---- permissions, as a user without privileges ---- */

enum { NOBODY = 65534, SOMEBODY = 65533 };

/* Become a user who owns this folder; does nothing for one who is no root already. */
static void become_nobody(void) {
    if (geteuid() != 0) return;
    expect(chown(".", NOBODY, NOBODY) == 0);
    expect(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

alone(folders_that_are_closed_to_their_user_are_opened) {
    static const mode_t modes[] = {0000, 0100, 0200, 0300, 0400, 0500, 0600};
    char path[64];
    become_nobody();
    expect(mkdir("tree", 0700) == 0);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        snprintf(path, sizeof path, "tree/%o", (unsigned)modes[i]);
        expect(mkdir(path, 0700) == 0);
        snprintf(path, sizeof path, "tree/%o/folder", (unsigned)modes[i]);
        expect(mkdir(path, 0700) == 0);
        snprintf(path, sizeof path, "tree/%o/folder/file", (unsigned)modes[i]);
        write_file(path, "");
        snprintf(path, sizeof path, "tree/%o", (unsigned)modes[i]);
        expect(chmod(path, modes[i]) == 0);
    }
    expect(chmod("tree", 0500) == 0);
    expect_count(removed("tree", 0), 0);
    expect(!exists("tree"));
}

alone(what_is_in_the_way_is_named_and_all_else_removed) {
    if (geteuid() != 0) exit(0);
    expect(mkdir("tree", 0755) == 0 && mkdir("tree/a", 0755) == 0 &&
           mkdir("tree/a/other", 0755) == 0);
    write_file("tree/a/other/file", "kept");
    write_file("tree/a/mine", "");
    write_file("tree/mine", "");
    expect(chown("tree", NOBODY, NOBODY) == 0 && chown("tree/a", NOBODY, NOBODY) == 0);
    expect(chown("tree/a/other", SOMEBODY, SOMEBODY) == 0);
    become_nobody();
    expect_count(removed("tree", 0), EACCES);
    expect_text(removal.path, "tree/a/other/file");
    expect_count(removal.left, 1);
    expect_count(removal.files, 2);
    expect(exists("tree/a/other/file") && !exists("tree/a/mine") && !exists("tree/mine"));
}

alone(an_empty_folder_that_cannot_be_read_goes_and_a_full_one_is_named) {
    if (geteuid() != 0) exit(0);
    expect(mkdir("tree", 0755) == 0 && mkdir("tree/empty", 0700) == 0);
    expect(chown("tree", NOBODY, NOBODY) == 0);
    expect(chown("tree/empty", SOMEBODY, SOMEBODY) == 0);
    expect(mkdir("full", 0755) == 0 && mkdir("full/other", 0700) == 0);
    write_file("full/other/file", "");
    expect(chown("full", NOBODY, NOBODY) == 0);
    expect(chown("full/other", SOMEBODY, SOMEBODY) == 0);
    become_nobody();
    expect_count(removed("tree", 0), 0);
    expect(!exists("tree"));
    expect_count(removed("full", 0), EACCES);
    expect_text(removal.path, "full/other");
}

static void fail_below_a_long_path(void) {
    become_nobody();
    expect_count(removed("tree", 0), EACCES);
    expect(strncmp(removal.path, "tree/deeper/deeper", 18) == 0);
    expect_count(strlen(removal.path), sizeof removal.path - 1);
    expect_text(removal.path + sizeof removal.path - sizeof "…", "…");
}

alone(a_path_that_is_too_long_to_tell_is_cut) {
    if (geteuid() != 0) exit(0);
    make_deep("tree", 1000, "file");
    expect_count(status_of(fail_below_a_long_path), 0);
    expect_count(removed("tree", 0), 0);
}

/* ---- mount points ---- */

/* In a namespace of mounts that is this process's own; 0 where that is not allowed. */
static int may_mount(void) {
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

alone(what_is_mounted_is_left_and_said) {
    if (!may_mount()) exit(0);
    make_outside();
    expect(mkdir("tree", 0700) == 0 && mkdir("tree/a", 0700) == 0 &&
           mkdir("tree/a/bind", 0700) == 0);
    write_file("tree/a/file", "");
    expect(mount("outside", "tree/a/bind", NULL, MS_BIND, NULL) == 0);
    expect_count(removed("tree", 0), EBUSY);
    expect_text(removal.path, "tree/a/bind");
    expect_count(removal.left, 1);
    expect(outside_is_whole() && exists("tree/a/bind/file") && !exists("tree/a/file"));
}

alone(another_file_system_is_left_whatever_its_mode) {
    struct stat status;
    if (!may_mount()) exit(0);
    expect(mkdir("tree", 0700) == 0 && mkdir("tree/other", 0700) == 0);
    expect(mount("tmpfs", "tree/other", "tmpfs", 0, "mode=500") == 0);
    write_file("tree/other/file", "kept");
    expect_count(removed("tree", 0), EBUSY);
    expect(exists("tree/other/file") && stat("tree/other", &status) == 0);
    expect_count(status.st_mode & 0777, 0500);
    expect_count(removed("tree/other", 0), EBUSY);
}

alone(a_file_that_something_is_mounted_on_is_left_and_said) {
    if (!may_mount()) exit(0);
    make_outside();
    expect(mkdir("tree", 0700) == 0);
    write_file("tree/file", "");
    expect(mount("outside/file", "tree/file", NULL, MS_BIND, NULL) == 0);
    expect_count(removed("tree", 0), EBUSY);
    expect_text(removal.path, "tree/file");
    expect(outside_is_whole());
}

/* ---- while others change the tree ---- */

static atomic_int stop;

/* A folder and a link to the outside take each other's place, all the time. */
static void *swap(void *unused) {
    (void)unused;
    while (!stop) {
        rename("tree/a/sub", "aside");
        symlink("../../outside", "tree/a/sub");
        unlink("tree/a/sub");
        rename("aside", "tree/a/sub");
    }
    return NULL;
}

alone(a_link_that_takes_a_folders_place_meanwhile_is_not_followed) {
    make_outside();
    pthread_t swapper = start(swap, NULL);
    for (int i = 0; i < 300; i++) {
        mkdir("tree", 0700), mkdir("tree/a", 0700), mkdir("tree/a/sub", 0700);
        int file = open("tree/a/sub/file", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file >= 0) close(file);
        removed("tree", 0);
        expect(outside_is_whole());
    }
    stop = 1;
    pthread_join(swapper, NULL);
    removed("tree", 0);
    expect(!exists("tree") && outside_is_whole());
}

/* Folders that the walk stands in are moved out of the tree. */
static void *move_away(void *unused) {
    (void)unused;
    while (!stop) {
        rename("tree/a/b", "moved");
        rename("moved", "tree/a/b");
    }
    return NULL;
}

alone(a_folder_that_is_moved_meanwhile_leads_nowhere_else) {
    make_outside();
    write_file("file", "kept");
    pthread_t mover = start(move_away, NULL);
    for (int i = 0; i < 300; i++) {
        mkdir("tree", 0700), mkdir("tree/a", 0700), mkdir("tree/a/b", 0700);
        mkdir("tree/a/b/c", 0700), mkdir("tree/a/b/c/d", 0700);
        removed("tree", 0);
        expect(outside_is_whole() && exists("file"));
    }
    stop = 1;
    pthread_join(mover, NULL);
    removed("tree", 0), removed("moved", 0);
    expect(!exists("tree") && outside_is_whole() && exists("file"));
}

static void *add_files(void *unused) {
    (void)unused;
    for (unsigned i = 0; !stop; i++) {
        char path[64];
        snprintf(path, sizeof path, "tree/a/b/%u", i % 1000);
        int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0) close(file);
    }
    return NULL;
}

alone(files_that_are_added_all_the_time_end_in_an_error_at_most) {
    pthread_t adder = start(add_files, NULL);
    for (int i = 0; i < 100; i++) {
        mkdir("tree", 0700), mkdir("tree/a", 0700), mkdir("tree/a/b", 0700);
        int error = removed("tree", 0);
        expect(error == 0 || error == ENOTEMPTY);
        expect(error == 0 || strcmp(removal.path, "tree/a/b") == 0);
    }
    stop = 1;
    pthread_join(adder, NULL);
    expect_count(removed("tree", 0), 0);
}

static void *remove_too(void *unused) {
    (void)unused;
    wi__removal other;
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = wi__remove_tree(here, "tree", 0, &other);
    close(here);
    return (void *)(intptr_t)error;
}

alone(two_may_remove_the_same_tree) {
    for (int i = 0; i < 10; i++) {
        make_deep("tree", 200, "file");
        void *error;
        pthread_t other = start(remove_too, NULL);
        expect_count(removed("tree", 0), 0);
        pthread_join(other, &error);
        expect_count((intptr_t)error, 0);
        expect(!exists("tree"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_tree_is_removed_and_counted),
        test(a_file_or_a_link_alone_is_removed_too),
        test(what_is_not_there_is_no_error),
        test(a_dry_run_counts_and_touches_nothing),
        test(links_are_removed_and_not_followed),
        test(a_file_with_two_names_keeps_the_other_and_its_mode),
        test(names_may_be_any_bytes),
        test(five_thousand_levels_are_no_trouble_with_few_descriptors),
        test(many_folders_and_files_are_all_removed),
        test(folders_that_are_closed_to_their_user_are_opened),
        test(what_is_in_the_way_is_named_and_all_else_removed),
        test(an_empty_folder_that_cannot_be_read_goes_and_a_full_one_is_named),
        test(a_path_that_is_too_long_to_tell_is_cut),
        test(what_is_mounted_is_left_and_said),
        test(another_file_system_is_left_whatever_its_mode),
        test(a_file_that_something_is_mounted_on_is_left_and_said),
        test(a_link_that_takes_a_folders_place_meanwhile_is_not_followed),
        test(a_folder_that_is_moved_meanwhile_leads_nowhere_else),
        test(files_that_are_added_all_the_time_end_in_an_error_at_most),
        test(two_may_remove_the_same_tree),
    };
    return cmocka_run_group_tests_name("remove_tree", tests, NULL, NULL);
}
