/* One leftover removed or left, and the words for it. */
#include "cli/cleaning.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report/units.h"
#include "report/utf8.h"

/* ---- words ---- */

wi__shown wi__found_text(const wi__found *found, const char *name) {
    wi__shown shown;
    char path[PATH_MAX + NAME_MAX];
    size_t length = strlen(found->where);
    int is_itself = length && strcmp(name, ".") == 0;
    int needs_slash = length && !is_itself && found->where[length - 1] != '/';
    snprintf(path, sizeof path, "%s%s%s", found->where, needs_slash ? "/" : "",
             is_itself ? "" : name);
    wi__printable(shown.text, sizeof shown.text, path);
    return shown;
}

int wi__cleaning_how(const wi__cleaning *cleaning) {
    return WI__REMOVE_WEIGH | (cleaning->dry_run ? WI__REMOVE_DRY : 0);
}

void wi__cleaning_removed(wi__cleaning *cleaning, const char *kind, const wi__found *found,
                          const char *name, const wi__removal *removal) {
    cleaning->files += removal->files;
    cleaning->bytes += removal->bytes;
    printf("%s %s %s", cleaning->dry_run ? "would remove" : "removed", kind,
           wi__found_text(found, name).text);
}

void wi__cleaning_left(wi__cleaning *cleaning, const char *kind, const wi__shown *path,
                       uint32_t pid, const char *why, int silently) {
    if (!silently) cleaning->left++;
    if (!silently || cleaning->verbose)
        printf("left %s %s of process %" PRIu32 ": %s\n", kind, path->text, pid, why);
}

void wi__cleaning_failed(wi__cleaning *cleaning, const char *what, const char *path, int error) {
    cleaning->failed++;
    wi__cleaning_trouble(what, path, error);
}

void wi__cleaning_trouble(const char *what, const char *path, int error) {
    fflush(stdout);
    fprintf(stderr, "within clean: %s %s: %s\n", what, path, strerror(error));
}

/* ---- leftovers ---- */

static const char *kind_of(const wi__leftover *leftover) {
    if (leftover->has_directory) return "scratch directory";
    return leftover->kind == WI__LEFT_FOLDER ? "unfinished folder" : "unfinished file";
}

/* Why it stays; NULL: it goes. */
static const char *why_left(const wi__leftover *leftover) {
    switch (leftover->state) {
    case WI__OWNER_ALIVE: return "it is alive";
    case WI__OWNER_ELSEWHERE: return "it ran on another host, or in another container";
    default: return leftover->user == geteuid() ? NULL : "it belongs to another user";
    }
}

static void remove_leftover(wi__cleaning *cleaning, const wi__found *found, const char *shown,
                            const wi__leftover *leftover) {
    wi__removal removal;
    if (wi__leftover_remove(found->folder, found->name, leftover, wi__cleaning_how(cleaning),
                            &removal) &&
        !cleaning->dry_run) {
        wi__cleaning_failed(cleaning, "cannot remove", wi__found_text(found, removal.path).text,
                            removal.error);
        return;
    }
    wi__cleaning_removed(cleaning, kind_of(leftover), found, shown, &removal);
    printf(" of process %" PRIu32 " (dead)", leftover->owner.process.pid);
    if (leftover->has_directory || leftover->kind == WI__LEFT_FOLDER)
        printf(", %s file%s", wi__count_text(removal.files).text, wi__plural(removal.files));
    printf(", %s\n", wi__bytes_text(removal.bytes).text);
    *(leftover->has_directory ? &cleaning->scratch : &cleaning->unfinished) += 1;
}

void wi__clean_leftover(wi__cleaning *cleaning, const wi__found *found,
                        const wi__leftover *leftover) {
    const char *shown = found->name + (leftover->has_directory ? 1 : 0);
    const char *why = why_left(leftover);
    if (!why) {
        remove_leftover(cleaning, found, shown, leftover);
        return;
    }
    wi__shown path = wi__found_text(found, shown);
    wi__cleaning_left(cleaning, kind_of(leftover), &path, leftover->owner.process.pid, why,
                      leftover->state == WI__OWNER_ALIVE);
}

/* ---- the sums ---- */

static uint64_t print_count(uint64_t before, uint64_t count, const char *one, const char *many) {
    if (count)
        printf("%s%s %s", before ? ", " : "", wi__count_text(count).text, count == 1 ? one : many);
    return before + count;
}

void wi__cleaning_summary(const wi__cleaning *cleaning) {
    printf("looked at %s folder%s; %s ", wi__count_text(cleaning->folders).text,
           wi__plural(cleaning->folders), cleaning->dry_run ? "would remove" : "removed");
    uint64_t all = print_count(0, cleaning->scratch, "scratch directory", "scratch directories");
    all = print_count(all, cleaning->unfinished, "unfinished file or folder",
                      "unfinished files and folders");
    all = print_count(all, cleaning->records, "record", "records");
    if (all)
        printf(": %s file%s, %s", wi__count_text(cleaning->files).text, wi__plural(cleaning->files),
               wi__bytes_text(cleaning->bytes).text);
    else
        fputs("nothing", stdout);
    if (cleaning->left) printf("; left %s", wi__count_text(cleaning->left).text);
    if (cleaning->failed) printf("; failed %s", wi__count_text(cleaning->failed).text);
    putchar('\n');
}
