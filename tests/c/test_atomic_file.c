/* wi_atomic_file and wi_atomic_path: what is published, when, and what is left. */
#include "file_helpers.h"
#include "record_helpers.h"

#include <sys/socket.h>
#include <sys/un.h>

/* Refused, and nothing lies about or is left open. */
#define expect_refused(body, arg, kind, message)                                                   \
    do {                                                                                           \
        int before_ = next_descriptor();                                                           \
        expect_raised(body, arg, kind, message);                                                   \
        expect_count(leftovers(), 0);                                                              \
        expect_count(next_descriptor(), before_);                                                  \
    } while (0)

static void write_new(void *path) {
    within (file, wi_atomic_file(path)) fputs("new", file->stream);
}

static void write_new_at_path(void *path) {
    within (file, wi_atomic_path(path)) put(file->temporary, "new");
}

/* ---- publishing ---- */

alone(a_file_appears_at_the_end_of_its_block) {
    within (file, wi_atomic_file("out")) {
        fputs("new", file->stream);
        fflush(file->stream);
        expect(!exists("out"));
        expect_count(leftovers(), 1);
        expect_count(file->fd, fileno(file->stream));
    }
    expect_text(content("out"), "new");
    expect_count(leftovers(), 0);
}

alone(a_path_is_published_at_the_end_of_its_block) {
    within (file, wi_atomic_path("out")) {
        expect(file->temporary[0] == '/');
        expect(!exists(file->temporary));
        put(file->temporary, "new");
        expect(!exists("out"));
    }
    expect_text(content("out"), "new");
    expect_count(leftovers(), 0);
}

alone(an_old_file_keeps_its_content_until_then) {
    put("out", "old");
    within (file, wi_atomic_file("out")) {
        fputs("new", file->stream);
        fflush(file->stream);
        expect_text(content("out"), "old");
    }
    expect_text(content("out"), "new");
    within (file, wi_atomic_path("out")) {
        put(file->temporary, "newer");
        expect_text(content("out"), "new");
    }
    expect_text(content("out"), "newer");
}

alone(what_goes_through_the_descriptor_is_published_too) {
    within (file, wi_atomic_file("out")) {
        fputs("stream ", file->stream);
        fflush(file->stream);
        expect(write(file->fd, "descriptor", 10) == 10);
    }
    expect_text(content("out"), "stream descriptor");
}

alone(what_was_written_can_be_read_back) {
    char text[8] = "";
    within (file, wi_atomic_file("out")) {
        fputs("new", file->stream);
        rewind(file->stream);
        expect(fgets(text, sizeof text, file->stream) != NULL);
    }
    expect_text(text, "new");
    expect_text(content("out"), "new");
}

alone(the_manager_is_reset_by_its_end_and_can_be_used_again) {
    wi_atomic_file file = wi_atomic_file("out");
    wi_atomic_path path = wi_atomic_path("out2");
    for (int i = 0; i < 2; i++) {
        within (&file) fprintf(file.stream, "%d", i);
        expect(!file.stream && file.fd == -1);
        within (&path) put(path.temporary, i ? "1" : "0");
        expect(!path.temporary);
    }
    expect_text(content("out"), "1");
    expect_text(content("out2"), "1");
}

static void enter_twice(void *unused) {
    (void)unused;
    wi_atomic_file file = wi_atomic_file("out");
    within (&file)
        within (&file) continue;
}

static void enter_path_twice(void *unused) {
    (void)unused;
    wi_atomic_path file = wi_atomic_path("out");
    within (&file)
        within (&file) continue;
}

alone(a_manager_has_one_block_at_a_time) {
    expect_refused(enter_twice, NULL, WI_USAGE_ERROR, "out: this wi_atomic_file is open already");
    expect_refused(enter_path_twice, NULL, WI_USAGE_ERROR,
                   "out: this wi_atomic_path is open already");
    expect(!exists("out"));
}

alone(blocks_nest_even_on_one_target) {
    within (outer, wi_atomic_file("out")) {
        within (inner, wi_atomic_file("out")) fputs("inner", inner->stream);
        expect_text(content("out"), "inner");
        fputs("outer", outer->stream);
    }
    expect_text(content("out"), "outer");
}

