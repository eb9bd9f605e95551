/* What goes from a series of checkpoints: the oldest beyond those to keep, and what dead processes left. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/checkpoint_series.h"
#include "manage/owner.h"
#include "manage/remove_tree.h"
#include "record/complain.h"

/* A series' folder, and what it is called in what is said. */
typedef struct place {
    int folder;
    const char *path;
} place;

static int say_kept(const place *at, const char *name, int error) {
    wi__complain("checkpoints %s: %s cannot be removed: %s", at->path, name, strerror(error));
    return error;
}

static int remove_or_say(const place *at, const char *name) {
    wi__removal removal;
    int error = wi__remove_tree(at->folder, name, 0, &removal);
    return error ? say_kept(at, removal.path, error) : 0;
}

/* ---- one ---- */

static int rename_until(int folder, const char *from, const char *to) {
    int error;
    do error = renameat(folder, from, folder, to) ? errno : 0;
    while (error == EINTR);
    return error;
}

/* The manifest is renamed first, so that nobody finds half a checkpoint, and goes last, so that it can be done again. */
static void remove_checkpoint(const place *at, const wi__manifest *manifest) {
    char name[NAME_MAX + 1], aside[NAME_MAX + 1];
    wi__manifest_name(manifest->sequence, name);
    wi__owned_name(name, aside);
    int error = rename_until(at->folder, name, aside);
    if (error)
        say_kept(at, name, error);
    else if (remove_or_say(at, manifest->data) == 0)
        remove_or_say(at, aside);
}

/* ---- what the dead left ---- */

static int fail_to_remove(wi__removal *removal, const char *name, int error) {
    *removal = (wi__removal){.left = 1, .error = error};
    snprintf(removal->path, sizeof removal->path, "%s", name);
    return error;
}

/* One that is cut off was never renamed, and its data have no name yet; one of a newer version is not understood. */
static int remove_data(int folder, const char *name, int how, wi__removal *removal) {
    wi__manifest manifest;
    wi__failure failure = {.errnum = 0};
    int is_read = wi__manifest_read(&manifest, folder, name, &failure) == 0, error = 0;
    *removal = (wi__removal){.files = 0};
    if (is_read && wi__series_is_manifest_of(&manifest, wi__stray_sequence(name)))
        error = wi__remove_tree(folder, manifest.data, how, removal);
    else if (!is_read && manifest.version > WI__MANIFEST_VERSION)
        error = fail_to_remove(removal, name, ENOTSUP);
    else if (!is_read && failure.errnum && failure.errnum != ENOENT)
        error = fail_to_remove(removal, name, failure.errnum);
    wi__manifest_release(&manifest);
    return error;
}

static int remove_stray(int folder, const char *name, int how, wi__removal *removal) {
    wi__removal data = {.files = 0};
    if (wi__stray_sequence(name) && remove_data(folder, name, how, &data)) {
        *removal = data;
        return data.error;
    }
    wi__remove_tree(folder, name, how, removal);
    removal->files += data.files;
    removal->bytes += data.bytes;
    return removal->error;
}

void wi__series_tidy(int folder, const char *path, const wi__listing *listing) {
    const place at = {folder, path};
    wi__removal removal;
    for (size_t i = 0; i < listing->leftover_count; i++)
        if (remove_stray(folder, listing->leftovers[i].name, 0, &removal))
            say_kept(&at, removal.path, removal.error);
}

int wi__stray_remove(int folder, const char *name, int how, wi__removal *removal) {
    wi__failure failure;
    int lock = how & WI__REMOVE_DRY ? -1 : wi__series_lock(folder, &failure);
    if (lock < 0 && !(how & WI__REMOVE_DRY)) return fail_to_remove(removal, name, failure.errnum);
    int error = remove_stray(folder, name, how, removal);
    if (lock >= 0) wi__series_unlock(lock);
    return error;
}

/* ---- those beyond what is to be kept ---- */

typedef struct rotation {
    const wi_checkpoints_options *options;
    wi__manifest *whole; /* with all its files, newest first */
    size_t count;
    size_t best; /* its index; count: none */
} rotation;

static double value_of(const rotation *r, size_t i) {
    double value = wi__metric_of(r->whole[i].metrics, r->options->best_metric);
    return r->options->best_is_max ? -value : value;
}

/* Of equals the newest. */
static void find_best(rotation *r) {
    r->best = r->count;
    if (!r->options->best_metric) return;
    for (size_t i = 0; i < r->count; i++) {
        double value = value_of(r, i);
        if (isnan(value)) continue;
        if (r->best == r->count || value < value_of(r, r->best)) r->best = i;
    }
}

/* One that is not whole does not count, and is nobody's to remove: something may be saved from it by hand. */
static void look_at_all(rotation *r, int folder, const wi__listing *listing) {
    wi__failure failure;
    for (size_t i = listing->count; i-- > 0;) {
        wi__manifest *manifest = &r->whole[r->count];
        if (wi__series_check(manifest, folder, listing->published[i], 0, &failure) == 0)
            r->count++;
        else
            wi__manifest_release(manifest);
    }
}

static void rotate(rotation *r, const place *at, const wi__listing *listing) {
    size_t keep = r->options->keep ? (size_t)r->options->keep : 3;
    look_at_all(r, at->folder, listing);
    find_best(r);
    for (size_t i = r->count; i-- > keep;)
        if (i != r->best) remove_checkpoint(at, &r->whole[i]);
    for (size_t i = 0; i < r->count; i++) wi__manifest_release(&r->whole[i]);
}

void wi__series_rotate(int folder, const char *path, const wi_checkpoints_options *options) {
    wi__listing listing;
    wi__failure failure = {.text = "no memory"};
    const place at = {folder, path};
    rotation r = {.options = options};
    if (options->keep < 0) return;
    if (wi__series_list(&listing, folder, &failure) == 0)
        r.whole = calloc(listing.count + 1, sizeof *r.whole);
    if (r.whole)
        rotate(&r, &at, &listing);
    else
        wi__complain("checkpoints %s: old ones stay: %s", path, failure.text);
    free(r.whole);
    wi__listing_release(&listing);
}
