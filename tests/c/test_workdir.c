/* wi_workdir: another working directory for a block, and back to the very one that it came from. */
#include "file_helpers.h"
#include "record_helpers.h"

static const char *here(void) {
    static char path[4096];
    return getcwd(path, sizeof path) ? path + strlen(folder) : strerror(errno);
}

/* ---- there and back ---- */

alone(a_block_is_in_its_directory) {
    mkdir("a", 0700);
    within (wi_workdir("a")) {
        expect_text(here(), "/a");
        put("file", "text");
        expect_count(system("test -e file"), 0);
    }
    expect_text(here(), "");
    expect_text(content("a/file"), "text");
}

static void return_from_it(void) {
    within (wi_workdir("a")) return;
}
static void raise_in_it(void *unused) {
    (void)unused;
    within (wi_workdir("a")) wi_raise(WI_VALUE_ERROR, "enough");
}

alone(the_way_back_is_gone_on_every_way_out) {
    mkdir("a", 0700);
    int lowest = next_descriptor();
    return_from_it();
    expect_text(here(), "");
    expect_raised(raise_in_it, NULL, WI_VALUE_ERROR, "enough");
    expect_text(here(), "");
    within (wi_workdir("a")) expect_count(chdir("/"), 0);
    expect_text(here(), "");
    expect_count(next_descriptor(), lowest);
}

alone(a_directory_that_was_moved_is_come_back_to) {
    mkdir("a", 0700);
    mkdir("b", 0700);
    expect_count(chdir("a"), 0);
    within (wi_workdir("/")) {
        char from[128], to[128];
        snprintf(from, sizeof from, "%s/a", folder);
        snprintf(to, sizeof to, "%s/b/moved", folder);
        expect_count(rename(from, to), 0);
        expect_count(mkdir(from, 0700), 0);
    }
    expect_text(here(), "/b/moved");
}

alone(a_directory_that_was_removed_is_come_back_to) {
    mkdir("a", 0700);
    expect_count(chdir("a"), 0);
    within (wi_workdir("..")) expect_count(rmdir("a"), 0);
    errno = 0;
    char path[64];
    expect(!getcwd(path, sizeof path) && errno == ENOENT);
    expect(open("file", O_CREAT | O_WRONLY, 0600) < 0 && errno == ENOENT);
}

alone(pwd_is_left_as_it_is) {
    setenv("PWD", "/somewhere", 1);
    within (wi_workdir("/")) expect_text(getenv("PWD"), "/somewhere");
    expect_text(getenv("PWD"), "/somewhere");
}

/* ---- trouble ---- */

static void go(void *path) {
    within (wi_workdir((const char *)path)) expect(!"entered");
}
static void enter_twice(void *dir) {
    within ((wi_workdir *)dir)
        within ((wi_workdir *)dir) expect(!"entered");
}

alone(what_is_no_place_to_be_in_is_named) {
    put("file", "");
    int lowest = next_descriptor();
    expect_raised(go, (void *)"missing", WI_FILE_NOT_FOUND,
                  "missing: cannot be made the working directory: No such file or directory");
    expect_raised(go, (void *)"file", WI_NOT_A_DIRECTORY,
                  "file: cannot be made the working directory: Not a directory");
    expect_raised(go, (void *)"", WI_FILE_NOT_FOUND,
                  ": cannot be made the working directory: No such file or directory");
    expect_text(here(), "");
    expect_count(next_descriptor(), lowest);
}

alone(a_manager_is_open_once_at_a_time) {
    mkdir("a", 0700);
    wi_workdir dir = wi_workdir("a");
    expect_raised(enter_twice, &dir, WI_USAGE_ERROR, "a: this wi_workdir is open already");
    expect_text(here(), "");
    within (&dir) expect_text(here(), "/a");
}

static void shut_the_way_back(void *unused) {
    (void)unused;
    within (wi_workdir("/")) {
        char path[128];
        snprintf(path, sizeof path, "%s/a", folder);
        expect_count(chmod(path, 0), 0);
    }
}
static void start_from_shut(void *unused) {
    (void)unused;
    expect_count(chmod(".", 0), 0);
    within (wi_workdir("/")) expect(!"entered");
}