alone(no_descriptor_is_left_open_or_inherited) {
    int before = next_descriptor();
    within (file, wi_atomic_file("out")) {
        for (int fd = before; fd <= file->fd; fd++) expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    write_new_at_path("out");
    expect_count(next_descriptor(), before);
}

alone(moving_elsewhere_in_the_block_does_not_matter) {
    mkdir("sub", 0700);
    within (file, wi_atomic_file("out")) {
        fputs("new", file->stream);
        expect(chdir("sub") == 0);
    }
    expect_text(content("../out"), "new");
    within (file, wi_atomic_path("out")) {
        expect(chdir("..") == 0);
        put(file->temporary, "new");
    }
    expect_text(content("sub/out"), "new");
}

alone(a_folder_that_moves_takes_its_file_along) {
    mkdir("sub", 0700);
    within (file, wi_atomic_file("sub/out")) {
        fputs("new", file->stream);
        expect(rename("sub", "moved") == 0);
    }
    expect_text(content("moved/out"), "new");
}

/* ---- other ends of a block ---- */

static void raise_in_file(void *path) {
    within (file, wi_atomic_file(path)) {
        fputs("half", file->stream);
        wi_raise(WI_VALUE_ERROR, "enough");
    }
}

static void raise_in_path(void *path) {
    within (file, wi_atomic_path(path)) {
        put(file->temporary, "half");
        wi_raise(WI_VALUE_ERROR, "enough");
    }
}

alone(an_error_discards_and_says_nothing_more) {
    put("out", "old");
    hear("said");
    expect_refused(raise_in_file, "out", WI_VALUE_ERROR, "enough");
    expect_refused(raise_in_path, "out", WI_VALUE_ERROR, "enough");
    expect_text(content("out"), "old");
    expect_text(content("said"), "");
}

static void return_from_file(void) {
    within (file, wi_atomic_file("out")) {
        fputs("half", file->stream);
        return;
    }
}

static void return_from_path(void) {
    within (file, wi_atomic_path("out")) {
        put(file->temporary, "half");
        return;
    }
}

#define LEFT "within: out: its block was left before the end, and nothing is published\n"

alone(a_return_discards_and_says_so) {
    put("out", "old");
    hear("said");
    return_from_file();
    expect_text(content("said"), LEFT);
    return_from_path();
    expect_text(content("said"), LEFT LEFT);
    for (int i = 0; i < 4; i++) return_from_file();
    expect_text(content("said"), LEFT LEFT LEFT LEFT LEFT LEFT);
    expect_text(content("out"), "old");
    expect_count(leftovers(), 0);
}

static void commit_file_and_return(void) {
    within (file, wi_atomic_file("out")) {
        fputs("new", file->stream);
        wi_atomic_file_commit(file);
        expect_text(content("out"), "new");
        expect(!file->stream && file->fd == -1);
        return;
    }
}

static void commit_path_and_return(void) {
    within (file, wi_atomic_path("out")) {
        put(file->temporary, "newer");
        wi_atomic_path_commit(file);
        expect_text(content("out"), "newer");
        expect(!file->temporary);
        return;
    }
}

alone(a_return_after_a_commit_is_silent) {
    hear("said");
    commit_file_and_return();
    commit_path_and_return();
    expect_text(content("out"), "newer");
    expect_text(content("said"), "");
}

static void commit_twice(void *path) {
    within (file, wi_atomic_file(path)) {
        wi_atomic_file_commit(file);
        wi_atomic_file_commit(file);
    }
}

static void commit_path_twice(void *path) {
    within (file, wi_atomic_path(path)) {
        put(file->temporary, "new");
        wi_atomic_path_commit(file);
        wi_atomic_path_commit(file);
    }
}

alone(there_is_one_commit_a_block) {
    expect_refused(commit_twice, "out", WI_USAGE_ERROR,
                   "out: there is nothing that this process could publish");
    expect_refused(commit_path_twice, "out2", WI_USAGE_ERROR,
                   "out2: there is nothing that this process could publish");
    expect(exists("out") && exists("out2"));
}

alone(exit_discards) {
    put("out", "old");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        hear("said");
        within (file, wi_atomic_file("out")) {
            fputs("half", file->stream);
            exit(0);
        }
    }
    waitpid(child, NULL, 0);
    expect_text(content("out"), "old");
    expect_text(content("said"), LEFT);
    expect_count(leftovers(), 0);
}

static void *wait_in_block(void *path) {
    within (file, wi_atomic_file(path)) {
        fputs("half", file->stream);
        for (;;) pause();
    }
    return NULL;
}

