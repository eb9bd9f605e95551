/* wi_tempdir: an empty folder for a block, and nothing of it afterwards. */
#include "record_helpers.h"

#include <dirent.h>
#include <sys/prctl.h>

#include "manage/leftover.h"

/* The names in a folder, and a space after each. */
static const char *names_in(const char *path) {
    static char text[4096];
    DIR *entries = opendir(path);
    expect_that(entries != NULL, path, "%s", strerror(errno));
    text[0] = '\0';
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strcat(strcat(text, entry->d_name), " ");
    closedir(entries);
    return text;
}

static void write_file(const char *parent, const char *name, const char *text) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s%s", parent, *parent ? "/" : "", name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    expect_that(file >= 0, path, "%s", strerror(errno));
    expect(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
}

static const char *read_text(const char *path) {
    static char text[4096];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    expect_that(file >= 0, path, "%s", strerror(errno));
    ssize_t length = read(file, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    close(file);
    return text;
}

static char kept_path[PATH_MAX];
static void keep_path(const wi_tempdir *dir) {
    snprintf(kept_path, sizeof kept_path, "%s", dir->path);
}

/* The path of its owner file. */
static const char *owner_file_of(const char *path) {
    static char owner[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(owner, sizeof owner, "%.*s/.%s", (int)(slash - path), path, slash + 1);
    return owner;
}

/* Nothing may be left in this folder, which is $TMPDIR. */
#define expect_nothing_left() expect_text(names_in("."), "")

static void use_this_folder(void) { setenv("TMPDIR", folder, 1); }

/* A body's error: its kind and message. */
static const char *raised(void (*body)(void *arg)) {
    static char text[PATH_MAX];
    wi_error *error;
    text[0] = '\0';
    wi_call(body, NULL, &error);
    if (error)
        snprintf(text, sizeof text, "%s %s", wi_error_kind(error)->name, wi_error_message(error));
    wi_error_free(error);
    return text;
}

/* ---- the directory ---- */

alone(a_block_has_an_empty_directory_of_its_own) {
    struct stat status;
    use_this_folder();
    within (dir, wi_tempdir()) {
        expect(strncmp(dir->path, folder, strlen(folder)) == 0);
        expect(strncmp(strrchr(dir->path, '/'), "/within.within-", 15) == 0);
        expect(stat(dir->path, &status) == 0 && S_ISDIR(status.st_mode));
        expect_count(status.st_mode & 07777, 0700);
        expect_text(names_in(dir->path), "");
        keep_path(dir);
    }
    expect(!exists(kept_path));
    expect_nothing_left();
}

alone(all_that_is_in_it_goes_with_it) {
    use_this_folder();
    within (dir, wi_tempdir()) {
        write_file(dir->path, "file", "text");
        expect(chdir(dir->path) == 0 && mkdir("a", 0700) == 0 && mkdir("a/b", 0700) == 0);
        write_file("a/b", "file", "text");
        expect(chmod("a/b", 0500) == 0 && chmod(".", 0500) == 0);
    }
    expect(chdir(folder) == 0);
    expect_nothing_left();
}

alone(two_at_once_are_two) {
    use_this_folder();
    within (one, wi_tempdir()) {
        within (other, wi_tempdir()) expect(strcmp(one->path, other->path) != 0);
        expect(exists(one->path));
    }
    expect_nothing_left();
}

alone(its_name_begins_with_the_prefix) {
    use_this_folder();
    within (dir, wi_tempdir(.prefix = "fft \xc3\xa9\n"))
        expect(strncmp(strrchr(dir->path, '/'), "/fft \xc3\xa9\n.within-", 16) == 0);
    char prefix[1000] = "";
    memset(prefix, 'p', sizeof prefix - 1);
    within (dir, wi_tempdir(.prefix = prefix)) {
        expect_count(strlen(strrchr(dir->path, '/') + 1), NAME_MAX - 1);
        expect(exists(owner_file_of(dir->path)));
    }
    expect_nothing_left();
}

alone(an_object_may_be_used_again_but_not_twice_at_once) {
    use_this_folder();
    wi_tempdir dir = wi_tempdir();
    within (&dir) keep_path(&dir);
    expect(dir.path == NULL);
    within (&dir) {
        expect(strcmp(dir.path, kept_path) != 0);
        wi_try {
            within (&dir) continue;
        } wi_catch (WI_USAGE_ERROR, error) {
            expect(strstr(wi_error_message(error), ": this wi_tempdir is open already") != NULL);
        }
        expect(exists(dir.path));
    }
    expect_nothing_left();
}

static void empty_prefix(void *unused WI__UNUSED) {
    within (wi_tempdir(.prefix = "")) continue;
}
static void dotted_prefix(void *unused WI__UNUSED) {
    within (wi_tempdir(.prefix = ".a")) continue;
}
static void path_as_prefix(void *unused WI__UNUSED) {
    within (wi_tempdir(.prefix = "a/b")) continue;
}

alone(a_prefix_that_cannot_be_is_named) {
    use_this_folder();
    expect_text(raised(empty_prefix),
                "WI_VALUE_ERROR a scratch directory's prefix must not be empty");
    expect_text(raised(dotted_prefix),
                "WI_VALUE_ERROR a scratch directory's prefix must not begin with '.': .a");
    expect_text(raised(path_as_prefix),
                "WI_VALUE_ERROR a scratch directory's prefix must not have a '/' in it: a/b");
    expect_nothing_left();
}

/* ---- where ---- */

/* Makes one below a parent as it is given, and says its path. */
static void expect_below(const char *parent, const char *path) {
    within (dir, wi_tempdir(.parent = parent)) {
        size_t length = strlen(path);
        expect_that(strncmp(dir->path, path, length) == 0 &&
                        strncmp(dir->path + length, "/within.within-", 15) == 0,
                    parent, "%s is not below %s", dir->path, path);
        expect(exists(dir->path) && chdir("/") == 0);
    }
    expect(chdir(folder) == 0);
}

alone(a_path_is_absolute_wherever_the_program_goes) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/sub", folder);
    expect(mkdir("sub", 0700) == 0);
    expect_below("sub", path);
    expect_below("sub///", path);
    expect_below(".", folder);
    expect_below(path, path);
    setenv("TMPDIR", "sub", 1);
    expect_below(NULL, path);
    expect_text(names_in("."), "sub ");
    expect_text(names_in("sub"), "");
}

alone(a_parent_may_have_any_name) {
    static const char *const names[] = {"with space", "line\nbreak", "\xc3\xa9\xff", "%s", "-rf"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        expect(mkdir(names[i], 0700) == 0);
        setenv("TMPDIR", path, 1);
        expect_below(NULL, path);
        expect_text(names_in(path), "");
    }
}

alone(a_parent_may_be_renamed_meanwhile) {
    expect(mkdir("parent", 0700) == 0 && mkdir("parent/other", 0700) == 0);
    within (dir, wi_tempdir(.parent = "parent")) {
        write_file(dir->path, "file", "");
        expect(rename("parent", "renamed") == 0);
    }
    expect_text(names_in("renamed"), "other ");
}

alone(without_a_tmpdir_it_is_tmp) {
    setenv("TMPDIR", "", 1);
    within (dir, wi_tempdir()) expect(strncmp(dir->path, "/tmp/within.", 12) == 0);
    unsetenv("TMPDIR");
    within (dir, wi_tempdir()) expect(strncmp(dir->path, "/tmp/within.", 12) == 0);
}

static void any(void *unused WI__UNUSED) {
    within (wi_tempdir()) expect(0);
}

alone(a_parent_that_will_not_do_is_named) {
    setenv("TMPDIR", "/missing/folder", 1);
    expect_text(raised(any), "WI_FILE_NOT_FOUND /missing/folder: no scratch directory can be made "
                             "in it: No such file or directory");
    write_file("", "file", "");
    setenv("TMPDIR", "file", 1);
    expect_text(raised(any), "WI_NOT_A_DIRECTORY file: no scratch directory can be made in it: Not "
                             "a directory");
    expect(mkdir("closed", 0500) == 0);
    if (geteuid() == 0) expect(setresuid(65534, 65534, 65534) == 0);
    setenv("TMPDIR", "closed", 1);
    expect_text(raised(any), "WI_PERMISSION_ERROR closed: no scratch directory can be made in it: "
                             "Permission denied");
}

/* ---- ways out ---- */

static int left_early(void) {
    within (dir, wi_tempdir()) {
        write_file(dir->path, "file", "");
        return 1;
    }
    return 0;
}

static void fail_inside(void *options) {
    within (dir, wi__tempdir(*(wi_tempdir_options *)options)) {
        keep_path(dir);
        write_file(dir->path, "file", "text");
        wi_raise(WI_VALUE_ERROR, "no convergence");
    }
}

static void *cancel_inside(void *unused WI__UNUSED) {
    within (dir, wi_tempdir()) {
        write_file(dir->path, "file", "");
        for (;;) pause();
    }
    return NULL;
}

alone(every_way_out_removes_it) {
    use_this_folder();
    wi_tempdir_options options = {.prefix = NULL};
    wi_error *error;
    expect(left_early());
    expect_nothing_left();
    expect(!wi_call(fail_inside, &options, &error));
    expect_text(wi_error_message(error), "no convergence");
    wi_error_free(error);
    expect_nothing_left();
    pthread_t thread = start(cancel_inside, NULL);
    while (!strstr(names_in("."), "within")) usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    expect_nothing_left();
}

static void exit_inside(void) {
    within (dir, wi_tempdir()) {
        write_file(dir->path, "file", "");
        exit(3);
    }
}

alone(exit_removes_it) {
    use_this_folder();
    expect_count(status_of(exit_inside), 3 << 8);
    expect_nothing_left();
}

/* What is printed on stderr while a body runs. */
static const char *said_by(void (*body)(void *arg), void *arg) {
    wi_error *error;
    int out = open("said", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), before = dup(2);
    dup2(out, 2);
    wi_call(body, arg, &error);
    dup2(before, 2);
    close(before), close(out);
    wi_error_free(error);
    return read_text("said");
}

alone(an_error_keeps_it_if_wanted_and_says_where) {
    char wanted[PATH_MAX + 100];
    wi_tempdir_options options = {.prefix = "fft", .parent = ".", .keep_on_error = 1};
    const char *said = said_by(fail_inside, &options);
    snprintf(wanted, sizeof wanted,
             "within: an error was raised: the scratch directory %s is kept\n", kept_path);
    expect_text(said, wanted);
    expect_text(names_in(kept_path), "file ");
    expect(!exists(owner_file_of(kept_path)));
}

static void end_well(void *options) {
    within (wi__tempdir(*(wi_tempdir_options *)options)) continue;
    expect(left_early());
}

alone(without_an_error_nothing_is_kept_or_said) {
    use_this_folder();
    wi_tempdir_options options = {.prefix = NULL, .keep_on_error = 1};
    expect_text(said_by(end_well, &options), "");
    unlink("said");
    expect_nothing_left();
}

/* ---- what cannot be removed ---- */

enum { NOBODY = 65534 };

/* Somebody else's folder is in it, and this process is no root any more: two things that can't be removed. */
static void put_foreign_folder(const wi_tempdir *dir) {
    keep_path(dir);
    expect(chown(".", NOBODY, NOBODY) == 0 && chown(dir->path, NOBODY, NOBODY) == 0);
    expect(chown(owner_file_of(dir->path), NOBODY, NOBODY) == 0);
    expect(chdir(dir->path) == 0 && mkdir("foreign", 0755) == 0);
    write_file("foreign", "file", "kept");
    write_file("", "mine", "");
    expect(chown("foreign", 1, 1) == 0 && chdir(folder) == 0);
    expect(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void end_with_foreign(void *unused WI__UNUSED) {
    within (dir, wi_tempdir()) put_foreign_folder(dir);
}

static void fail_with_foreign(void *unused WI__UNUSED) {
    within (dir, wi_tempdir()) {
        put_foreign_folder(dir);
        wi_raise(WI_VALUE_ERROR, "no convergence");
    }
}

static void expect_error_of(void (*body)(void *arg), const char *context) {
    char wanted[3 * PATH_MAX];
    wi_error *error;
    use_this_folder();
    expect(!wi_call(body, NULL, &error));
    snprintf(wanted, sizeof wanted, "%s: cannot remove %s/foreign/file: Permission denied",
             kept_path, strrchr(kept_path, '/') + 1);
    expect_text(wi_error_message(error), wanted);
    expect(wi_error_is(error, WI_PERMISSION_ERROR));
    const wi_error *older = wi_error_context(error);
    expect_text(older ? wi_error_message(older) : "", context);
    wi_error_free(error);
}

alone(what_cannot_be_removed_is_an_error_and_keeps_its_owner) {
    if (geteuid() != 0) exit(0);
    expect_error_of(end_with_foreign, "");
    expect_text(names_in(kept_path), "foreign ");
    expect(exists(owner_file_of(kept_path)));
}

alone(an_error_of_the_removal_has_the_older_one_as_its_context) {
    if (geteuid() != 0) exit(0);
    expect_error_of(fail_with_foreign, "no convergence");
}

/* ---- forks ---- */

alone(a_child_forked_inside_removes_nothing) {
    use_this_folder();
    pid_t child = -1;
    int status;
    within (dir, wi_tempdir(.keep_on_error = 1)) {
        write_file(dir->path, "file", "text");
        keep_path(dir);
        child = fork();
        if (child > 0) {
            expect(waitpid(child, &status, 0) == child && status == 0);
            expect(exists(owner_file_of(dir->path)));
            expect_text(names_in(dir->path), "file ");
        }
    }
    if (child == 0) _exit(!exists(kept_path));
    expect_nothing_left();
}

alone(a_forked_child_may_make_its_own) {
    use_this_folder();
    within (dir, wi_tempdir()) {
        pid_t child = fork();
        int status;
        if (child == 0) {
            within (own, wi_tempdir()) expect(strcmp(own->path, dir->path) != 0);
            _exit(0);
        }
        expect(waitpid(child, &status, 0) == child && status == 0);
        expect(exists(dir->path) && exists(owner_file_of(dir->path)));
    }
    expect_nothing_left();
}

/* ---- the owner file ---- */

alone(the_owner_file_tells_whose_it_is) {
    char wanted[100];
    use_this_folder();
    within (dir, wi_tempdir()) {
        const char *text = read_text(owner_file_of(dir->path));
        snprintf(wanted, sizeof wanted, "within scratch directory\npid %d\nstart ", (int)getpid());
        expect(strncmp(text, wanted, strlen(wanted)) == 0);
        expect(strstr(text, "\nboot ") && strstr(text, "\nhost ") && strstr(text, "test_tempdir"));
    }
}

static int is_locked(const char *path) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    expect(file >= 0 && fcntl(file, F_GETLK, &lock) == 0);
    close(file);
    return lock.l_type != F_UNLCK;
}

/* Whether another process sees the lock: its wait status. */
static int status_of_looking_at(const char *path) {
    int status;
    pid_t child = fork();
    if (child == 0) _exit(is_locked(path));
    expect(waitpid(child, &status, 0) == child);
    return status;
}

alone(the_owner_file_is_locked_even_after_another_start_swept_the_folder) {
    use_this_folder();
    within (dir, wi_tempdir()) {
        expect_count(status_of_looking_at(owner_file_of(dir->path)), 1 << 8);
        int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        wi__leftover is = wi__leftover_at(here, strrchr(owner_file_of(dir->path), '/') + 1);
        close(here);
        expect(is.kind == WI__LEFT_SCRATCH && is.state == WI__OWNER_ALIVE && is.has_directory);
        expect_count(status_of_looking_at(owner_file_of(dir->path)), 1 << 8);
    }
}

alone(the_ledger_has_it_while_it_is_open) {
    char wanted[PATH_MAX];
    use_this_folder();
    within (dir, wi_tempdir()) {
        wi__profile profile = own_profile();
        snprintf(wanted, sizeof wanted, "scratch %s", dir->path);
        expect_text(open_in(&profile), wanted);
        wi__profile_release(&profile);
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
}

static void raise_through(void *unused WI__UNUSED) {
    within (dir, wi_tempdir()) {
        keep_path(dir);
        wi_raise(WI_VALUE_ERROR, "no convergence");
    }
}

alone(an_errors_trail_names_it) {
    wi_error *error;
    use_this_folder();
    wi_call(raise_through, NULL, &error);
    const wi_trail_entry *passed = wi_error_trail(error, 0);
    expect_text(passed->manager, "tempdir");
    expect(strncmp(passed->what, kept_path, sizeof passed->what - 1) == 0);
    wi_error_free(error);
}

/* ---- what dead processes left is removed by the next start ---- */

static void die_inside(void) {
    within (dir, wi_tempdir()) {
        write_file(dir->path, "file", "text");
        kill(getpid(), SIGKILL);
    }
}

/* A scratch directory as another process would have it: an owner, changed, and a number. */
static const char *make_scratch_of(const wi__owner *owner, int number, int with_directory) {
    static char name[NAME_MAX + 1];
    snprintf(name, sizeof name, ".fft.within-%u-%llu-%s-%s-%d", (unsigned)owner->process.pid,
             (unsigned long long)owner->process.start, owner->boot, owner->host, number);
    write_file("", name, WI__SCRATCH_MARK);
    if (!with_directory) return name;
    expect(mkdir(name + 1, 0700) == 0);
    write_file(name + 1, "file", "");
    return name;
}

static wi__owner dead_owner(void) {
    wi__owner owner = wi__owner_self();
    owner.process.start++; /* its pid was used again */
    return owner;
}

static void make_one(void) {
    within (wi_tempdir()) continue;
}

alone(the_next_start_removes_those_of_the_dead) {
    use_this_folder();
    expect_count(status_of(die_inside), SIGKILL);
    expect(*names_in("."));
    make_one();
    expect_nothing_left();
}

alone(a_pid_used_again_another_boot_and_a_lone_owner_file_are_dead) {
    use_this_folder();
    wi__owner owner = dead_owner();
    make_scratch_of(&owner, 1, 1);
    make_scratch_of(&owner, 2, 0);
    memcpy(owner.boot, "ffffffff", 8);
    make_scratch_of(&owner, 3, 1);
    write_file("", ".x.within-1-1-00000000-00000000-0", ""); /* elsewhere */
    make_one();
    expect_text(names_in("."), ".x.within-1-1-00000000-00000000-0 ");
}

alone(an_owner_file_that_was_never_written_goes_too_and_unfinished_files_stay) {
    use_this_folder();
    wi__owner owner = dead_owner();
    write_file("", make_scratch_of(&owner, 1, 0), "");
    const char *unfinished = make_scratch_of(&owner, 2, 0);
    write_file("", unfinished, "snr,ber\n");
    make_one();
    expect_count(size_of(unfinished), 8);
    expect_count(strlen(names_in(".")), strlen(unfinished) + 1); /* it alone */
}

alone(the_living_those_elsewhere_and_what_belongs_to_nobody_stay) {
    char before[4096];
    use_this_folder();
    wi__owner owner = wi__owner_self();
    make_scratch_of(&owner, 1, 1);
    memcpy(owner.host, "ffffffff", 8);
    make_scratch_of(&owner, 2, 1);
    owner = dead_owner();
    expect(unlink(make_scratch_of(&owner, 3, 1)) == 0); /* kept: its owner file is gone */
    expect(mkdir("within.within-notes", 0700) == 0);
    snprintf(before, sizeof before, "%s", names_in("."));
    make_one();
    expect_text(names_in("."), before);
}

alone(one_whose_owner_file_is_locked_stays_whatever_its_name_says) {
    use_this_folder();
    wi__owner owner = dead_owner();
    char name[NAME_MAX + 1];
    int ready[2];
    char byte;
    snprintf(name, sizeof name, "%s", make_scratch_of(&owner, 1, 1));
    expect(pipe(ready) == 0);
    pid_t holder = fork();
    if (holder == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when an expectation fails */
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int file = open(name, O_RDWR | O_CLOEXEC);
        _exit(fcntl(file, F_SETLK, &lock) != 0 || write(ready[1], "", 1) != 1 || pause());
    }
    expect(read(ready[0], &byte, 1) == 1);
    make_one();
    expect(exists(name) && exists(name + 1));
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
}

alone(a_folder_is_swept_once_in_a_process) {
    use_this_folder();
    make_one();
    expect_count(status_of(die_inside), SIGKILL);
    make_one();
    expect(*names_in("."));
    expect(mkdir("other", 0700) == 0);
    setenv("TMPDIR", "other", 1);
    expect_count(status_of(die_inside), SIGKILL);
    make_one();
    expect_text(names_in("other"), "");
}

alone(links_with_the_names_of_scratch_directories_lead_nowhere) {
    use_this_folder();
    wi__owner owner = dead_owner();
    expect(mkdir("outside", 0700) == 0);
    write_file("outside", "file", "kept");
    const char *name = make_scratch_of(&owner, 1, 0);
    expect(symlink("outside", name + 1) == 0); /* in place of the directory */
    make_one();
    expect(!exists(name) && exists(name + 1) && size_of("outside/file") == 4);
    expect(symlink("outside/file", name) == 0); /* in place of the owner file */
    expect_count(status_of(make_one), 0);
    expect(exists(name) && size_of("outside/file") == 4);
}

alone(those_of_another_user_stay) {
    if (geteuid() != 0) exit(0);
    use_this_folder();
    wi__owner owner = dead_owner();
    char name[NAME_MAX + 1];
    snprintf(name, sizeof name, "%s", make_scratch_of(&owner, 1, 1));
    expect(chown(name, 1, 1) == 0 && chown(name + 1, 1, 1) == 0);
    const char *mixed = make_scratch_of(&owner, 2, 1);
    expect(chown(mixed, 1, 1) == 0); /* its directory is this user's */
    make_one();
    expect(exists(name) && exists(name + 1) && exists(mixed) && exists(mixed + 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_block_has_an_empty_directory_of_its_own),
        test(all_that_is_in_it_goes_with_it),
        test(two_at_once_are_two),
        test(its_name_begins_with_the_prefix),
        test(an_object_may_be_used_again_but_not_twice_at_once),
        test(a_prefix_that_cannot_be_is_named),
        test(a_path_is_absolute_wherever_the_program_goes),
        test(a_parent_may_have_any_name),
        test(a_parent_may_be_renamed_meanwhile),
        test(without_a_tmpdir_it_is_tmp),
        test(a_parent_that_will_not_do_is_named),
        test(every_way_out_removes_it),
        test(exit_removes_it),
        test(an_error_keeps_it_if_wanted_and_says_where),
        test(without_an_error_nothing_is_kept_or_said),
        test(what_cannot_be_removed_is_an_error_and_keeps_its_owner),
        test(an_error_of_the_removal_has_the_older_one_as_its_context),
        test(a_child_forked_inside_removes_nothing),
        test(a_forked_child_may_make_its_own),
        test(the_owner_file_tells_whose_it_is),
        test(the_owner_file_is_locked_even_after_another_start_swept_the_folder),
        test(the_ledger_has_it_while_it_is_open),
        test(an_errors_trail_names_it),
        test(the_next_start_removes_those_of_the_dead),
        test(a_pid_used_again_another_boot_and_a_lone_owner_file_are_dead),
        test(an_owner_file_that_was_never_written_goes_too_and_unfinished_files_stay),
        test(the_living_those_elsewhere_and_what_belongs_to_nobody_stay),
        test(one_whose_owner_file_is_locked_stays_whatever_its_name_says),
        test(a_folder_is_swept_once_in_a_process),
        test(links_with_the_names_of_scratch_directories_lead_nowhere),
        test(those_of_another_user_stay),
    };
    return cmocka_run_group_tests_name("tempdir", tests, NULL, NULL);
}
