/* wi_checkpoints: what is saved, found, kept and removed. */
#include "checkpoint_helpers.h"

#include "manage/owner.h"

static void save_text(const wi_checkpoints *series, int64_t step, const char *text) {
    within (save, wi_checkpoint_save(series, .step = step)) write_file(save->path, text);
}

static void save_loss(const wi_checkpoints *series, double loss) {
    within (save, wi_checkpoint_save(series, .metrics = {{"loss", loss}}))
        write_file(save->path, "state");
}

static uint64_t latest_of(const wi_checkpoints *series) {
    wi_checkpoint newest = {.sequence = 0};
    return wi_checkpoint_latest(series, &newest) ? newest.sequence : 0;
}

static uint64_t best_of(const wi_checkpoints *series, const char *metric) {
    wi_checkpoint best = {.sequence = 0};
    return wi_checkpoint_best(series, metric, &best) ? best.sequence : 0;
}

/* ---- saving and finding ---- */

alone(what_was_saved_is_found_with_all_that_was_told) {
    within (series, wi_checkpoints("ckpt", .suffix = ".pt")) {
        within (save, wi_checkpoint_save(series, .step = -7,
                                         .metrics = {{"loss", 0.1}, {"a b\n\xc3\xa9", -INFINITY}}))
            write_file(save->path, "weights");
        wi_checkpoint newest;
        expect(wi_checkpoint_latest(series, &newest));
        expect_text(newest.path, "ckpt/checkpoint-000001.pt");
        expect_text(read_file(newest.path), "weights");
        expect_count(newest.sequence, 1);
        expect_count(newest.step, -7);
        expect(llabs(newest.time_ns / 1000000000 - (int64_t)time(NULL)) < 60);
        expect_text(newest.metrics[1].name, "a b\n\xc3\xa9");
        expect(wi_checkpoint_metric(&newest, "loss") == 0.1);
        expect(wi_checkpoint_metric(&newest, "a b\n\xc3\xa9") == -INFINITY);
        expect(isnan(wi_checkpoint_metric(&newest, "accuracy")));
        expect_text(newest.metrics[2].name, "");
    }
    expect_text(names_in("ckpt"), "checkpoint-000001.manifest checkpoint-000001.pt");
}

alone(a_folder_is_saved_with_all_that_is_in_it) {
    within (series, wi_checkpoints("ckpt")) {
        within (save, wi_checkpoint_save(series)) {
            char path[5000];
            expect(mkdir(save->path, 0755) == 0);
            snprintf(path, sizeof path, "%s/a file\nof two lines", save->path);
            write_file(path, "1");
            snprintf(path, sizeof path, "%s/empty", save->path);
            expect(mkdir(path, 0755) == 0);
            snprintf(path, sizeof path, "%s/\xc3\xa9", save->path);
            expect(mkdir(path, 0755) == 0);
            snprintf(path, sizeof path, "%s/\xc3\xa9/a.txt", save->path);
            write_file(path, "");
        }
        expect_count(latest_of(series), 1);
        expect_text(read_file("ckpt/checkpoint-000001/a file\nof two lines"), "1");
        expect(exists("ckpt/checkpoint-000001/\xc3\xa9/a.txt"));
    }
}

alone(nothing_is_there_before_the_block_and_its_path_ends_in_the_suffix) {
    within (series, wi_checkpoints("ckpt", .suffix = ".a")) {
        within (save, wi_checkpoint_save(series, .suffix = ".npz")) {
            expect(!exists(save->path));
            expect_text(save->path + strlen(save->path) - 4, ".npz");
            expect_count(save->sequence, 0);
            write_file(save->path, "x");
        }
        expect_text(names_in("ckpt"), "checkpoint-000001.manifest checkpoint-000001.npz");
        expect_count(latest_of(series), 1);
    }
}

alone(a_series_without_checkpoints_has_none) {
    wi_checkpoint unchanged = {.sequence = 77};
    wi_checkpoints nowhere = wi_checkpoints("not/there"), empty = wi_checkpoints(".");
    expect(!wi_checkpoint_latest(&nowhere, &unchanged) &&
           !wi_checkpoint_latest(&empty, &unchanged));
    expect(!wi_checkpoint_next(&nowhere, &unchanged) && !wi_checkpoint_next(&empty, &unchanged));
    expect(!wi_checkpoint_best(&nowhere, "loss", &unchanged));
    expect_count(unchanged.sequence, 77);
    expect(!exists("not"));
}

