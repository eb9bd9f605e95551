/*
 * What the record's tests share: a process of its own for each test, and profiles looked up by path.
 */
#ifndef WITHIN_RECORD_HELPERS_H
#define WITHIN_RECORD_HELPERS_H

#include "process_helpers.h"
#include "record/profile.h"

/* ---- profiles ---- */

WI__UNUSED static wi__profile own_profile(void) {
    wi__profile profile;
    expect(wi__profile_of_self(&profile));
    return profile;
}

WI__UNUSED static wi__profile profile_in(const char *path) {
    wi__profile profile;
    char why[256] = "";
    int read = wi__profile_read(path, &profile, why, sizeof why);
    expect_that(read, path, "%s", why);
    return profile;
}

/* The path with this text, "a > b"; WI__NO_PATH if there is none. */
WI__UNUSED static uint32_t find_path(const wi__profile *profile, const char *text) {
    char full[4096];
    for (uint32_t i = 1; i < profile->path_count; i++) {
        wi__path_text(profile, i, full, sizeof full);
        if (strcmp(full, text) == 0) return i;
    }
    return WI__NO_PATH;
}

WI__UNUSED static const wi__path *path_named(const wi__profile *profile, const char *text) {
    uint32_t path = find_path(profile, text);
    expect_that(path != WI__NO_PATH, text, "there is no such path");
    return &profile->paths[path];
}

WI__UNUSED static uint64_t calls_of(const wi__profile *profile, const char *text) {
    return path_named(profile, text)->calls;
}

/* How often a tally with these texts was counted: 0 if there is none. */
WI__UNUSED static uint64_t tallied(const wi__profile *profile, wi__tally_kind kind,
                                   const char *what, const char *where) {
    for (int i = 0; i < WI__TALLIES; i++) {
        const wi__tally *tally = &profile->header.tallies[i];
        if (tally->kind == (uint32_t)kind && strcmp(tally->what, what) == 0 &&
            strstr(tally->where, where))
            return tally->count;
    }
    return 0;
}

WI__UNUSED static uint64_t all_tallied(const wi__profile *profile, wi__tally_kind kind) {
    uint64_t count = 0;
    for (int i = 0; i < WI__TALLIES; i++)
        if (profile->header.tallies[i].kind == (uint32_t)kind)
            count += profile->header.tallies[i].count;
    return count;
}

/* The paths of a profile, "a, a > b", in its order, those without calls and not open left out. */
WI__UNUSED static const char *paths_of(const wi__profile *profile) {
    static char text[1 << 16];
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 1; i < profile->path_count && length + 4096 < sizeof text; i++) {
        if (!profile->paths[i].calls && !profile->paths[i].open_calls) continue;
        if (length) length += (size_t)sprintf(text + length, ", ");
        length += wi__path_text(profile, i, text + length, 4096);
    }
    return text;
}

/* What is open, innermost first: "section b, section a". */
WI__UNUSED static const char *open_in(const wi__profile *profile) {
    static char text[1 << 14];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < profile->open_count && length + 512 < sizeof text; i++)
        length += (size_t)snprintf(text + length, 512, "%s%s %s", length ? ", " : "",
                                   profile->open[i].kind, profile->open[i].what);
    return text;
}

#endif
