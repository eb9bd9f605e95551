/* Walks through trees: what is seen, and where a walk never goes. */
#include "record_helpers.h"

#include <dirent.h>

#include "manage/walk.h"

static char seen[4096];      /* the paths, in order, a space after each */
static const char *moved_at; /* the name at whose sight its folder is moved away, once; or NULL */

static void make_folder(const char *path) { expect(mkdir(path, 0700) == 0); }

static void move_folder_of(const char *path) {
    char parent[256];
    snprintf(parent, sizeof parent, "%s", path);
    *strrchr(parent, '/') = '\0';
    expect(rename(parent, "outside/moved") == 0);
    moved_at = NULL;
}

static int see(void *self, const wi__walk *walk, const char *name, unsigned char type) {
    char path[256];
    (void)self;
    wi__walk_path(walk, name, path, sizeof path);
    strcat(strcat(seen, path), " ");
    if (moved_at && strcmp(name, moved_at) == 0) move_folder_of(path);
    return type == DT_DIR || strcmp(path, "tree") == 0;
}

static int again(void *self, const wi__walk *walk, const char *name) {
    (void)walk;
    if (strcmp(name, "stubborn") == 0) ++*(int *)self;
    return strcmp(name, "stubborn") == 0 ? ENOTEMPTY : 0;
}

static void failed(void *self, const wi__walk *walk, const char *name, int error) {
    char path[256];
    (void)self;
    wi__walk_path(walk, name, path, sizeof path);
    sprintf(seen + strlen(seen), "!%s:%d ", path, error);
}

static int walk_tree(int *rounds) {
    static const wi__walker walker = {see, NULL, again, failed};
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = wi__walk_tree(here, "tree", &walker, rounds);
    close(here);
    return error;
}

alone(every_entry_is_seen_once_with_its_path) {
    make_folder("tree"), make_folder("tree/a"), make_folder("tree/a/b");
    expect(symlink("..", "tree/a/b/link") == 0);
    expect_count(walk_tree(NULL), 0);
    expect_text(seen, "tree tree/a tree/a/b tree/a/b/link ");
}

/* Names that wait in a folder are not looked for in another one. */
alone(a_walk_whose_folder_was_moved_begins_anew_and_not_where_that_went) {
    make_folder("outside"), make_folder("outside/one"), make_folder("outside/two");
    make_folder("outside/one/foreign"), make_folder("outside/two/foreign");
    make_folder("tree"), make_folder("tree/a"), make_folder("tree/a/one"),
        make_folder("tree/a/two");
    make_folder("tree/a/one/deep"), make_folder("tree/a/two/deep");
    moved_at = "deep";
    expect_count(walk_tree(NULL), 0);
    expect(strstr(seen, "foreign") == NULL);
    expect(strstr(seen, "tree/a/one/deep") && strstr(seen, "tree/a/two/deep"));
}

alone(a_folder_is_entered_again_a_few_times_at_most) {
    int rounds = 0;
    make_folder("tree"), make_folder("tree/stubborn"), make_folder("tree/other");
    expect_count(walk_tree(&rounds), 0);
    expect_count(rounds, 9);
    expect(strstr(seen, "!tree/stubborn:39 ") != NULL); /* ENOTEMPTY */
    expect(strstr(seen, "tree/other ") != NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(every_entry_is_seen_once_with_its_path),
        test(a_walk_whose_folder_was_moved_begins_anew_and_not_where_that_went),
        test(a_folder_is_entered_again_a_few_times_at_most),
    };
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