alone(a_series_need_not_be_entered) {
    wi_checkpoints series = wi_checkpoints("runs/a/ckpt/");
    save_text(&series, 3, "x");
    expect_count(latest_of(&series), 1);
    expect(exists("runs/a/ckpt/checkpoint-000001"));
}

alone(checkpoints_come_in_the_order_of_publication) {
    within (series, wi_checkpoints("ckpt", .keep = WI_KEEP_ALL)) {
        for (int i = 0; i < 12; i++) save_text(series, 100 - i, "x");
        expect_text(published_in(series), "1 2 3 4 5 6 7 8 9 10 11 12");
        int64_t step = 101;
        for (wi_checkpoint each = {.sequence = 0}; wi_checkpoint_next(series, &each);)
            expect_count(each.step, --step);
        expect_count(latest_of(series), 12);
    }
}

alone(sequences_go_on_after_a_million_and_whatever_else_has_such_a_name) {
    within (series, wi_checkpoints("ckpt")) {
        write_file("ckpt/checkpoint-1234567.h5", "somebody's");
        save_text(series, 0, "x");
        expect_text(names_in("ckpt"),
                    "checkpoint-1234567.h5 checkpoint-1234568 checkpoint-1234568.manifest");
        write_file("ckpt/checkpoint-01234999", "no such name");
        write_file("ckpt/checkpoint-99", "no such name");
        write_file("ckpt/checkpoint-99999999999999999999999", "no such name");
        save_text(series, 0, "x");
        expect_count(latest_of(series), 1234569);
    }
}

alone(a_save_within_a_save_is_another) {
    within (series, wi_checkpoints("ckpt")) {
        within (outer, wi_checkpoint_save(series)) {
            within (inner, wi_checkpoint_save(series)) write_file(inner->path, "inner");
            write_file(outer->path, "outer");
        }
        expect_text(read_file("ckpt/checkpoint-000001"), "inner");
        expect_text(read_file("ckpt/checkpoint-000002"), "outer");
    }
}

static void *save_ten(void *series) {
    for (int i = 0; i < 10; i++) save_text(series, i, "x");
    return NULL;
}

alone(threads_save_into_one_series) {
    wi_checkpoints series = wi_checkpoints("ckpt", .keep = WI_KEEP_ALL);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = start(save_ten, &series);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    int count = 0;
    for (wi_checkpoint each = {.sequence = 0}; wi_checkpoint_next(&series, &each); count++)
        expect_count(each.sequence, count + 1);
    expect_count(count, 40);
}

/* ---- leaving ---- */

static void save_and_raise(void *series) {
    within (save, wi_checkpoint_save((const wi_checkpoints *)series)) {
        write_file(save->path, "half");
        wi_raise(WI_VALUE_ERROR, "diverged");
    }
}

alone(after_an_error_nothing_is_published_and_nothing_stays) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    expect_error(WHERE, save_and_raise, &series, WI_VALUE_ERROR, "diverged");
    expect_text(names_in("ckpt"), "");
}

static void save_and_return(const wi_checkpoints *series, int publish) {
    within (save, wi_checkpoint_save(series)) {
        write_file(save->path, "x");
        if (publish) wi_checkpoint_publish(save);
        if (publish) expect_count(save->sequence, 1);
        return;
    }
}

alone(a_block_that_is_left_early_saves_nothing_and_says_so) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    begin_hearing();
    save_and_return(&series, 0);
    expect_text(said(), "within: checkpoint ckpt: its block was left early: nothing is saved\n");
    expect_text(names_in("ckpt"), "");
}

alone(what_is_published_before_a_return_is_saved) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    begin_hearing();
    save_and_return(&series, 1);
    expect_text(said(), "");
    expect_text(names_in("ckpt"), "checkpoint-000001 checkpoint-000001.manifest");
    expect_count(latest_of(&series), 1);
}

static void publish_and_raise(void *series) {
    within (save, wi_checkpoint_save((const wi_checkpoints *)series)) {
        write_file(save->path, "x");
        wi_checkpoint_publish(save);
        wi_checkpoint_publish(save);
        wi_raise(WI_VALUE_ERROR, "later");
    }
}

alone(what_is_published_stays_so_after_an_error_and_once_is_enough) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    expect_error(WHERE, publish_and_raise, &series, WI_VALUE_ERROR, "later");
    expect_text(published_in(&series), "1");
}

static void publish_outside(void *save) { wi_checkpoint_publish(save); }