alone(a_cancelled_thread_discards) {
    hear("said");
    pthread_t thread = start(wait_in_block, "out");
    while (!leftovers()) usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    expect(!exists("out"));
    expect_count(leftovers(), 0);
    expect_text(content("said"), LEFT);
}

/* The cancellation comes before any call of the end, which must not stop half-way. */
static void *cancel_itself(void *path) {
    within (file, wi_atomic_file(path)) {
        fputs("new", file->stream);
        pthread_cancel(pthread_self());
    }
    pthread_testcancel();
    return NULL;
}

alone(a_commit_is_not_cancelled_half_way) {
    int before = next_descriptor();
    expect(in_thread(cancel_itself, "out") == PTHREAD_CANCELED);
    expect_text(content("out"), "new");
    expect_count(leftovers(), 0);
    expect_count(next_descriptor(), before);
}

/* ---- permissions ---- */

alone(a_new_file_has_the_usual_permissions) {
    umask(027);
    write_new("out");
    expect_count(mode_of("out"), 0640);
    write_new_at_path("out2");
    expect_count(mode_of("out2"), 0640);
}

alone(an_old_files_permissions_are_kept) {
    umask(022);
    static const mode_t modes[] = {0600, 0666, 0755, 04711};
    for (int i = 0; i < 4; i++) {
        put("out", "old");
        chmod("out", modes[i]);
        write_new("out");
        expect_count(mode_of("out"), modes[i]);
        write_new_at_path("out");
        expect_count(mode_of("out"), modes[i]);
    }
}

alone(a_secret_is_nobody_elses_on_its_way) {
    umask(0);
    put("out", "old");
    chmod("out", 0600);
    struct stat status;
    within (file, wi_atomic_file("out")) {
        expect(fstat(file->fd, &status) == 0);
        expect_count(status.st_mode & 0777, 0600);
    }
    within (file, wi_atomic_file("other", .mode = 0640)) {
        expect(fstat(file->fd, &status) == 0);
        expect_count(status.st_mode & 0777, 0600);
    }
    expect_count(mode_of("other"), 0640);
}

alone(permissions_that_are_asked_for_are_given) {
    umask(077);
    put("out", "old");
    within (wi_atomic_file("out", .mode = 0664)) continue;
    expect_count(mode_of("out"), 0664);
}

alone(permissions_changed_in_the_meantime_are_kept) {
    put("out", "old");
    within (wi_atomic_file("out")) chmod("out", 0604);
    expect_count(mode_of("out"), 0604);
}

alone(permissions_of_a_file_that_went_in_the_meantime_are_kept) {
    put("out", "old");
    chmod("out", 0604);
    within (wi_atomic_file("out")) remove("out");
    expect_count(mode_of("out"), 0604);
}

static void require_root(void) {
    if (geteuid() != 0) exit(0);
}

alone(an_old_files_owner_and_group_are_kept) {
    require_root();
    struct stat status;
    put("out", "old");
    expect(chown("out", NOBODY, OTHER) == 0 && chmod("out", 06775) == 0);
    write_new("out");
    expect(stat("out", &status) == 0);
    expect_count(status.st_uid, NOBODY);
    expect_count(status.st_gid, OTHER);
    expect_count(status.st_mode & 07777, 06775);
}

/* Who could read it as one of the group must not become anyone's of another group. */
alone(permissions_of_an_owner_and_group_that_cannot_be_kept_are_not_given_to_others) {
    require_root();
    struct stat status;
    put("out", "old");
    chmod(".", 0777);
    expect(chown("out", OTHER, OTHER) == 0 && chmod("out", 06764) == 0);
    expect(setegid(NOBODY) == 0 && seteuid(NOBODY) == 0);
    expect(access("out", F_OK) == 0);
    within (file, wi_atomic_file("mine")) fputs("mine", file->stream);
    expect(seteuid(0) == 0 && chmod("out", 06766) == 0 && seteuid(NOBODY) == 0);
    write_new("out");
    expect(stat("out", &status) == 0);
    expect_count(status.st_uid, NOBODY);
    expect_count(status.st_gid, NOBODY);
    expect_count(status.st_mode & 07777, 0766);
    expect(seteuid(0) == 0 && chown("out", OTHER, OTHER) == 0 && chmod("out", 0772) == 0);
    expect(seteuid(NOBODY) == 0);
    write_new("out");
    expect_count(mode_of("out"), 0722);
    end_as_another();
}

