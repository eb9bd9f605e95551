/* wi_redirect: what is caught, what is put back, and who keeps what. */
#include "file_helpers.h"

#include <dlfcn.h>
#include <stdio_ext.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <termios.h>

#include "manage/redirect_slot.h"
#include "manage/redirect_tee.h"

#define BODY(name) static void name(void *arg WI__UNUSED)

/* ---- standing outside: stdout and stderr lead into files ---- */

static void lead(int fd, const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    expect(dup2(file, fd) == fd);
    close(file);
}

static void stand_outside(void) {
    fflush(stdout);
    lead(1, "out");
}

/* All that stdout has led to. */
static const char *outside(void) {
    fflush(stdout);
    return content("out");
}

static void say(int fd, const char *text) {
    expect(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void enter(wi_redirect *redirect) { redirect->protocol->enter(redirect); }
static void leave(wi_redirect *redirect) { redirect->protocol->exit(redirect, WI_END, NULL); }

/* ---- files ---- */

alone(a_file_gets_all_that_is_written_to_the_descriptor) {
    stand_outside();
    printf("before ");
    within (wi_redirect(STDOUT_FILENO, .path = "log")) {
        printf("C\n");
        fflush(stdout);
        say(1, "write\n");
        expect(system("echo child") == 0);
        printf("last");
    }
    printf("after");
    expect_text(content("log"), "C\nwrite\nchild\nlast");
    expect_text(outside(), "before after");
}

alone(a_file_is_emptied_or_appended_to) {
    stand_outside();
    put("log", "old\n");
    within (wi_redirect(1, .path = "log", .append = 1)) printf("new\n");
    expect_text(content("log"), "old\nnew\n");
    within (wi_redirect(1, .path = "log")) printf("third\n");
    expect_text(content("log"), "third\n");
    expect(mode_of("log") == 0644 || mode_of("log") == 0666 || mode_of("log") == 0600);
}

alone(others_who_write_to_the_file_overwrite_nothing) {
    stand_outside();
    within (wi_redirect(1, .path = "log")) {
        say(1, "one\n");
        int other = open("log", O_WRONLY | O_APPEND | O_CLOEXEC);
        say(other, "two\n");
        close(other);
        say(1, "three\n");
    }
    expect_text(content("log"), "one\ntwo\nthree\n");
}

alone(what_is_no_file_will_do_as_well) {
    stand_outside();
    within (wi_redirect(1, .path = "/dev/null")) printf("lost");
    expect_text(outside(), "");
}

alone(any_descriptor_can_be_redirected_and_keeps_its_flag) {
    for (int flag = 0; flag <= O_CLOEXEC; flag += O_CLOEXEC) {
        remove("own");
        int own = open("own", O_WRONLY | O_CREAT | flag, 0600);
        within (wi_redirect(own, .path = "log")) {
            say(own, "inside");
            expect_count(fcntl(own, F_GETFD), flag ? FD_CLOEXEC : 0);
        }
        expect_count(fcntl(own, F_GETFD), flag ? FD_CLOEXEC : 0);
        say(own, "outside");
        close(own);
        expect_text(content("log"), "inside");
        expect_text(content("own"), "outside");
    }
}

/* ---- other descriptors ---- */

alone(stderr_can_go_where_stdout_goes) {
    stand_outside();
    hear("said");
    within (wi_redirect(STDERR_FILENO, .to = STDOUT_FILENO)) {
        printf("one\n");
        fprintf(stderr, "two\n");
        printf("three\n");
    }
    fprintf(stderr, "outside");
    expect_text(outside(), "one\ntwo\nthree\n");
    expect_text(content("said"), "outside");
}

alone(stdout_and_stderr_in_one_place_keep_their_order) {
    stand_outside();
    hear("said");
    printf("begun, ");
    for (int i = 0; i < 3; i++) { /* every time again */
        within (wi_redirect_output(.path = "log", .append = 1)) {
            printf("1\n");
            fprintf(stderr, "2\n");
            puts("3");
            say(1, "4\n");
            say(2, "5\n");
            printf("6\n");
            expect(system("echo 7; echo 8 >&2; echo 9") == 0);
        }
        printf("out ");
        fprintf(stderr, "err ");
    }
    expect_text(content("log"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"
                                "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    expect_text(outside(), "begun, out out out ");
    expect_text(content("said"), "err err err ");
}

alone(two_blocks_with_one_path_are_one_place_too) {
    stand_outside();
    hear("said");
    within (wi_redirect(1, .path = "log"))
        within (wi_redirect(2, .path = "log", .append = 1)) {
            printf("1\n");
            fprintf(stderr, "2\n");
            printf("3\n");
        }
    expect_text(content("log"), "1\n2\n3\n");
}

alone(by_line_keeps_the_order_with_programs) {
    stand_outside();
    within (wi_redirect(1, .path = "log", .by_line = 1)) {
        printf("1\n");
        expect(system("echo 2") == 0);
        printf("3\n");
    }
    expect_text(content("log"), "1\n2\n3\n");
}

/* ---- buffers ---- */

alone(a_buffer_can_be_read_inside_and_afterwards) {
    wi_captured output = {0};
    stand_outside();
    expect_text(wi_captured_text(&output), "");
    within (wi_redirect(STDOUT_FILENO, .into = &output)) {
        expect_text(wi_captured_text(&output), "");
        printf("one ");
        expect_text(wi_captured_text(&output), "one ");
        say(1, "two ");
        expect(system("echo three") == 0);
        expect_text(wi_captured_text(&output), "one two three\n");
        expect_count(output.length, 14);
        printf("four");
    }
    printf("outside");
    expect_text(wi_captured_text(&output), "one two three\nfour");
    expect_count(output.length, 18);
    wi_captured_free(&output);
    expect(output.length == 0 && output.capture == NULL);
    wi_captured_free(&output);
    expect_text(outside(), "outside");
}

alone(a_buffer_forgets_what_was_in_it_and_counts_zero_bytes) {
    wi_captured output = {0};
    stand_outside();
    int first = next_descriptor();
    within (wi_redirect(1, .into = &output)) printf("a long first text");
    expect_text(wi_captured_text(&output), "a long first text");
    within (wi_redirect(1, .into = &output)) expect(write(1, "a\0b", 3) == 3);
    expect(memcmp(wi_captured_text(&output), "a\0b", 4) == 0 && output.length == 3);
    wi_captured_free(&output);
    expect_count(next_descriptor(), first);
}

alone(a_buffer_that_was_never_read_gives_back_all) {
    stand_outside();
    int first = next_descriptor();
    for (int i = 0; i < 3; i++) {
        wi_captured output = {0};
        within (wi_redirect_output(.into = &output)) printf("text");
        wi_captured_free(&output);
    }
    expect_count(next_descriptor(), first);
}

enum { CHUNK = 1 << 16, CHUNKS = 1600 };

static void print_chunks(int fd) {
    static char chunk[CHUNK];
    for (int i = 0; i < CHUNKS; i++) {
        memset(chunk, 'a' + i % 26, sizeof chunk);
        expect(write(fd, chunk, sizeof chunk) == CHUNK);
    }
}

static int are_chunks(const char *text) {
    for (size_t i = 0; i < (size_t)CHUNK * CHUNKS; i++)
        if (text[i] != 'a' + (int)(i / CHUNK) % 26) return 0;
    return 1;
}

alone(a_hundred_megabytes_are_caught) {
    wi_captured output = {0};
    stand_outside();
    within (wi_redirect(1, .into = &output)) print_chunks(1);
    expect(are_chunks(wi_captured_text(&output)));
    expect_count(output.length, (size_t)CHUNK * CHUNKS);
    within (wi_redirect(1, .into = &output)) {
        pid_t child = fork();
        if (child == 0) {
            print_chunks(1);
            _exit(0);
        }
        expect_count(exit_of(child), 0);
    }
    expect(are_chunks(wi_captured_text(&output)));
    wi_captured_free(&output);
}

/* The library's calls come here. */
static int no_memfd;
int memfd_create(const char *name, unsigned flags) {
    if (no_memfd) errno = ENOSYS;
    return no_memfd ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

alone(without_files_in_memory_a_buffer_is_one_without_a_name) {
    wi_captured output = {0};
    stand_outside();
    no_memfd = 1;
    expect(mkdir("scratch", 0700) == 0 && setenv("TMPDIR", "scratch", 1) == 0);
    within (wi_redirect(1, .into = &output)) {
        printf("caught");
        expect(rmdir("scratch") == 0);
    }
    expect_text(wi_captured_text(&output), "caught");
    wi_captured_free(&output);
}

BODY(capture_nowhere) {
    within (wi_redirect(1, .into = arg)) continue;
}

alone(without_any_place_for_a_buffer_there_is_an_error) {
    wi_captured output = {0};
    stand_outside();
    no_memfd = 1;
    setenv("TMPDIR", "missing", 1);
    expect_raised(capture_nowhere, &output, WI_FILE_NOT_FOUND,
                  "stdout: no buffer can be made: No such file or directory");
    expect_text(wi_captured_text(&output), "");
}

BODY(use_a_buffer_twice) {
    within (wi_redirect(1, .into = arg))
        within (wi_redirect(2, .into = arg)) continue;
}

BODY(free_a_buffer_inside) {
    within (wi_redirect(1, .into = arg)) wi_captured_free(arg);
}

alone(a_buffer_in_use_cannot_be_filled_or_freed) {
    wi_captured output = {0};
    stand_outside();
    expect_raised(use_a_buffer_twice, &output, WI_USAGE_ERROR,
                  "stderr: another block is filling this wi_captured");
    expect_raised(free_a_buffer_inside, &output, WI_USAGE_ERROR,
                  "this wi_captured is being filled: free it after its block");
    printf("outside");
    expect_text(outside(), "outside");
    wi_captured_free(&output);
}

/* ---- every way out ---- */

BODY(raise_inside) {
    within (wi_redirect(1, .path = "log")) {
        printf("inside");
        wi_raise(WI_VALUE_ERROR, "no");
    }
}

static void return_inside(void) {
    within (wi_redirect(1, .path = "log", .append = 1)) {
        printf(" returned");
        return;
    }
}

static void exit_inside(void) {
    within (wi_redirect(1, .path = "log", .append = 1)) {
        printf(" exited");
        exit(0);
    }
}

alone(every_way_out_puts_it_back) {
    stand_outside();
    expect_raised(raise_inside, NULL, WI_VALUE_ERROR, "no");
    return_inside();
    expect_count(status_of(exit_inside), 0);
    printf("outside");
    expect_text(content("log"), "inside returned exited");
    expect_text(outside(), "outside");
}

BODY(go_wrong) {
    within (wi_redirect_output(.path = "log")) wi_raise(WI_VALUE_ERROR, "no");
}

alone(an_error_names_it_in_its_trail) {
    stand_outside();
    wi_error *error = error_of(go_wrong, NULL);
    expect_text(wi_error_trail(error, 0)->manager, "redirect");
    expect_text(wi_error_trail(error, 0)->what, "stdout and stderr to log");
    wi_error_free(error);
}

/* ---- what the body does to the descriptor ---- */

alone(a_descriptor_that_was_closed_is_closed_again) {
    fflush(stdout);
    close(1);
    int first = next_descriptor();
    within (wi_redirect(1, .path = "log")) {
        expect_count(first, 1);
        printf("inside");
    }
    expect(fcntl(1, F_GETFD) < 0 && errno == EBADF);
    expect_text(content("log"), "inside");
    close(0), close(2);
    wi_captured output = {0};
    within (wi_redirect_output(.into = &output)) say(2, "all closed");
    expect(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0);
    expect_text(wi_captured_text(&output), "all closed");
    wi_captured_free(&output);
}

alone(a_descriptor_closed_or_led_elsewhere_meanwhile_is_put_back) {
    stand_outside();
    within (wi_redirect(1, .path = "log")) {
        say(1, "inside");
        close(1);
    }
    say(1, "one ");
    within (wi_redirect(1, .path = "log")) lead(1, "elsewhere");
    say(1, "two");
    expect_text(outside(), "one two");
}

/* ---- blocks in blocks, and in any order ---- */

alone(blocks_of_one_descriptor_nest) {
    wi_captured output = {0};
    stand_outside();
    printf("0");
    within (wi_redirect(1, .path = "outer")) {
        printf("1");
        within (wi_redirect(1, .into = &output)) {
            printf("2");
            within (wi_redirect_output(.path = "inner")) printf("3");
            printf("2");
        }
        printf("1");
    }
    printf("0");
    expect_text(outside(), "00");
    expect_text(content("outer"), "11");
    expect_text(wi_captured_text(&output), "22");
    expect_text(content("inner"), "3");
    wi_captured_free(&output);
}

alone(blocks_that_end_in_any_order_put_back_what_was_there_first) {
    static const char *const paths[] = {"a", "b", "c"};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const char *const newest_left[6][2] = {{"c", "c"}, {"c", "b"}, {"c", "c"},
                                                  {"c", "a"}, {"b", "b"}, {"b", "a"}};
    stand_outside();
    int first = next_descriptor();
    for (int order = 0; order < 6; order++) {
        wi_redirect blocks[3];
        for (int i = 0; i < 3; i++) {
            blocks[i] = wi_redirect(1, .path = paths[i]);
            enter(&blocks[i]);
        }
        for (int i = 0; i < 2; i++) {
            leave(&blocks[orders[order][i]]);
            printf("%d%d", order, i);
            fflush(stdout);
            expect(strstr(content(newest_left[order][i]), i ? "1" : "0") != NULL);
        }
        leave(&blocks[orders[order][2]]);
        printf("(%d)", order);
    }
    expect_text(outside(), "(0)(1)(2)(3)(4)(5)");
    expect_count(next_descriptor(), first);
}

/* Two threads that begin at the same time. */
alone(a_slot_remembers_what_was_there_when_it_led_elsewhere) {
    wi__slot one, other;
    int first = open("first", O_WRONLY | O_CREAT, 0600),
        second = open("second", O_WRONLY | O_CREAT, 0600);
    stand_outside();
    expect(wi__slot_keep(&one, 1) == 0 && wi__slot_keep(&other, 1) == 0);
    expect(wi__slot_lead(&one, first) == 0 && wi__slot_lead(&other, second) == 0);
    say(1, "2");
    expect_count(wi__slot_put_back(&other), 0);
    say(1, "1");
    expect_count(wi__slot_put_back(&one), 0);
    say(1, "0");
    expect_text(content("first"), "1");
    expect_text(content("second"), "2");
    expect_text(outside(), "0");
}

static void *redirect_again_and_again(void *arg) {
    for (int i = 0; i < 200; i++) {
        wi_captured output = {0};
        within (wi_redirect(1, .into = &output)) say(1, arg);
        wi_captured_free(&output);
    }
    return NULL;
}

alone(blocks_on_several_threads_put_back_what_was_there_first) {
    stand_outside();
    int first = next_descriptor();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = start(redirect_again_and_again, "x");
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    say(1, "outside");
    expect(strstr(outside(), "outside") != NULL);
    expect_count(next_descriptor(), first);
}

static void *print_lines(void *arg) {
    for (int i = 0; i < 2000; i++) printf("%s\n", (const char *)arg);
    return NULL;
}

alone(lines_of_threads_stay_whole) {
    wi_captured output = {0};
    stand_outside();
    within (wi_redirect_output(.into = &output)) {
        pthread_t one = start(print_lines, "aaaaaaaaaaaaaaaaaaaa"),
                  other = start(print_lines, "bbbbbbbbbbbbbbbbbbbb");
        pthread_join(one, NULL);
        pthread_join(other, NULL);
    }
    const char *text = wi_captured_text(&output);
    expect_count(output.length, 4000 * 21);
    for (size_t i = 0; i < output.length; i += 21)
        expect(text[i + 20] == '\n' && memchr(text + i, '\n', 20) == NULL &&
               memchr(text + i, text[i] == 'a' ? 'b' : 'a', 20) == NULL);
    wi_captured_free(&output);
}

alone(one_manager_is_one_block_at_a_time) {
    stand_outside();
    wi_redirect redirect = wi_redirect(1, .path = "log");
    enter(&redirect);
    expect_raised(redirect.protocol->enter, &redirect, WI_USAGE_ERROR,
                  "stdout: this wi_redirect is open already");
    leave(&redirect);
    within (&redirect) printf("again");
    expect_text(content("log"), "again");
}

/* ---- processes ---- */

alone(a_forked_child_puts_back_its_own) {
    wi_captured output = {0};
    stand_outside();
    pid_t child = -1;
    within (wi_redirect(1, .into = &output, .tee = 1)) {
        say(1, "both ");
        if ((child = fork()) == 0) printf("child inside ");
        if (child) expect_count(exit_of(child), 0);
    }
    if (child == 0) {
        printf("child outside ");
        fflush(stdout);
        _exit(0);
    }
    expect_text(wi_captured_text(&output), "both child inside ");
    wi_captured_free(&output);
    expect(strstr(outside(), "child outside ") && strstr(outside(), "child inside "));
}

alone(a_child_that_goes_on_in_the_block_disturbs_nobody) {
    wi_captured output = {0};
    int gate[2];
    stand_outside();
    expect(pipe(gate) == 0);
    pid_t child = -1;
    within (wi_redirect(1, .into = &output, .tee = 1)) {
        say(1, "parent ");
        if ((child = fork()) == 0) {
            char byte;
            expect(read(gate[0], &byte, 1) == 1);
            say(1, "late ");
        }
    }
    if (child == 0) _exit(0);
    expect_text(outside(), "parent ");
    expect_text(wi_captured_text(&output), "parent ");
    expect(write(gate[1], "x", 1) == 1);
    expect_count(exit_of(child), 0); /* and no signal */
    expect_text(wi_captured_text(&output), "parent ");
    expect_text(outside(), "parent ");
    wi_captured_free(&output);
}

/* The last is the folder that ls reads. */
alone(programs_inherit_the_descriptor_and_nothing_else) {
    wi_captured before = {0}, inside = {0};
    const char *list = "ls /proc/self/fd | tr '\\n' ' '";
    stand_outside();
    within (wi_redirect(1, .into = &before)) expect(system(list) == 0);
    within (wi_redirect_output(.into = &inside, .tee = 1)) expect(system(list) == 0);
    expect_text(wi_captured_text(&inside), wi_captured_text(&before));
    wi_captured_free(&before);
    wi_captured_free(&inside);
}

static void print_and_die(void) {
    within (wi_redirect(1, .path = "log", .by_line = 1)) {
        printf("printed\n");
        say(1, "written\n");
        kill(getpid(), SIGKILL);
    }
}

alone(a_killed_process_leaves_what_was_written) {
    stand_outside();
    expect_count(status_of(print_and_die), SIGKILL);
    expect_text(content("log"), "printed\nwritten\n");
}

/* ---- errors ---- */

typedef struct wish {
    int fd;
    wi_redirect_options options;
    const wi_error_type *kind;
    const char *message;
} wish;

BODY(try_wish) {
    const wish *w = arg;
    wi_redirect redirect = wi_redirect(w->fd);
    redirect.options = w->options;
    within (&redirect) printf("inside");
}

alone(what_cannot_be_is_told_and_changes_nothing) {
    wi_captured output = {0};
    stand_outside();
    expect(mkdir("folder", 0700) == 0);
    int first = next_descriptor();
    const wish wishes[] = {
        {1,
         {.path = "missing/log"},
         WI_FILE_NOT_FOUND,
         "missing/log: cannot be opened: No such file or directory"},
        {1, {.path = ""}, WI_FILE_NOT_FOUND, ": cannot be opened: No such file or directory"},
        {1, {.path = "folder"}, WI_IS_A_DIRECTORY, "folder: cannot be opened: Is a directory"},
        {2,
         {.to = 999},
         WI_OS_ERROR,
         "stderr: cannot be led to the other descriptor: Bad file descriptor"},
        {2,
         {.to = -1},
         WI_OS_ERROR,
         "stderr: cannot be led to the other descriptor: Bad file descriptor"},
        {-1, {.path = "log"}, WI_VALUE_ERROR, "descriptor -1 cannot be redirected"},
        {1,
         {.append = 0},
         WI_VALUE_ERROR,
         "stdout can be redirected to one of .path, .into and .to"},
        {1,
         {.path = "log", .to = 2},
         WI_VALUE_ERROR,
         "stdout can be redirected to one of .path, .into and .to"},
        {7, {.into = &output, .append = 1}, WI_VALUE_ERROR, "descriptor 7: .append is for a .path"},
        {1,
         {.path = "/dev/null", .tee = 1},
         WI_OS_ERROR,
         "/dev/null: is no regular file, which a tee could follow"},
        {1,
         {.path = "out", .tee = 1},
         WI_OS_ERROR,
         "out: the output goes there already: a tee would never end"},
        {999999, {.path = "log"}, WI_OS_ERROR, "log: cannot be led to: Bad file descriptor"},
    };
    printf("outside");
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        expect_raised(try_wish, (void *)&wishes[i], wishes[i].kind, wishes[i].message);
    expect_text(outside(), "outside");
    expect_count(next_descriptor(), first);
    expect_text(wi_captured_text(&output), "");
}

BODY(redirect_all) {
    within (wi_redirect_output(.path = "log", .tee = 1)) printf("inside\n");
    within (wi_redirect(1, .into = arg, .tee = 1)) printf("inside\n");
}

/* With one descriptor more each time, until it works: nothing is lost or left behind before. */
alone(without_descriptors_nothing_changes) {
    wi_captured output = {0};
    struct rlimit before, limit;
    stand_outside();
    put("log", "old");
    int first = next_descriptor(), failed = 0;
    expect(getrlimit(RLIMIT_NOFILE, &before) == 0);
    limit = before;
    for (limit.rlim_cur = (rlim_t)first + 1;; limit.rlim_cur++) {
        expect(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        wi_error *error = error_of(redirect_all, &output);
        expect(setrlimit(RLIMIT_NOFILE, &before) == 0);
        wi_captured_free(&output);
        expect_count(next_descriptor(), first);
        if (!error) break;
        expect_count(wi_error_errno(error), EMFILE);
        if (strstr(wi_error_message(error), "log")) expect_text(content("log"), "old");
        wi_error_free(error);
        failed++;
    }
    expect_count(failed, 4);
    printf("outside");
    expect(strstr(outside(), "outside") != NULL);
}

BODY(fill_the_disk) {
    within (wi_redirect(1, .path = "/dev/full")) {
        printf("does not fit");
        if (arg) expect(fflush(stdout) != 0);
    }
}

alone(a_full_disk_is_told_with_the_file_and_nothing_gets_outside) {
    stand_outside();
    expect_raised(fill_the_disk, NULL, WI_DISK_FULL,
                  "/dev/full: cannot be written: No space left on device");
    expect_raised(fill_the_disk, "early", WI_OS_ERROR,
                  "/dev/full: an earlier write of it has failed");
    expect(!ferror(stdout));
    printf("outside");
    expect_text(outside(), "outside");
}

alone(what_had_failed_before_is_no_error_of_the_block) {
    stand_outside();
    within (wi_redirect(1, .path = "/dev/full")) {
        printf("does not fit");
        fflush(stdout);
        within (wi_redirect(1, .path = "log")) printf("fits");
        expect(ferror(stdout));
        clearerr(stdout);
    }
    expect_text(content("log"), "fits");
}

/* ---- how stdout is buffered ---- */

alone(stdout_is_buffered_afterwards_as_it_was) {
    stand_outside();
    expect(setvbuf(stdout, NULL, _IOFBF, 0) == 0);
    within (wi_redirect_output(.path = "log")) expect(__flbf(stdout));
    expect(!__flbf(stdout) && __fbufsize(stdout) > 1);
    printf("held\n");
    expect_text(content("out"), "");
    within (wi_redirect(1, .path = "log")) expect(!__flbf(stdout));
    setvbuf(stdout, NULL, _IOLBF, 0);
    within (wi_redirect_output(.path = "log")) expect(__flbf(stdout));
    expect(__flbf(stdout));
    setvbuf(stdout, NULL, _IONBF, 0);
    within (wi_redirect_output(.path = "log")) expect(!__flbf(stdout));
    expect_count(__fbufsize(stdout), 1);
}

alone(stdout_is_by_line_as_long_as_a_block_wants_it) {
    stand_outside();
    setvbuf(stdout, NULL, _IOFBF, 0);
    wi_redirect outer = wi_redirect(1, .path = "outer"), first = wi_redirect_output(.path = "log"),
                second = wi_redirect_output(.path = "log", .append = 1);
    enter(&outer);
    enter(&first);
    enter(&second);
    leave(&first);
    expect(__flbf(stdout));
    leave(&second);
    expect(!__flbf(stdout));
    leave(&outer);
    expect(!__flbf(stdout));
}

static void print_on_a_terminal(void) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    expect(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    expect(dup2(other, 1) == 1 && isatty(1));
    within (wi_redirect(1, .path = "log")) printf("inside\n");
    expect(__flbf(stdout));
}

/* The C library decides at the first byte, and that one goes into a file. */
alone(stdout_that_was_never_used_is_by_line_on_a_terminal_afterwards) {
    if (__fbufsize(stdout)) { /* the test's runner has used this one */
        expect(freopen("/dev/null", "w", stdout) != NULL);
        if (__fbufsize(stdout)) return;
    }
    print_on_a_terminal();
}

static void *read_forever(void *arg) {
    char line[16];
    return fgets(line, sizeof line, arg);
}

alone(a_thread_that_waits_for_input_is_not_waited_for) {
    int ends[2];
    stand_outside();
    expect(pipe(ends) == 0 && dup2(ends[0], 0) == 0);
    pthread_t thread = start(read_forever, stdin);
    usleep(20000);
    within (wi_redirect(1, .path = "log")) printf("inside");
    expect(write(ends[1], "\n", 1) == 1);
    pthread_join(thread, NULL);
    expect_text(content("log"), "inside");
}

/* ---- tees ---- */

alone(a_tee_goes_on_to_where_the_descriptor_led) {
    wi_captured output = {0};
    stand_outside();
    hear("said");
    put("log", "old ");
    printf("0 ");
    within (wi_redirect(1, .path = "log", .append = 1, .tee = 1)) printf("1 ");
    within (wi_redirect(1, .path = "log", .tee = 1)) {
        say(1, "2 ");
        expect(system("echo 3; echo 4 >&2") == 0);
    }
    within (wi_redirect(1, .into = &output, .tee = 1)) printf("5 ");
    within (wi_redirect_output(.path = "both", .tee = 1)) {
        printf("6\n");
        fprintf(stderr, "7\n");
        printf("8\n");
    }
    printf("9");
    expect_text(outside(), "0 1 2 3\n5 6\n7\n8\n9");
    expect_text(content("log"), "2 3\n");
    expect_text(content("both"), "6\n7\n8\n");
    expect_text(content("said"), "4\n");
    expect_text(wi_captured_text(&output), "5 ");
    wi_captured_free(&output);
}

static void wait_for_outside(const char *text) {
    while (!strstr(content("out"), text))
        usleep(1000); /* the alarm ends a test that waits in vain */
}

alone(a_tee_passes_on_while_the_block_runs) {
    stand_outside();
    within (wi_redirect(1, .path = "log", .tee = 1)) {
        say(1, "first");
        wait_for_outside("first");
        say(1, "second");
        wait_for_outside("firstsecond");
    }
}

alone(a_tee_follows_another_descriptor_from_where_it_is) {
    stand_outside();
    int file = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    say(file, "old ");
    within (wi_redirect(1, .to = file, .tee = 1)) printf("new");
    say(file, " last");
    expect_text(outside(), "new");
    expect_text(content("log"), "old new last");
    close(file);
}

alone(a_tee_begins_again_where_a_program_empties_the_file) {
    stand_outside();
    within (wi_redirect(1, .path = "log", .tee = 1)) {
        say(1, "a long first line\n");
        wait_for_outside("line\n");
        expect(system("echo emptied > /dev/stdout") == 0);
    }
    expect_text(content("log"), "emptied\n");
    expect_text(outside(), "a long first line\nemptied\n");
}

typedef struct reader {
    int fd;
    int pause_us;
    char *text;
    size_t length;
} reader;

static void *read_slowly(void *arg) {
    reader *r = arg;
    for (ssize_t n; (n = read(r->fd, r->text + r->length, 5000)) > 0; r->length += (size_t)n)
        if (r->pause_us) usleep((useconds_t)r->pause_us);
    return NULL;
}

static int stand_before_a_pipe(void) {
    int ends[2];
    fflush(stdout);
    expect(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[1], 1) == 1);
    close(ends[1]);
    return ends[0];
}

enum { SLOW = 1 << 20 };

alone(a_slow_reader_of_a_tee_gets_every_byte_in_order) {
    wi_captured output = {0};
    reader r = {stand_before_a_pipe(), 100, malloc(SLOW + 5000), 0};
    pthread_t thread = start(read_slowly, &r);
    within (wi_redirect(1, .into = &output, .tee = 1))
        for (int i = 0; i < SLOW / 16; i++) printf("%15d\n", i);
    fflush(stdout);
    close(1);
    pthread_join(thread, NULL);
    expect_count(r.length, SLOW);
    expect(memcmp(r.text, wi_captured_text(&output), SLOW) == 0);
    wi_captured_free(&output);
    free(r.text);
}

alone(a_reader_that_has_gone_is_said_and_kills_nobody) {
    hear("said");
    close(stand_before_a_pipe());
    within (wi_redirect(1, .path = "log", .tee = 1)) {
        for (int i = 0; i < 100; i++) {
            printf("line %d\n", i);
            fflush(stdout);
        }
    }
    expect_text(content("said"),
                "within: stdout to log: not all of it was passed on: Broken pipe\n");
    expect_count(size_of("log"), 10 * 7 + 90 * 8);
    within (wi_redirect_output(.path = "log", .tee = 1)) printf("and both");
    expect_text(content("log"), "and both");
}

alone(a_reader_that_never_reads_is_given_up) {
    hear("said");
    int unread = stand_before_a_pipe();
    wi__tee_patience_ms = 100;
    within (wi_redirect(1, .path = "log", .tee = 1))
        for (int i = 0; i < SLOW / 16; i++) printf("%15d\n", i);
    expect_text(content("said"),
                "within: stdout to log: not all of it was passed on: Connection timed out\n");
    expect_count(size_of("log"), SLOW);
    close(unread);
}

alone(a_stderr_that_is_stuck_as_well_is_not_waited_for) {
    int unread = stand_before_a_pipe();
    expect(dup2(1, 2) == 2);
    wi__tee_patience_ms = 100;
    within (wi_redirect_output(.path = "log", .tee = 1))
        for (int i = 0; i < SLOW / 16; i++) printf("%15d\n", i);
    expect_count(size_of("log"), SLOW);
    lead(2, "said");
    close(unread);
}

static void nothing(int number) { (void)number; }

static void *do_nothing(void *arg) { return arg; }

/* The main thread blocks it: only a tee's thread could take it. */
alone(signals_are_not_for_the_thread_of_a_tee) {
    sigset_t usr1, pending;
    stand_outside();
    signal(SIGUSR1, nothing);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    in_thread(do_nothing, NULL);
    within (wi_redirect(1, .path = "log", .tee = 1)) {
        pthread_sigmask(SIG_BLOCK, &usr1, NULL);
        kill(getpid(), SIGUSR1);
        usleep(20000);
        sigpending(&pending);
        expect(sigismember(&pending, SIGUSR1));
    }
    sigpending(&pending);
    expect(sigismember(&pending, SIGUSR1));
}

/* ---- Fortran ---- */

/* What gfortran makes of: write (6, *) text */
static void write_in_fortran(void *library, const char *text) {
    struct {
        int flags, unit;
        const char *file;
        int line;
        char rest[1024];
    } statement = {128, 6, __FILE__, __LINE__, {0}};
    void (*begin)(void *) = (void (*)(void *))dlsym(library, "_gfortran_st_write");
    void (*transfer)(void *, const char *, int) =
        (void (*)(void *, const char *, int))dlsym(library, "_gfortran_transfer_character_write");
    void (*end)(void *) = (void (*)(void *))dlsym(library, "_gfortran_st_write_done");
    begin(&statement);
    transfer(&statement, text, (int)strlen(text));
    end(&statement);
}

alone(what_fortran_holds_is_written_out_on_both_sides) {
    wi_captured output = {0};
    stand_outside();
    void *library = dlopen("libgfortran.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    write_in_fortran(library, "before");
    within (wi_redirect(1, .into = &output)) {
        write_in_fortran(library, "inside");
        expect_text(wi_captured_text(&output), " inside\n");
        write_in_fortran(library, "again");
    }
    write_in_fortran(library, "after");
    expect_text(wi_captured_text(&output), " inside\n again\n");
    expect_text(outside(), " before\n");
    wi_captured_free(&output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_file_gets_all_that_is_written_to_the_descriptor),
        test(a_file_is_emptied_or_appended_to),
        test(others_who_write_to_the_file_overwrite_nothing),
        test(what_is_no_file_will_do_as_well),
        test(any_descriptor_can_be_redirected_and_keeps_its_flag),
        test(stderr_can_go_where_stdout_goes),
        test(stdout_and_stderr_in_one_place_keep_their_order),
        test(two_blocks_with_one_path_are_one_place_too),
        test(by_line_keeps_the_order_with_programs),
        test(a_buffer_can_be_read_inside_and_afterwards),
        test(a_buffer_forgets_what_was_in_it_and_counts_zero_bytes),
        test(a_buffer_that_was_never_read_gives_back_all),
        test(a_hundred_megabytes_are_caught),
        test(without_files_in_memory_a_buffer_is_one_without_a_name),
        test(without_any_place_for_a_buffer_there_is_an_error),
        test(a_buffer_in_use_cannot_be_filled_or_freed),
        test(every_way_out_puts_it_back),
        test(an_error_names_it_in_its_trail),
        test(a_descriptor_that_was_closed_is_closed_again),
        test(a_descriptor_closed_or_led_elsewhere_meanwhile_is_put_back),
        test(blocks_of_one_descriptor_nest),
        test(blocks_that_end_in_any_order_put_back_what_was_there_first),
        test(a_slot_remembers_what_was_there_when_it_led_elsewhere),
        test(blocks_on_several_threads_put_back_what_was_there_first),
        test(lines_of_threads_stay_whole),
        test(one_manager_is_one_block_at_a_time),
        test(a_forked_child_puts_back_its_own),
        test(a_child_that_goes_on_in_the_block_disturbs_nobody),
        test(programs_inherit_the_descriptor_and_nothing_else),
        test(a_killed_process_leaves_what_was_written),
        test(what_cannot_be_is_told_and_changes_nothing),
        test(without_descriptors_nothing_changes),
        test(a_full_disk_is_told_with_the_file_and_nothing_gets_outside),
        test(what_had_failed_before_is_no_error_of_the_block),
        test(stdout_is_buffered_afterwards_as_it_was),
        test(stdout_is_by_line_as_long_as_a_block_wants_it),
        test(stdout_that_was_never_used_is_by_line_on_a_terminal_afterwards),
        test(a_thread_that_waits_for_input_is_not_waited_for),
        test(a_tee_goes_on_to_where_the_descriptor_led),
        test(a_tee_passes_on_while_the_block_runs),
        test(a_tee_follows_another_descriptor_from_where_it_is),
        test(a_tee_begins_again_where_a_program_empties_the_file),
        test(a_slow_reader_of_a_tee_gets_every_byte_in_order),
        test(a_reader_that_has_gone_is_said_and_kills_nobody),
        test(a_reader_that_never_reads_is_given_up),
        test(a_stderr_that_is_stuck_as_well_is_not_waited_for),
        test(signals_are_not_for_the_thread_of_a_tee),
        test(what_fortran_holds_is_written_out_on_both_sides),
    };
    return cmocka_run_group_tests_name("redirect", tests, NULL, NULL);
}
