/* The fuzz target: any bytes, read as a record, looked at through every function, printed in every format. */
#include "fuzz_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/profile.h"
#include "report/report.h"

/* Every text ends, and every index leads to a path. */
static void look_at_path(const wi__profile *profile, uint32_t index) {
    char text[256];
    const wi__path *path = &profile->paths[index];
    if (strlen(path->name) > 4096) abort();
    if (index != WI__ROOT && path->parent >= index)
        abort(); /* parents come before their children */
    wi__figures figures = wi__path_figures(profile, index);
    if (figures.self_s < 0) abort();
    for (double q = 0; q <= 1; q += 0.25) wi__path_quantile(profile, index, q);
    wi__path_text(profile, index, text, sizeof text);
    wi__path_text(profile, index, NULL, 0);
    for (uint32_t child = path->first_child; child != WI__NO_PATH;
         child = profile->paths[child].next_sibling)
        if (child >= profile->path_count || profile->paths[child].parent != index) abort();
}

static void look_at_open_scope(const wi__profile *profile, const wi__open_scope *scope) {
    if (strlen(scope->kind) >= sizeof scope->kind || strlen(scope->what) > 4096) abort();
    if (scope->path != WI__NO_PATH && scope->path >= profile->path_count) abort();
}

static void print_with(const wi__profile *profile, const wi__report_options *options) {
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) abort();
    if (!wi__report_print(stream, profile, options) || fclose(stream) != 0) abort();
    free(text);
}

static void print(const wi__profile *profile) {
    static const wi__report_options options[] = {
        {.format = WI__TEXT, .width = 60, .color = WI__COLOR_ALWAYS},
        {.format = WI__TEXT, .flat = 1, .sort = WI__BY_SELF, .min_percent = 1},
        {.format = WI__JSON, .sort = WI__BY_NAME, .record = "a.record"},
        {.format = WI__CSV, .sort = WI__BY_CALLS, .depth = 2},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) print_with(profile, &options[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    wi__profile profile;
    char why[256] = "";
    if (!wi__profile_of_bytes(bytes, length, &profile, why, sizeof why)) {
        if (!why[0]) abort(); /* a refusal has a reason */
        return 0;
    }
    for (uint32_t i = 0; i < profile.path_count; i++) look_at_path(&profile, i);
    for (size_t i = 0; i < profile.open_count; i++) look_at_open_scope(&profile, &profile.open[i]);
    print(&profile);
    wi__profile_release(&profile);
    return 0;
}