alone(a_save_knows_its_number_after_its_block_and_cannot_be_published_there) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    wi_checkpoint_save save = wi_checkpoint_save(&series, .step = 1);
    for (unsigned i = 1; i <= 2; i++) {
        within (&save) write_file(save.path, "x");
        expect_count(save.sequence, i);
        expect(!save.path);
    }
    expect_error(WHERE, publish_outside, &save, WI_USAGE_ERROR, "outside of its block");
}

alone(a_forked_childs_copy_publishes_and_removes_nothing) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    pid_t child = -1;
    within (save, wi_checkpoint_save(&series)) {
        write_file(save->path, "x");
        child = fork();
        if (child == 0) {
            expect_error(WHERE, publish_outside, save, WI_USAGE_ERROR, "the parent process");
            continue; /* through the exit */
        }
        int status;
        waitpid(child, &status, 0);
        expect_count(status, 0);
        expect(exists(save->path));
        expect_text(published_in(&series), "");
    }
    if (child == 0) _exit(0);
    expect_text(read_file("ckpt/checkpoint-000001"), "x");
}

static void leave_by_exit(void) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    within (save, wi_checkpoint_save(&series)) {
        write_file(save->path, "x");
        exit(0);
    }
}

alone(exit_in_the_block_saves_nothing) {
    begin_hearing();
    expect_count(status_of(leave_by_exit), 0);
    said();
    expect_text(names_in("ckpt"), "");
}

/* ---- what a block makes that cannot be saved ---- */

typedef struct wrong {
    wi_checkpoints *series;
    void (*make)(const char *path);
} wrong;

static void save_wrong(void *arg) {
    wrong *w = arg;
    within (save, wi_checkpoint_save(w->series)) w->make(save->path);
}

static char *with(const char *path, const char *end) {
    static char text[5000];
    snprintf(text, sizeof text, "%s%s", path, end);
    return text;
}

static void make_nothing(const char *path) { (void)path; }
static void make_npz(const char *path) { write_file(with(path, ".npz"), "x"); }
static void make_two(const char *path) {
    write_file(path, "x");
    write_file(with(path, ".index"), "x");
}
static void make_link(const char *path) { expect(symlink("../../outside", path) == 0); }
static void make_inner_link(const char *path) {
    expect(mkdir(path, 0755) == 0 && symlink("/", with(path, "/root")) == 0);
}
static void make_pipe(const char *path) {
    expect(mkdir(path, 0755) == 0 && mkfifo(with(path, "/pipe"), 0600) == 0);
}

static void expect_refused(const char *where, void (*make)(const char *path),
                           const wi_error_type *type, const char *words) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    wrong w = {&series, make};
    write_file("outside", "mine");
    expect_error(where, save_wrong, &w, type, words);
    expect_text(names_in("ckpt"), "");
    expect_text(read_file("outside"), "mine");
}

alone(a_block_that_made_nothing_is_told) {
    expect_refused(WHERE, make_nothing, WI_USAGE_ERROR, "ckpt: the block made nothing at ckpt/");
}
alone(a_suffix_that_was_appended_is_told_with_what_to_do) {
    expect_refused(WHERE, make_npz, WI_USAGE_ERROR, "give the suffix \".npz\"");
}
alone(a_second_file_beside_the_path_is_refused) {
    expect_refused(WHERE, make_two, WI_USAGE_ERROR, "the block made checkpoint.index beside ckpt/");
}
alone(a_link_is_refused) {
    expect_refused(WHERE, make_link, WI_VALUE_ERROR, "it is a symbolic link");
}
alone(a_link_in_a_folder_is_refused) {
    expect_refused(WHERE, make_inner_link, WI_VALUE_ERROR, "root is a symbolic link");
}
alone(a_special_file_is_refused) {
    expect_refused(WHERE, make_pipe, WI_VALUE_ERROR, "pipe is a special file");
}

/* ---- options that cannot be ---- */

static void enter_series(void *series) {
    within ((wi_checkpoints *)series) continue;
}

static void enter_save(void *save) {
    within ((wi_checkpoint_save *)save) continue;
}

alone(suffixes_that_no_name_can_end_in_are_refused) {
    const char *bad[] = {"/a", "1.pt", ".manifest"};
    for (int i = 0; i < 3; i++) {
        wi_checkpoints series = wi_checkpoints("ckpt", .suffix = bad[i]),
                       good = wi_checkpoints("ckpt");
        expect_error(WHERE, enter_series, &series, WI_VALUE_ERROR, "cannot be a suffix");
        wi_checkpoint_save save = wi_checkpoint_save(&good, .suffix = bad[i]);
        expect_error(WHERE, enter_save, &save, WI_VALUE_ERROR, "cannot be a suffix");
    }
    expect(!exists("ckpt"));
}

