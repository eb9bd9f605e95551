/* Manifests: what is written comes back, in any locale, and nothing that is read can do harm. */
#include "checkpoint_helpers.h"

#include <float.h>
#include <locale.h>

#include "manage/checkpoint_manifest.h"
#include "manage/crc32c.h"

static int here(void) { return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

/* A manifest of these lines, with a sum that is right. */
static void write_lines(const char *lines) {
    FILE *file = fopen("manifest", "w");
    fprintf(file, "%scrc32c %08" PRIx32 "\n", lines, wi__crc32c(0, lines, strlen(lines)));
    fclose(file);
}

/* Why the manifest is refused; "" if it is read. */
static const char *refused(void) {
    static wi__failure failure;
    wi__manifest manifest;
    int folder_fd = here();
    int failed = wi__manifest_read(&manifest, folder_fd, "manifest", &failure);
    if (failed) expect(failure.kind == WI_DATA_ERROR);
    wi__manifest_release(&manifest);
    close(folder_fd);
    return failed ? failure.text : "";
}

#define HEAD "within checkpoint 1\nsequence 2\nstep -3\ntime 4\ndata checkpoint-000002\n"
#define PART "file 00000000 0 .\n"

static void expect_refused(const char *where, const char *lines, const char *why) {
    write_lines(lines);
    const char *text = refused();
    expect_that(strstr(text, why) != NULL && (*why || !*text), where, "of \"%s\" is said: %s",
                lines, text);
}

static wi__manifest written_and_read(const wi__manifest *manifest) {
    wi__manifest again;
    wi__failure failure;
    int folder_fd = here();
    unlink("manifest");
    expect_that(!wi__manifest_write(manifest, folder_fd, "manifest", &failure), WHERE, "%s",
                failure.text);
    expect_that(!wi__manifest_read(&again, folder_fd, "manifest", &failure), WHERE, "%s",
                failure.text);
    close(folder_fd);
    return again;
}

static wi__manifest small_manifest(void) {
    wi__manifest manifest = {.sequence = 2, .step = -3, .time_ns = 4, .data = "checkpoint-000002"};
    wi__part part = {.path = "."};
    expect(wi__content_add(&manifest.content, &part) == 0);
    return manifest;
}

alone(the_format_is_as_its_page_says) {
    wi__manifest manifest = small_manifest();
    wi__part file = {"a b\n\\\xc3\xa9\x7f", 12345, 0xabcdef, 0}, inner = {"weights", 0, 0, 1};
    strcpy(manifest.metrics[0].name, "my loss");
    manifest.metrics[0].value = 0.1;
    expect(wi__content_add(&manifest.content, &file) == 0);
    expect(wi__content_add(&manifest.content, &inner) == 0);
    wi__manifest again = written_and_read(&manifest);
    const char *text = read_file("manifest"),
               *lines = HEAD "metric my\\x20loss 0.1\n" PART
                             "file 00abcdef 12345 a\\x20b\\x0a\\x5c\xc3\xa9\\x7f\nfolder weights\n";
    expect(strncmp(text, lines, strlen(lines)) == 0);
    expect(strncmp(text + strlen(lines), "crc32c ", 7) == 0);
    expect_text(again.content.parts[1].path, file.path);
    expect_count(again.content.parts[1].crc, file.crc);
    expect_count(again.content.parts[2].is_folder, 1);
    wi__manifest_release(&manifest);
    wi__manifest_release(&again);
}

alone(every_value_comes_back) {
    const double values[] = {0.1,          1.0 / 3,   -0.0, DBL_MAX, DBL_MIN,
                             DBL_TRUE_MIN, -INFINITY, NAN,  1e22};
    enum { COUNT = sizeof values / sizeof *values };
    const int64_t steps[] = {0, INT64_MIN, INT64_MAX};
    for (int s = 0; s < 3; s++) {
        wi__manifest manifest = small_manifest();
        manifest.step = steps[s];
        for (int i = 0; i < COUNT; i++) {
            snprintf(manifest.metrics[i].name, WI_METRIC_NAME, "%d", i);
            manifest.metrics[i].value = values[i];
        }
        wi__manifest again = written_and_read(&manifest);
        expect(again.step == steps[s]);
        for (int i = 0; i < COUNT; i++)
            expect(isnan(values[i]) ? isnan(again.metrics[i].value)
                                    : !memcmp(&again.metrics[i].value, &values[i], sizeof(double)));
        wi__manifest_release(&manifest);
        wi__manifest_release(&again);
    }
}

/* Where there is a locale with a decimal comma. */
alone(numbers_do_not_depend_on_the_locale) {
    const char *names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    for (int i = 0; i < 4 && !setlocale(LC_ALL, names[i]); i++) continue;
    wi__manifest manifest = small_manifest();
    strcpy(manifest.metrics[0].name, "loss");
    manifest.metrics[0].value = 0.5;
    wi__manifest again = written_and_read(&manifest);
    expect(strstr(read_file("manifest"), "metric loss 0.5\n") != NULL);
    expect(again.metrics[0].value == 0.5);
    wi__manifest_release(&manifest);
    wi__manifest_release(&again);
}

alone(a_newer_version_is_refused_clearly) {
    expect_refused(WHERE, HEAD PART, "");
    expect_refused(WHERE, "within checkpoint 2\nwhat is new\n",
                   "it has version 2, and this library reads version 1");
    expect_refused(WHERE, "within checkpoint 18446744073709551616\n", "it is no manifest");
    expect_refused(WHERE, "something else\n", "it is no manifest");
    expect_refused(WHERE, "", "it is no manifest");
}

alone(names_that_lead_out_of_the_checkpoint_are_refused) {
    const char *paths[] = {"..",   "../x", "/x",  "a/..", "a/../x",
                           "a//x", "a/",   "./a", "a/.",  "a/./b"};
    char lines[400];
    for (int i = 0; i < 10; i++) {
        snprintf(lines, sizeof lines, HEAD "file 00000000 0 %s\n", paths[i]);
        expect_refused(WHERE, lines, "it is not as manifests are");
        snprintf(lines, sizeof lines, HEAD "folder %s\n", paths[i]);
        expect_refused(WHERE, lines, "it is not as manifests are");
    }
    expect_refused(WHERE, HEAD "folder .\nfolder ...\nfolder ..a/.b\n", "");
    expect_refused(WHERE, "within checkpoint 1\nsequence 2\nstep 3\ntime 4\ndata a/b\n" PART,
                   "it is not as manifests are");
}

alone(lines_that_are_not_as_they_should_be_are_refused) {
    const char *lines[] = {
        HEAD,
        HEAD "file 0000000 0 .\n",
        HEAD "file 0000000A 0 .\n",
        HEAD "file 00000000 -1 .\n",
        HEAD "file 00000000 18446744073709551616 .\n",
        HEAD "file 00000000 0 \n",
        HEAD "file 00000000 0 .",
        HEAD "file 00000000 0 a b\n",
        HEAD "file 00000000 0 a\\x2\n",
        HEAD "file 00000000 0 a\\x00\n",
        HEAD "file 00000000 0 a\\x61\n",
        HEAD "file 00000000 0 a\\n\n",
        HEAD "file 00000000 0 a\\",
        HEAD "file 00000000 0 a\x01\n",
        HEAD "pipe a\n",
        HEAD "\n" PART,
        HEAD PART "metric loss 1\n",
        HEAD "metric loss\n" PART,
        HEAD "metric loss 1x\n" PART,
        HEAD "metric loss \n" PART,
        HEAD "metric  1\n" PART,
        "within checkpoint 1\nsequence x\nstep 3\ntime 4\ndata a\n" PART,
        "within checkpoint 1\nsequence 2\nstep 9223372036854775808\ntime 4\ndata a\n" PART,
        "within checkpoint 1\nsequence 2\nstep -\ntime 4\ndata a\n" PART,
        "within checkpoint 1\nsequence 2\nstep 3\ndata a\n" PART,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_refused(WHERE, lines[i], "it is not as manifests are");
}

alone(more_metrics_than_there_is_room_for_are_refused) {
    char lines[4000] = HEAD;
    for (int i = 0; i < WI_METRICS + 1; i++) sprintf(lines + strlen(lines), "metric a%d 1\n", i);
    expect_refused(WHERE, strcat(lines, PART), "it is not as manifests are");
}

alone(a_name_that_is_too_long_is_refused) {
    char lines[10000] = HEAD "file 00000000 0 ";
    memset(lines + strlen(lines), 'a', 5000);
    expect_refused(WHERE, strcat(lines, "\n"), "it is not as manifests are");
}

/* Each line of a good one in each place of it, each byte changed, with the sum put right: read or refused. */
alone(whatever_is_in_it_it_is_read_or_refused) {
    char good[] = HEAD "metric loss 0.5\n" PART "folder a\n", lines[sizeof good];
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int byte = 1; byte < 256; byte += 3) {
            memcpy(lines, good, sizeof good);
            lines[at] = (char)byte;
            write_lines(lines);
            refused();
        }
    for (size_t length = 0; length < sizeof good - 1; length++) {
        memcpy(lines, good, sizeof good);
        lines[length] = '\0';
        write_lines(lines);
        refused();
    }
}

alone(what_is_no_regular_file_is_refused) {
    expect(mkfifo("manifest", 0600) == 0);
    expect_text(refused(), "it is damaged");
    expect(unlink("manifest") == 0);
    write_lines(HEAD PART);
    expect(rename("manifest", "other") == 0 && symlink("other", "manifest") == 0);
    wi__manifest manifest;
    wi__failure failure;
    int folder_fd = here();
    expect(wi__manifest_read(&manifest, folder_fd, "manifest", &failure));
    expect_count(failure.errnum, ELOOP);
    close(folder_fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_format_is_as_its_page_says),
        test(every_value_comes_back),
        test(numbers_do_not_depend_on_the_locale),
        test(a_newer_version_is_refused_clearly),
        test(names_that_lead_out_of_the_checkpoint_are_refused),
        test(lines_that_are_not_as_they_should_be_are_refused),
        test(more_metrics_than_there_is_room_for_are_refused),
        test(a_name_that_is_too_long_is_refused),
        test(whatever_is_in_it_it_is_read_or_refused),
        test(what_is_no_regular_file_is_refused),
    };
    return cmocka_run_group_tests_name("checkpoint_manifest", tests, NULL, NULL);
}
