/* wi_checkpoints: a series of checkpoints in a folder. */
#include "manage/checkpoints.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "manage/checkpoint_series.h"
#include "manage/durable.h"

/* ---- the folder ---- */

/* New folders are on the disk before something is published in them. */
static int make_folder(const char *path, wi__failure *failure) {
    if (mkdir(path, 0777) != 0)
        return errno == EEXIST ? 0 : wi__fail_errno(failure, errno, "%s cannot be made", path);
    int error = wi__sync_folder_of(path);
    return error ? wi__fail_errno(failure, error, "%s could not be written to the disk", path) : 0;
}

static int make_folders(const char *path, wi__failure *failure) {
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return wi__fail_errno(failure, ENAMETOOLONG, "it cannot be made");
    for (char *slash = part + 1; *part && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (make_folder(part, failure)) return -1;
        *slash = '/';
    }
    return make_folder(part, failure);
}

int wi__series_make(const char *path, wi__failure *failure) {
    int folder = wi__series_open(path);
    if (folder < 0 && errno == ENOENT) {
        if (make_folders(path, failure)) return -1;
        folder = wi__series_open(path);
    }
    if (folder < 0) wi__fail_errno(failure, errno, "the folder cannot be opened");
    return folder;
}

/* ---- the manager ---- */

int wi__series_validate(const wi_checkpoints *series, wi__failure *failure) {
    if (!series->folder || !series->folder[0])
        return wi__fail(failure, WI_VALUE_ERROR, "a series of checkpoints needs a folder");
    if (!wi__is_suffix(series->options.suffix))
        return wi__fail(failure, WI_VALUE_ERROR,
                        "%s cannot be a suffix: one has no '/', begins with no digit, is not "
                        "\".manifest\", and has 100 bytes at most",
                        series->options.suffix);
    return 0;
}

static int open_series(const wi_checkpoints *series, wi__failure *failure) {
    if (wi__series_validate(series, failure)) return -1;
    int folder = wi__series_make(series->folder, failure);
    if (folder < 0) return -1;
    wi__close(folder);
    return wi__series_clean(series->folder, failure);
}

static void series_enter(void *self) {
    wi_checkpoints *series = self;
    wi__failure failure;
    if (open_series(series, &failure))
        wi__raise_failure(&failure, "checkpoints %s", series->folder ? series->folder : "");
    series->holding = wi_hold("checkpoints", "%s", series->folder);
}

static wi_verdict series_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_let_go(((wi_checkpoints *)self)->holding);
    return WI_PROPAGATE;
}

static void series_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_checkpoints *)self)->folder);
}

static const wi_protocol series_protocol = {"checkpoints", series_enter, series_exit,
                                            series_describe};

wi_checkpoints wi__checkpoints(const char *folder, wi_checkpoints_options options) {
    wi_checkpoints series = {&series_protocol, folder, options, {NULL, 0}};
    return series;
}