alone(metrics_need_names_of_their_own) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    wi_checkpoint_save twice = wi_checkpoint_save(&series, .metrics = {{"a", 1}, {"a", 2}});
    expect_error(WHERE, enter_save, &twice, WI_VALUE_ERROR, "two metrics have the name a");
    wi_checkpoint_save none = wi_checkpoint_save(&series, .metrics = {{"a", 1}, {"", 2}});
    expect_error(WHERE, enter_save, &none, WI_VALUE_ERROR, "metric 2 has no name");
    wi_checkpoint_save gap = wi_checkpoint_save(&series, .metrics = {{"", 0}, {"b", 2}});
    expect_error(WHERE, enter_save, &gap, WI_VALUE_ERROR, "metric 1 has no name");
    memset(twice.options.metrics[0].name, 'x', WI_METRIC_NAME);
    expect_error(WHERE, enter_save, &twice, WI_VALUE_ERROR, "metric 1 is longer than 63 bytes");
    expect(!exists("ckpt"));
}

alone(as_many_metrics_as_there_is_room_for_are_kept) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    wi_checkpoint_save save = wi_checkpoint_save(&series);
    for (int i = 0; i < WI_METRICS; i++) {
        snprintf(save.options.metrics[i].name, WI_METRIC_NAME, "%063d", i);
        save.options.metrics[i].value = 1.0 / (i + 3);
    }
    within (&save) write_file(save.path, "x");
    wi_checkpoint newest;
    expect(wi_checkpoint_latest(&series, &newest));
    expect(memcmp(newest.metrics, save.options.metrics, sizeof newest.metrics) == 0);
}

/* ---- the folder ---- */

alone(a_file_where_the_folder_should_be_is_told) {
    write_file("ckpt", "mine");
    wi_checkpoints series = wi_checkpoints("ckpt"), below = wi_checkpoints("ckpt/a/b");
    expect_error(WHERE, enter_series, &series, WI_NOT_A_DIRECTORY, "checkpoints ckpt: the folder");
    expect_error(WHERE, enter_series, &below, WI_NOT_A_DIRECTORY, "checkpoints ckpt/a/b: ");
    expect_text(read_file("ckpt"), "mine");
}

alone(a_link_to_a_folder_is_a_folder) {
    expect(mkdir("real", 0755) == 0 && symlink("real", "ckpt") == 0);
    within (series, wi_checkpoints("ckpt")) save_text(series, 0, "x");
    expect_text(names_in("real"), "checkpoint-000001 checkpoint-000001.manifest");
}

alone(a_folder_that_cannot_be_written_is_told_at_once) {
    if (getuid() == 0) expect(setuid(65534) == 0 || UNDER_TSAN);
    wi_checkpoints series = wi_checkpoints("/usr/within-test"), root = wi_checkpoints("/usr");
    expect_error(WHERE, enter_series, &series, WI_PERMISSION_ERROR, "/usr/within-test");
    expect_error(WHERE, enter_series, &root, WI_PERMISSION_ERROR, "/usr");
    expect_count(latest_of(&root), 0);
}

alone(names_with_blanks_line_ends_and_other_letters_are_names) {
    within (series, wi_checkpoints("a b\n\xc3\xa9", .suffix = " \n\xc3\xa9.pt")) {
        save_text(series, 0, "x");
        save_text(series, 0, "x");
        wi_checkpoint newest;
        expect(wi_checkpoint_latest(series, &newest));
        expect_text(newest.path, "a b\n\xc3\xa9/checkpoint-000002 \n\xc3\xa9.pt");
        expect_text(read_file(newest.path), "x");
    }
}

alone(the_ledger_tells_what_is_being_made) {
    within (series, wi_checkpoints("ckpt")) {
        within (save, wi_checkpoint_save(series)) {
            write_file(save->path, "x");
            wi__profile profile = own_profile();
            expect(strstr(open_in(&profile), "checkpoint ckpt/.checkpoint.within-") != NULL);
            expect(strstr(open_in(&profile), "checkpoints ckpt") != NULL);
            wi__profile_release(&profile);
        }
    }
    wi__profile profile = own_profile();
    expect_count(profile.open_count, 0);
    wi__profile_release(&profile);
}

/* ---- damage ---- */