/* ---- targets ---- */

alone(a_link_is_followed_to_its_end) {
    mkdir("sub", 0700);
    put("sub/out", "old");
    expect(symlink("out", "sub/second") == 0);
    expect(symlink("sub/second", "first") == 0);
    write_new("first");
    expect_text(content("sub/out"), "new");
    put("sub/out", "old");
    write_new_at_path("first");
    expect_text(content("sub/out"), "new");
    char link[16] = "";
    expect(readlink("first", link, sizeof link) == 10 && readlink("sub/second", link, 16) == 3);
}

alone(the_target_of_a_dangling_link_is_made) {
    char absolute[PATH_MAX + 16];
    expect(mkdir("sub", 0700) == 0 && getcwd(absolute, PATH_MAX) != NULL);
    strcat(absolute, "/sub/out");
    expect(symlink(absolute, "link") == 0);
    write_new("link");
    expect_text(content("sub/out"), "new");
}

alone(links_in_a_circle_are_refused) {
    expect(symlink("b", "a") == 0 && symlink("a", "b") == 0);
    expect_refused(write_new, "a", WI_OS_ERROR,
                   "a: cannot be found: Too many levels of symbolic links");
}

alone(other_links_to_an_old_file_keep_its_content) {
    put("out", "old");
    expect(link("out", "other") == 0);
    write_new("out");
    expect_text(content("other"), "old");
}

alone(a_folder_is_refused) {
    mkdir("sub", 0700);
    expect_refused(write_new, "sub", WI_IS_A_DIRECTORY, "sub: cannot be replaced: Is a directory");
    expect_refused(write_new, "sub/", WI_IS_A_DIRECTORY,
                   "sub/: cannot be replaced: Is a directory");
    expect_refused(write_new, ".", WI_IS_A_DIRECTORY, ".: cannot be replaced: Is a directory");
    expect_refused(write_new, "/", WI_IS_A_DIRECTORY, "/: cannot be replaced: Is a directory");
    expect_refused(write_new_at_path, "sub", WI_IS_A_DIRECTORY,
                   "sub: cannot be replaced: Is a directory");
}

alone(a_missing_folder_is_named) {
    expect_refused(write_new, "missing/out", WI_FILE_NOT_FOUND,
                   "missing/out: its folder cannot be opened: No such file or directory");
    expect_refused(write_new_at_path, "missing/out", WI_FILE_NOT_FOUND,
                   "missing/out: its folder cannot be opened: No such file or directory");
    put("file", "");
    expect_refused(write_new, "file/out", WI_NOT_A_DIRECTORY,
                   "file/out: cannot be found: Not a directory");
    expect_refused(write_new, "", WI_FILE_NOT_FOUND,
                   ": cannot be found: No such file or directory");
    expect_refused(write_new, NULL, WI_FILE_NOT_FOUND,
                   "(null): cannot be found: No such file or directory");
}

#define NO_FILE "is a pipe, a device or a socket: only a regular file can be replaced"

alone(what_is_no_regular_file_is_refused) {
    struct sockaddr_un address = {AF_UNIX, "socket"};
    expect(mkfifo("pipe", 0600) == 0);
    expect(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) == 0);
    expect_refused(write_new, "pipe", WI_OS_ERROR, "pipe: " NO_FILE);
    expect_refused(write_new, "socket", WI_OS_ERROR, "socket: " NO_FILE);
    expect_refused(write_new, "/dev/null", WI_OS_ERROR, "/dev/null: " NO_FILE);
    expect_refused(write_new_at_path, "pipe", WI_OS_ERROR, "pipe: " NO_FILE);
    put("output", "");
    expect(dup2(open("output", O_WRONLY), 1) == 1);
    expect_refused(write_new, "/dev/stdout", WI_OS_ERROR,
                   "/dev/stdout: is an open descriptor: only a regular file can be replaced");
}

