/* wi_tempdir: a scratch directory for a block. */
#include <within/tempdir.h>

#include <stdio.h>
#include <string.h>

#include "manage/scratch.h"

/* ---- enter ---- */

static const char *prefix_of(const wi_tempdir *dir) {
    return dir->options.prefix ? dir->options.prefix : "within";
}

static const char *parent_of(const wi_tempdir *dir) {
    return dir->options.parent ? dir->options.parent : wi__scratch_parent();
}

static void check_prefix(const char *prefix) {
    if (!*prefix) wi_raise(WI_VALUE_ERROR, "a scratch directory's prefix must not be empty");
    if (*prefix == '.')
        wi_raise(WI_VALUE_ERROR, "a scratch directory's prefix must not begin with '.': %s",
                 prefix);
    if (strchr(prefix, '/'))
        wi_raise(WI_VALUE_ERROR, "a scratch directory's prefix must not have a '/' in it: %s",
                 prefix);
}

static wi__trouble begin(void *self) {
    wi_tempdir *dir = self;
    wi__trouble trouble = wi__scratch_make(parent_of(dir), prefix_of(dir), &dir->scratch);
    if (trouble.what) return trouble;
    dir->path = wi__scratch_path(dir->scratch);
    dir->holding = wi_hold("scratch", "%s", dir->path);
    return trouble;
}

static void tempdir_enter(void *self) {
    wi_tempdir *dir = self;
    if (dir->scratch) wi_raise(WI_USAGE_ERROR, "%s: this wi_tempdir is open already", dir->path);
    check_prefix(prefix_of(dir));
    wi__do_whole(parent_of(dir), begin, dir);
}

/* ---- exit ---- */

typedef struct ending {
    wi_tempdir *dir;
    int keep;
    wi__removal removal;
    char path[PATH_MAX]; /* for messages; cut if it is longer */
} ending;

static wi__trouble end(void *arg) {
    ending *last = arg;
    wi_tempdir *dir = last->dir;
    snprintf(last->path, sizeof last->path, "%s", dir->path);
    wi_let_go(dir->holding);
    wi__scratch_end(dir->scratch, last->keep, &last->removal);
    dir->scratch = NULL;
    dir->path = NULL;
    return WI__NO_TROUBLE;
}

static wi_verdict tempdir_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_tempdir *dir = self;
    ending last = {.dir = dir};
    int foreign = wi__scratch_is_foreign(dir->scratch);
    last.keep = !foreign && reason == WI_RAISED && dir->options.keep_on_error;
    wi__do_whole(dir->path, end, &last);
    if (last.removal.error)
        wi_raise_errno(last.removal.error, "%s: cannot remove %s", last.path, last.removal.path);
    if (last.keep)
        fprintf(stderr, "within: an error was raised: the scratch directory %s is kept\n",
                last.path);
    return WI_PROPAGATE;
}

static void tempdir_describe(const void *self, char *buffer, size_t size) {
    const wi_tempdir *dir = self;
    snprintf(buffer, size, "%s", dir->path ? dir->path : "");
}

static const wi_protocol tempdir_protocol = {"tempdir", tempdir_enter, tempdir_exit,
                                             tempdir_describe};

wi_tempdir wi__tempdir(wi_tempdir_options options) {
    wi_tempdir dir = {&tempdir_protocol, options, NULL, NULL, {NULL, 0}};
    return dir;
}