alone(the_newest_that_is_whole_is_found_and_why_others_are_not) {
    within (series, wi_checkpoints("ckpt", .keep = 9, QUIETLY)) {
        for (int i = 0; i < 6; i++) save_text(series, i, "state");
        write_file("ckpt/checkpoint-000006", "stat");
        write_file("ckpt/checkpoint-000005", "statt");
        expect(unlink("ckpt/checkpoint-000004") == 0);
        flip_bit("ckpt/checkpoint-000003.manifest", 100);
        expect(unlink("ckpt/checkpoint-000002") == 0 && mkdir("ckpt/checkpoint-000002", 0755) == 0);
        expect_count(latest_of(series), 1);
        expect_text(passed,
                    "checkpoint-000006: it has 4 bytes, not 5\n"
                    "checkpoint-000005: it has changed: its CRC32C is 84ee2cb3, not 66db68df\n"
                    "checkpoint-000004: it is missing\n"
                    "checkpoint-000003: checkpoint-000003.manifest: it is damaged\n"
                    "checkpoint-000002: it is a folder now\n");
    }
}

alone(without_a_function_to_tell_it_is_said_on_stderr) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    save_text(&series, 0, "x");
    write_file("ckpt/checkpoint-000001", "");
    begin_hearing();
    expect_count(latest_of(&series), 0);
    expect_text(said(),
                "within: checkpoints ckpt: checkpoint-000001 is passed over: it has 0 bytes, "
                "not 1\n");
}

static void save_folder(const wi_checkpoints *series) {
    within (save, wi_checkpoint_save(series)) {
        expect(mkdir(save->path, 0755) == 0 && mkdir(with(save->path, "/b"), 0755) == 0);
        write_file(with(save->path, "/a"), "1");
        write_file(with(save->path, "/b/c"), "2");
    }
}

alone(a_file_more_or_less_in_a_folder_is_damage) {
    within (series, wi_checkpoints("ckpt", QUIETLY)) {
        for (int i = 0; i < 2; i++) save_folder(series);
        write_file("ckpt/checkpoint-000002/b/more", "");
        expect_count(latest_of(series), 1);
        expect_text(passed, "checkpoint-000002: b/more is there, but was not saved\n");
        expect(unlink("ckpt/checkpoint-000001/b/c") == 0);
        passed[0] = '\0';
        expect_count(latest_of(series), 0);
        expect(strstr(passed, "checkpoint-000001: b/c is missing\n") != NULL);
        expect(unlink("ckpt/checkpoint-000002/b/more") == 0);
        expect_count(latest_of(series), 2);
        expect(unlink("ckpt/checkpoint-000002/a") == 0 &&
               symlink("../checkpoint-000001/a", "ckpt/checkpoint-000002/a") == 0);
        expect_count(latest_of(series), 0);
    }
}

alone(one_flipped_bit_anywhere_is_seen) {
    within (series, wi_checkpoints("ckpt", QUIETLY)) {
        within (save, wi_checkpoint_save(series, .step = 3, .metrics = {{"loss", 0.5}}))
            write_file(save->path, "a small state");
        const char *files[] = {"ckpt/checkpoint-000001", "ckpt/checkpoint-000001.manifest"};
        for (int i = 0; i < 2; i++) {
            for (long bit = 0; bit < 8 * size_of(files[i]); bit++) {
                flip_bit(files[i], bit);
                passed[0] = '\0';
                expect_that(latest_of(series) == 0, files[i], "bit %ld is not seen", bit);
                expect_that(passed[0] != '\0', files[i], "bit %ld is not told", bit);
                flip_bit(files[i], bit);
            }
            expect_count(latest_of(series), 1);
        }
    }
}

alone(every_truncation_is_seen) {
    within (series, wi_checkpoints("ckpt", QUIETLY)) {
        save_text(series, 0, "a small state");
        const char *files[] = {"ckpt/checkpoint-000001.manifest", "ckpt/checkpoint-000001"};
        for (int i = 0; i < 2; i++)
            for (off_t size = size_of(files[i]); size-- > 0;) {
                char kept[1000];
                strcpy(kept, read_file(files[i]));
                expect(truncate(files[i], size) == 0);
                expect_that(latest_of(series) == 0, files[i], "cut to %d is not seen", (int)size);
                write_file(files[i], kept);
            }
        expect_count(latest_of(series), 1);
    }
}

/* ---- rotation ---- */

alone(the_oldest_go_once_there_are_more_than_are_kept) {
    within (series, wi_checkpoints("ckpt", .keep = 2)) {
        for (int i = 1; i <= 5; i++) save_text(series, i, "x");
        expect_text(published_in(series), "4 5");
    }
    expect_text(names_in("ckpt"), "checkpoint-000004 checkpoint-000004.manifest "
                                  "checkpoint-000005 checkpoint-000005.manifest");
}