alone(what_must_not_be_written_is_refused) {
    put("read-only", "old");
    chmod("read-only", 0444);
    mkdir("sub", 0777);
    if (geteuid() == 0) {
        chmod(".", 0755);
        expect(seteuid(NOBODY) == 0);
    } else {
        chmod("sub", 0555);
    }
    expect_refused(write_new, "read-only", WI_PERMISSION_ERROR,
                   "read-only: must not be written: Permission denied");
    expect_refused(write_new, "sub/out", WI_PERMISSION_ERROR,
                   "sub/out: its folder must not be written: Permission denied");
    expect_refused(write_new_at_path, "sub/out", WI_PERMISSION_ERROR,
                   "sub/out: its folder must not be written: Permission denied");
    end_as_another();
}

static void expect_written_under(const char *name) {
    write_new((void *)name);
    expect_text(content(name), "new");
    remove(name);
    write_new_at_path((void *)name);
    expect_text(content(name), "new");
    remove(name);
    expect_count(leftovers(), 0);
}

alone(any_name_that_the_system_takes_will_do) {
    char longest[NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[NAME_MAX] = '\0';
    expect_written_under(longest);
    expect_written_under("two words");
    expect_written_under("two\nlines");
    expect_written_under("B\xc3\xa4r \xe2\x88\x9a");
    expect_written_under("\xff\xfe");
    expect_written_under("...");
    expect_written_under("-");
    memset(longest, 'a', sizeof longest);
    longest[NAME_MAX + 1] = '\0';
    wi_error *error = error_of(write_new, longest);
    expect(error && wi_error_errno(error) == ENAMETOOLONG);
    wi_error_free(error);
}

/* ---- options ---- */

static void write_exclusively(void *path) {
    within (file, wi_atomic_file(path, .exclusive = 1)) fputs("new", file->stream);
}

static void be_overtaken(void *path) {
    within (file, wi_atomic_file(path, .exclusive = 1)) {
        fputs("new", file->stream);
        put(path, "another's");
    }
}

alone(an_exclusive_file_replaces_nothing) {
    write_exclusively("out");
    expect_text(content("out"), "new");
    put("out", "old");
    expect_refused(write_exclusively, "out", WI_FILE_EXISTS, "out: must not be there: File exists");
    expect_text(content("out"), "old");
    expect(symlink("missing", "link") == 0);
    expect_refused(write_exclusively, "link", WI_FILE_EXISTS,
                   "link: must not be there: File exists");
    expect_refused(be_overtaken, "late", WI_FILE_EXISTS,
                   "late: cannot be renamed over: File exists");
    expect_text(content("late"), "another's");
}

alone(space_is_reserved_and_given_back) {
    struct stat status;
    within (file, wi_atomic_file("out", .size = 1 << 20)) {
        expect(fstat(file->fd, &status) == 0);
        expect_count(status.st_size, 0);
        if (status.st_blocks) expect(status.st_blocks * 512 >= 1 << 20);
        fputs("new", file->stream);
    }
    expect(stat("out", &status) == 0);
    expect_count(status.st_size, 3);
    expect(status.st_blocks * 512 < 1 << 17);
}

alone(a_file_may_become_larger_than_what_was_reserved) {
    within (file, wi_atomic_file("out", .size = 2)) fputs("new content", file->stream);
    expect_text(content("out"), "new content");
}

static void reserve_too_much(void *path) {
    within (wi_atomic_file(path, .size = (size_t)1 << 62)) continue;
}

alone(space_that_is_not_there_is_missed_at_once) {
    wi_error *error = error_of(reserve_too_much, "out");
    expect(error && wi_error_is(error, WI_OS_ERROR));
    expect(strstr(wi_error_message(error), "out: no space can be reserved: "));
    wi_error_free(error);
    expect_count(leftovers(), 0);
}

alone(files_need_not_be_synced) {
    within (file, wi_atomic_file("out", .no_sync = 1)) fputs("new", file->stream);
    within (file, wi_atomic_path("out2", .no_sync = 1)) put(file->temporary, "new");
    expect_text(content("out"), "new");
    expect_text(content("out2"), "new");
}

/* ---- bodies that go wrong ---- */

static void fill_the_disk(int fd) {
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    dup2(full, fd);
    close(full);
}

static void lose_a_write(void *path) {
    within (file, wi_atomic_file(path)) {
        int kept = dup(file->fd);
        setvbuf(file->stream, NULL, _IONBF, 0);
        fill_the_disk(file->fd);
        fputs("lost", file->stream);
        dup2(kept, file->fd);
        close(kept);
    }
}

static void end_on_full_disk(void *path) {
    within (file, wi_atomic_file(path)) {
        fputs("lost", file->stream);
        fill_the_disk(file->fd);
    }
}

alone(what_cannot_be_flushed_is_an_error) {
    put("out", "old");
    expect_refused(end_on_full_disk, "out", WI_DISK_FULL,
                   "out: cannot be written: No space left on device");
    expect_text(content("out"), "old");
}

alone(a_write_that_failed_is_not_forgotten) {
    put("out", "old");
    expect_refused(lose_a_write, "out", WI_OS_ERROR,
                   "out: an earlier read or write of it has failed");
    expect_text(content("out"), "old");
}

static void make_nothing(void *path) {
    within (wi_atomic_path(path)) continue;
}
static void make_folder(void *path) {
    within (file, wi_atomic_path(path)) mkdir(file->temporary, 0700);
}
static void make_link(void *path) {
    within (file, wi_atomic_path(path)) expect(symlink("other", file->temporary) == 0);
}
static void make_pipe(void *path) {
    within (file, wi_atomic_path(path)) mkfifo(file->temporary, 0600);
}

alone(a_path_at_which_no_file_was_made_is_an_error) {
    put("out", "old");
    put("other", "other");
    expect_refused(
        make_nothing, "out", WI_FILE_NOT_FOUND,
        "out: the block has made no file at its temporary path: No such file or directory");
    expect_refused(make_link, "out", WI_OS_ERROR,
                   "out: the block has made a link, which is not published");
    expect_refused(make_pipe, "out", WI_OS_ERROR,
                   "out: the block has made something that is no regular file");
    expect_text(content("out"), "old");
}

alone(a_folder_made_at_a_path_is_refused_and_kept) {
    hear("said");
    wi_error *error = error_of(make_folder, "out");
    expect(wi_error_is(error, WI_IS_A_DIRECTORY));
    expect_text(wi_error_message(error),
                "out: the block has made a folder: only a file can be published: Is a directory");
    wi_error_free(error);
    expect(strstr(content("said"), " is left behind: Is a directory"));
    expect_count(leftovers(), 1);
}

static void target_becomes_folder(void *path) {
    within (file, wi_atomic_file(path)) {
        fputs("new", file->stream);
        expect(mkdir(path, 0700) == 0);
    }
}

alone(a_target_that_became_a_folder_is_refused) {
    expect_refused(target_becomes_folder, "out", WI_IS_A_DIRECTORY,
                   "out: cannot be renamed over: Is a directory");
}

static void lose_temporary(void *path) {
    within (file, wi_atomic_file(path)) {
        fputs("new", file->stream);
        expect(system("rm .out.within-*") == 0);
    }
}

alone(a_temporary_that_was_removed_is_an_error) {
    put("out", "old");
    expect_refused(lose_temporary, "out", WI_FILE_NOT_FOUND,
                   "out: cannot be renamed over: No such file or directory");
    expect_text(content("out"), "old");
}

/* ---- forks ---- */

alone(a_childs_end_neither_publishes_nor_discards) {
    put("out", "old");
    hear("said");
    within (file, wi_atomic_file("out")) {
        fputs("new", file->stream); /* still in the stream: the child must not write it */
        pid_t child = fork();
        if (child == 0) exit(7);
        expect_count(exit_of(child), 7);
        expect_text(content("out"), "old");
        expect_count(leftovers(), 1);
    }
    expect_text(content("out"), "new");
    expect_text(content("said"), "");
}

alone(a_child_that_reaches_the_blocks_end_does_not_publish) {
    put("out", "old");
    put("out2", "old");
    pid_t child = -1, parent = getpid();
    within (path, wi_atomic_path("out2")) {
        put(path->temporary, "new");
        within (file, wi_atomic_file("out")) {
            fputs("new", file->stream);
            child = fork();
            if (child) {
                expect_count(exit_of(child), 0);
                expect_count(leftovers(), 2);
                expect_text(content("out2"), "old");
            }
        }
    }
    if (getpid() != parent) {
        expect_text(content("out"), "old");
        _exit(0);
    }
    expect_text(content("out"), "new");
    expect_text(content("out2"), "new");
}

alone(a_child_cannot_commit) {
    put("out", "old");
    within (file, wi_atomic_file("out")) {
        pid_t child = fork();
        if (child == 0) {
            wi_error *error = error_of((void (*)(void *))wi_atomic_file_commit, file);
            _exit(wi_error_is(error, WI_USAGE_ERROR) ? 0 : 1);
        }
        expect_count(exit_of(child), 0);
        expect_text(content("out"), "old");
    }
}

/* The owner's lock tells that it lives, where its pid means nothing: it holds until the block ends. */
alone(the_temporary_is_locked_by_its_owner) {
    within (file, wi_atomic_file("out")) {
        for (int i = 0; i < 2; i++) { /* a child's end does not unlock */
            pid_t child = fork();
            if (child == 0) {
                struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
                _exit(fcntl(file->fd, F_SETLK, &whole) == 0);
            }
            expect_count(exit_of(child), 0);
        }
    }
}

/* ---- the ledger and the trail ---- */

alone(what_is_being_written_is_in_the_ledger) {
    within (wi_atomic_file("out")) {
        within (file, wi_atomic_path("out2")) {
            wi__profile profile = own_profile();
            expect_text(open_in(&profile), "atomic path out2, atomic file out");
            wi__profile_release(&profile);
            put(file->temporary, "");
        }
    }
    wi__profile profile = own_profile();
    expect_text(open_in(&profile), "");
    wi__profile_release(&profile);
}

alone(an_errors_trail_names_the_file) {
    wi_error *error = error_of(raise_in_file, "out");
    expect_text(wi_error_trail(error, 0)->manager, "atomic file");
    expect_text(wi_error_trail(error, 0)->what, "out");
    wi_error_free(error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_file_appears_at_the_end_of_its_block),
        test(a_path_is_published_at_the_end_of_its_block),
        test(an_old_file_keeps_its_content_until_then),
        test(what_goes_through_the_descriptor_is_published_too),
        test(what_was_written_can_be_read_back),
        test(the_manager_is_reset_by_its_end_and_can_be_used_again),
        test(a_manager_has_one_block_at_a_time),
        test(blocks_nest_even_on_one_target),
        test(no_descriptor_is_left_open_or_inherited),
        test(moving_elsewhere_in_the_block_does_not_matter),
        test(a_folder_that_moves_takes_its_file_along),
        test(an_error_discards_and_says_nothing_more),
        test(a_return_discards_and_says_so),
        test(a_return_after_a_commit_is_silent),
        test(there_is_one_commit_a_block),
        test(exit_discards),
        test(a_cancelled_thread_discards),
        test(a_commit_is_not_cancelled_half_way),
        test(a_new_file_has_the_usual_permissions),
        test(an_old_files_permissions_are_kept),
        test(a_secret_is_nobody_elses_on_its_way),
        test(permissions_that_are_asked_for_are_given),
        test(permissions_changed_in_the_meantime_are_kept),
        test(permissions_of_a_file_that_went_in_the_meantime_are_kept),
        test(an_old_files_owner_and_group_are_kept),
        test(permissions_of_an_owner_and_group_that_cannot_be_kept_are_not_given_to_others),
        test(a_link_is_followed_to_its_end),
        test(the_target_of_a_dangling_link_is_made),
        test(links_in_a_circle_are_refused),
        test(other_links_to_an_old_file_keep_its_content),
        test(a_folder_is_refused),
        test(a_missing_folder_is_named),
        test(what_is_no_regular_file_is_refused),
        test(what_must_not_be_written_is_refused),
        test(any_name_that_the_system_takes_will_do),
        test(an_exclusive_file_replaces_nothing),
        test(space_is_reserved_and_given_back),
        test(a_file_may_become_larger_than_what_was_reserved),
        test(space_that_is_not_there_is_missed_at_once),
        test(files_need_not_be_synced),
        test(what_cannot_be_flushed_is_an_error),
        test(a_write_that_failed_is_not_forgotten),
        test(a_path_at_which_no_file_was_made_is_an_error),
        test(a_folder_made_at_a_path_is_refused_and_kept),
        test(a_target_that_became_a_folder_is_refused),
        test(a_temporary_that_was_removed_is_an_error),
        test(a_childs_end_neither_publishes_nor_discards),
        test(a_child_that_reaches_the_blocks_end_does_not_publish),
        test(a_child_cannot_commit),
        test(the_temporary_is_locked_by_its_owner),
        test(what_is_being_written_is_in_the_ledger),
        test(an_errors_trail_names_the_file),
    };
    return cmocka_run_group_tests_name("atomic file", tests, NULL, NULL);
}