alone(a_way_back_that_is_shut_is_named) {
    if (getuid() != 0) return; /* only root can be another user, whom permissions stop */
    mkdir("a", 0700);
    expect(chmod(".", 0755) == 0 && chown("a", NOBODY, NOBODY) == 0 && chdir("a") == 0);
    atexit(end_as_another);
    expect(seteuid(NOBODY) == 0);
    char message[256];
    snprintf(message, sizeof message, "%s/a: cannot be gone back to: Permission denied", folder);
    expect_raised(shut_the_way_back, NULL, WI_PERMISSION_ERROR, message);
    expect_text(getcwd(message, sizeof message), "/");
    expect(seteuid(0) == 0 && chdir(folder) == 0 && chmod("a", 0700) == 0 && chdir("a") == 0);
    expect(seteuid(NOBODY) == 0);
    expect_raised(start_from_shut, NULL, WI_PERMISSION_ERROR,
                  "/: the present working directory cannot be kept to come back to: Permission "
                  "denied");
    expect(seteuid(0) == 0);
}

static void go_for_a_moment(void *path) {
    within (wi_workdir((const char *)path)) continue;
}

alone(a_directory_that_may_not_be_read_is_come_back_to) {
    if (getuid() != 0) return;
    mkdir("a", 0700);
    expect(chmod(".", 0755) == 0 && chown("a", NOBODY, NOBODY) == 0 && chdir("a") == 0);
    atexit(end_as_another);
    expect(seteuid(NOBODY) == 0 && chmod(".", 0100) == 0 && open(".", O_RDONLY) < 0);
    expect(!error_of(go_for_a_moment, (void *)"/"));
    expect(seteuid(0) == 0);
    expect_text(here(), "/a");
}

/* ---- several blocks ---- */

alone(nested_blocks_go_back_step_by_step) {
    expect(mkdir("a", 0700) == 0 && mkdir("a/b", 0700) == 0);
    within (wi_workdir("a")) {
        within (wi_workdir("b")) expect_text(here(), "/a/b");
        expect_text(here(), "/a");
    }
    expect_text(here(), "");
}

alone(blocks_may_end_in_any_order) {
    const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    expect(mkdir("a", 0700) == 0 && mkdir("a/b", 0700) == 0 && mkdir("a/b/c", 0700) == 0);
    const char *places[] = {"/a", "/a/b", "/a/b/c"};
    int lowest = next_descriptor();
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        wi_exit_stack stacks[3] = {wi_exit_stack(), wi_exit_stack(), wi_exit_stack()};
        wi_stack_enter(&stacks[0], wi_workdir("a"));
        wi_stack_enter(&stacks[1], wi_workdir("b"));
        wi_stack_enter(&stacks[2], wi_workdir("c"));
        int is_open[3] = {1, 1, 1};
        for (int j = 0; j < 3; j++) {
            wi_stack_close(&stacks[orders[i][j]]);
            is_open[orders[i][j]] = 0;
            int newest = is_open[2] ? 2 : is_open[1] ? 1 : is_open[0] ? 0 : -1;
            expect_text(here(), newest < 0 ? "" : places[newest]);
        }
    }
    expect_count(next_descriptor(), lowest);
}

/* ---- forks, the ledger, trails ---- */

alone(a_child_goes_back_by_itself) {
    mkdir("a", 0700);
    pid_t parent = getpid(), child = -1;
    within (wi_workdir("a")) {
        child = fork();
        if (child > 0) expect_count(exit_of(child), 0);
        expect_text(here(), "/a");
    }
    expect_text(here(), "");
    if (getpid() != parent) _exit(0);
}

alone(a_program_that_is_started_has_no_descriptor_of_it) {
    within (wi_workdir("/"))
        expect_count(system("test -z \"$(find /proc/self/fd/ -lname '*within-test*')\""), 0);
}

alone(the_ledger_and_trails_name_it) {
    mkdir("a", 0700);
    within (wi_workdir("a")) {
        wi__profile profile = own_profile();
        expect_text(open_in(&profile), "workdir a");
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
    wi_error *error = error_of(raise_in_it, NULL);
    expect_text(wi_error_trail(error, 0)->manager, "workdir");
    expect_text(wi_error_trail(error, 0)->what, "a");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_block_is_in_its_directory),
        test(the_way_back_is_gone_on_every_way_out),
        test(a_directory_that_was_moved_is_come_back_to),
        test(a_directory_that_was_removed_is_come_back_to),
        test(pwd_is_left_as_it_is),
        test(what_is_no_place_to_be_in_is_named),
        test(a_manager_is_open_once_at_a_time),
        test(a_way_back_that_is_shut_is_named),
        test(a_directory_that_may_not_be_read_is_come_back_to),
        test(nested_blocks_go_back_step_by_step),
        test(blocks_may_end_in_any_order),
        test(a_child_goes_back_by_itself),
        test(a_program_that_is_started_has_no_descriptor_of_it),
        test(the_ledger_and_trails_name_it),
    };
    return cmocka_run_group_tests_name("workdir", tests, NULL, NULL);
}