alone(three_are_kept_if_nothing_is_said) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    for (int i = 1; i <= 5; i++) save_text(&series, i, "x");
    expect_text(published_in(&series), "3 4 5");
}

alone(folders_that_their_owner_cannot_write_go_too) {
    within (series, wi_checkpoints("ckpt", .keep = 1)) {
        save_folder(series);
        expect(chmod("ckpt/checkpoint-000001/b", 0) == 0);
        save_folder(series);
    }
    expect_text(names_in("ckpt"), "checkpoint-000002 checkpoint-000002.manifest");
}

alone(links_that_were_put_into_a_checkpoint_are_removed_and_not_followed) {
    expect(mkdir("mine", 0755) == 0);
    write_file("mine/data", "x");
    within (series, wi_checkpoints("ckpt", .keep = 1)) {
        save_text(series, 0, "x");
        expect(unlink("ckpt/checkpoint-000001") == 0 &&
               symlink("../mine", "ckpt/checkpoint-000001") == 0);
        save_text(series, 0, "x");
        save_text(series, 0, "x");
    }
    expect(exists("mine/data"));
}

alone(one_that_is_not_whole_does_not_count_and_is_left_alone) {
    within (series, wi_checkpoints("ckpt", .keep = 2, QUIETLY)) {
        for (int i = 1; i <= 3; i++) save_text(series, i, "x");
        write_file("ckpt/checkpoint-000003", "");
        save_text(series, 4, "x");
        expect_text(published_in(series), "2 3 4");
        save_text(series, 5, "x");
        expect_text(published_in(series), "3 4 5");
    }
}

/* Whatever the order of the values, and whichever is none: the best and the last stay. */
alone(the_best_stays_under_every_order_of_metrics) {
    const double values[] = {1, 2, NAN, 3, -INFINITY};
    int order[5] = {0, 1, 2, 3, 4}, counter[5] = {0}, i = 0, trials = 0;
    for (int more = 1; more;) {
        char name[32];
        snprintf(name, sizeof name, "ckpt%d", trials++);
        wi_checkpoints series =
            wi_checkpoints(name, .keep = 1, .best_metric = "loss", .best_is_max = trials % 2);
        unsigned best = 0;
        for (unsigned k = 0; k < 5; k++) {
            double value = values[order[k]];
            save_loss(&series, value);
            double sign = series.options.best_is_max ? -1 : 1;
            if (!isnan(value) && (!best || sign * value <= sign * values[order[best - 1]]))
                best = k + 1;
            expect_count(best_of(&series, "loss"), best);
            expect_count(latest_of(&series), k + 1);
            wi_checkpoint each = {.sequence = 0};
            int count = 0;
            while (wi_checkpoint_next(&series, &each)) count++;
            expect_count(count, best && best != k + 1 ? 2 : 1);
        }
        while (i < 5 && counter[i] >= i) counter[i++] = 0; /* Heap's permutations */
        more = i < 5;
        if (!more) break;
        int other = i % 2 ? counter[i] : 0, swapped = order[other];
        order[other] = order[i];
        order[i] = swapped;
        counter[i]++;
        i = 0;
    }
    expect_count(trials, 120);
}

alone(of_equally_good_ones_the_newest_is_the_best) {
    within (series, wi_checkpoints("ckpt", .keep = 1, .best_metric = "loss")) {
        for (int i = 0; i < 3; i++) save_loss(series, 0.5);
        save_loss(series, 0.7);
        expect_count(best_of(series, "loss"), 3);
        expect_text(published_in(series), "3 4");
    }
}

alone(one_without_the_metric_is_never_the_best) {
    within (series, wi_checkpoints("ckpt", .keep = 9)) {
        save_text(series, 0, "x");
        expect_count(best_of(series, "loss"), 0);
        save_loss(series, NAN);
        expect_count(best_of(series, "loss"), 0);
        save_loss(series, INFINITY);
        expect_count(best_of(series, "loss"), 3);
        expect_count(best_of(series, "los"), 0);
    }
}

alone(the_best_that_is_whole_is_found) {
    within (series, wi_checkpoints("ckpt", .keep = 9, QUIETLY)) {
        save_loss(series, 3);
        save_loss(series, 1);
        save_loss(series, 2);
        write_file("ckpt/checkpoint-000002", "statE");
        expect_count(best_of(series, "loss"), 3);
        expect(strstr(passed, "checkpoint-000002: it has changed") == passed);
    }
}

/* ---- what the dead left ---- */

/* A name in ckpt whose owner is dead, on this host or on another. */
static const char *dead_name(const char *stem, const char *host) {
    static char name[300];
    snprintf(name, sizeof name, "ckpt/.%s.within-999999999-1-00000000-%s-0", stem, host);
    return name;
}

alone(what_a_dead_process_left_goes_when_the_series_is_opened_and_nothing_else) {
    wi_checkpoints series = wi_checkpoints("ckpt", .keep = WI_KEEP_ALL);
    wi__owner self = wi__owner_self();
    for (int i = 0; i < 3; i++) save_text(&series, i, "x");
    /* As a kill between the two renames of a publication leaves it, and one in the block. */
    expect(rename("ckpt/checkpoint-000002.manifest",
                  dead_name("checkpoint-000002.manifest", self.host)) == 0);
    expect(mkdir(dead_name("checkpoint", self.host), 0755) == 0);
    write_file(with(dead_name("checkpoint", self.host), "/checkpoint"), "half");
    /* And what is not for it to remove. */
    expect(mkdir(dead_name("checkpoint", "elsewher"), 0755) == 0);
    expect(mkdir(dead_name("checkpoint", "00ffff00"), 0755) == 0);
    expect(mkdir(dead_name("other", self.host), 0755) == 0);
    write_file("ckpt/checkpoint-000050", "somebody's");
    within (&series) continue;
    expect_text(published_in(&series), "1 3");
    expect(!exists("ckpt/checkpoint-000002"));
    expect(!exists(dead_name("checkpoint-000002.manifest", self.host)));
    expect(!exists(dead_name("checkpoint", self.host)));
    expect(exists(dead_name("checkpoint", "elsewher")));
    expect(exists(dead_name("checkpoint", "00ffff00")));
    expect(exists(dead_name("other", self.host)));
    expect(exists("ckpt/checkpoint-000050"));
}

alone(a_dead_processs_manifest_removes_what_it_is_named_after_and_nothing_else) {
    wi_checkpoints series = wi_checkpoints("ckpt", .keep = WI_KEEP_ALL);
    wi__owner self = wi__owner_self();
    for (int i = 0; i < 2; i++) save_text(&series, i, "x");
    expect(link("ckpt/checkpoint-000001.manifest",
                dead_name("checkpoint-000007.manifest", self.host)) == 0);
    write_file(dead_name("checkpoint-000002.manifest", self.host), "within check");
    within (&series) continue;
    expect_text(names_in("ckpt"), "checkpoint-000001 checkpoint-000001.manifest checkpoint-000002 "
                                  "checkpoint-000002.manifest");
}

alone(what_this_process_could_not_remove_goes_later) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    char name[NAME_MAX + 1], aside[NAME_MAX + 10];
    save_text(&series, 0, "x");
    wi__owned_name("checkpoint-000001.manifest", name);
    snprintf(aside, sizeof aside, "ckpt/%s", name);
    expect(rename("ckpt/checkpoint-000001.manifest", aside) == 0);
    save_text(&series, 0, "y");
    expect_text(names_in("ckpt"), "checkpoint-000002 checkpoint-000002.manifest");
}

/* Another process has the lock, and waits until this one wants it: by then the sums are computed. */
static pid_t append_before_publication(const char *path) {
    int ready[2];
    char parent[32];
    expect(pipe(ready) == 0);
    snprintf(parent, sizeof parent, " %d ", (int)getpid());
    pid_t child = fork();
    if (child == 0) {
        struct flock whole = {.l_type = F_WRLCK};
        int lock = open("ckpt/.checkpoints.lock", O_RDWR | O_CREAT, 0600), waits = 0;
        expect(fcntl(lock, F_SETLK, &whole) == 0 && write(ready[1], "x", 1) == 1);
        for (double begin = now_s(); !waits && now_s() - begin < LONGEST_S;) {
            const char *waiter = strstr(read_file("/proc/locks"), "-> POSIX");
            for (; waiter && !waits; waiter = strstr(waiter + 1, "-> POSIX"))
                waits = memmem(waiter, strcspn(waiter, "\n"), parent, strlen(parent)) != NULL;
        }
        write_file(path, "longer than before");
        _exit(0);
    }
    char byte;
    expect(read(ready[0], &byte, 1) == 1);
    return child;
}

static void save_what_grows(void *series) {
    within (save, wi_checkpoint_save((const wi_checkpoints *)series)) {
        write_file(save->path, "short");
        append_before_publication(save->path);
    }
}

alone(what_changes_size_while_it_is_published_is_refused) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    save_text(&series, 0, "x");
    expect_error(WHERE, save_what_grows, &series, WI_DATA_ERROR, "it has 18 bytes, not 5");
    wait(NULL);
    expect_text(names_in("ckpt"), "checkpoint-000001 checkpoint-000001.manifest");
    save_text(&series, 0, "x");
    expect_text(published_in(&series), "1 2");
}

alone(what_a_living_process_makes_is_left_alone) {
    wi_checkpoints series = wi_checkpoints("ckpt");
    within (save, wi_checkpoint_save(&series)) {
        write_file(save->path, "x");
        if (fork() == 0) {
            within (wi_checkpoints("ckpt")) continue;
            _exit(0);
        }
        wait(NULL);
        expect(exists(save->path));
    }
    expect_count(latest_of(&series), 1);
}

#define TESTS(X)                                                                                   \
    X(what_was_saved_is_found_with_all_that_was_told)                                              \
    X(a_folder_is_saved_with_all_that_is_in_it)                                                    \
    X(nothing_is_there_before_the_block_and_its_path_ends_in_the_suffix)                           \
    X(a_series_without_checkpoints_has_none)                                                       \
    X(a_series_need_not_be_entered)                                                                \
    X(checkpoints_come_in_the_order_of_publication)                                                \
    X(sequences_go_on_after_a_million_and_whatever_else_has_such_a_name)                           \
    X(a_save_within_a_save_is_another)                                                             \
    X(threads_save_into_one_series)                                                                \
    X(after_an_error_nothing_is_published_and_nothing_stays)                                       \
    X(a_block_that_is_left_early_saves_nothing_and_says_so)                                        \
    X(what_is_published_before_a_return_is_saved)                                                  \
    X(what_is_published_stays_so_after_an_error_and_once_is_enough)                                \
    X(a_save_knows_its_number_after_its_block_and_cannot_be_published_there)                       \
    X(a_forked_childs_copy_publishes_and_removes_nothing)                                          \
    X(exit_in_the_block_saves_nothing)                                                             \
    X(a_block_that_made_nothing_is_told)                                                           \
    X(a_suffix_that_was_appended_is_told_with_what_to_do)                                          \
    X(a_second_file_beside_the_path_is_refused)                                                    \
    X(a_link_is_refused)                                                                           \
    X(a_link_in_a_folder_is_refused)                                                               \
    X(a_special_file_is_refused)                                                                   \
    X(suffixes_that_no_name_can_end_in_are_refused)                                                \
    X(metrics_need_names_of_their_own)                                                             \
    X(as_many_metrics_as_there_is_room_for_are_kept)                                               \
    X(a_file_where_the_folder_should_be_is_told)                                                   \
    X(a_link_to_a_folder_is_a_folder)                                                              \
    X(a_folder_that_cannot_be_written_is_told_at_once)                                             \
    X(names_with_blanks_line_ends_and_other_letters_are_names)                                     \
    X(the_ledger_tells_what_is_being_made)                                                         \
    X(the_newest_that_is_whole_is_found_and_why_others_are_not)                                    \
    X(without_a_function_to_tell_it_is_said_on_stderr)                                             \
    X(a_file_more_or_less_in_a_folder_is_damage)                                                   \
    X(one_flipped_bit_anywhere_is_seen)                                                            \
    X(every_truncation_is_seen)                                                                    \
    X(the_oldest_go_once_there_are_more_than_are_kept)                                             \
    X(three_are_kept_if_nothing_is_said)                                                           \
    X(folders_that_their_owner_cannot_write_go_too)                                                \
    X(links_that_were_put_into_a_checkpoint_are_removed_and_not_followed)                          \
    X(one_that_is_not_whole_does_not_count_and_is_left_alone)                                      \
    X(the_best_stays_under_every_order_of_metrics)                                                 \
    X(of_equally_good_ones_the_newest_is_the_best)                                                 \
    X(one_without_the_metric_is_never_the_best)                                                    \
    X(the_best_that_is_whole_is_found)                                                             \
    X(what_a_dead_process_left_goes_when_the_series_is_opened_and_nothing_else)                    \
    X(a_dead_processs_manifest_removes_what_it_is_named_after_and_nothing_else)                    \
    X(what_this_process_could_not_remove_goes_later)                                               \
    X(what_changes_size_while_it_is_published_is_refused)                                          \
    X(what_a_living_process_makes_is_left_alone)
#define TEST(name) test(name),

int main(void) {
    const struct CMUnitTest tests[] = {TESTS(TEST)};
    return cmocka_run_group_tests_name("checkpoints", tests, NULL, NULL);
}
