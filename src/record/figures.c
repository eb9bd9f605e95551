/* What a report says of a path, from its counts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/profile.h"

double wi__profile_seconds(const wi__profile *profile, double ticks) {
    return ticks / profile->ticks_per_second;
}

static double ticks_of(const wi__path *path) {
    return (double)path->total + (double)path->open_ticks;
}

/* Of the population. The squares are taken about an integer next to the mean, and so exactly: their sum is
 * small, which makes overflow on the way harmless. */
static double standard_deviation(const wi__path *path) {
    unsigned __int128 total = path->total, about = path->total / path->calls;
    unsigned __int128 squares = path->squares - 2 * about * total + about * about * path->calls;
    double n = (double)path->calls, offset = (double)(path->total % path->calls) / n;
    return sqrt(fmax((double)squares / n - offset * offset, 0));
}

/* The middle of a bucket, in ticks. */
static double middle(uint32_t bucket) {
    if (bucket < 2 * WI__OCTAVE_BUCKETS) return bucket; /* it holds one number */
    uint32_t shift = bucket / WI__OCTAVE_BUCKETS - 1;
    return ldexp(bucket % WI__OCTAVE_BUCKETS + WI__OCTAVE_BUCKETS + 0.5, (int)shift);
}

double wi__path_quantile(const wi__profile *profile, uint32_t index, double q) {
    const wi__path *path = &profile->paths[index];
    if (!path->calls) return NAN;
    double wanted = q * (double)path->calls, seen = 0, ticks = (double)path->max;
    for (uint32_t i = 0; i < path->bucket_count; i++) {
        seen += (double)path->buckets[i].calls;
        if (seen < wanted || seen == 0) continue;
        ticks = middle(path->buckets[i].bucket);
        break;
    }
    return wi__profile_seconds(profile, fmin(fmax(ticks, (double)path->min), (double)path->max));
}

static double percent_of_parent(const wi__profile *profile, uint32_t index) {
    uint32_t parent = profile->paths[index].parent;
    if (parent == WI__NO_PATH) return 100;
    const wi__path *around = &profile->paths[parent];
    double whole = parent == WI__ROOT ? around->children : ticks_of(around);
    return whole > 0 ? 100 * ticks_of(&profile->paths[index]) / whole : NAN;
}

wi__figures wi__path_figures(const wi__profile *profile, uint32_t index) {
    const wi__path *path = &profile->paths[index];
    int ended = path->calls > 0;
    double total = ticks_of(path);
    return (wi__figures){
        .calls = path->calls + path->open_calls,
        .total_s = wi__profile_seconds(profile, total),
        .self_s = wi__profile_seconds(profile, fmax(total - path->children, 0)),
        .mean_s =
            ended ? wi__profile_seconds(profile, (double)path->total / (double)path->calls) : NAN,
        .std_s = ended ? wi__profile_seconds(profile, standard_deviation(path)) : NAN,
        .min_s = ended ? wi__profile_seconds(profile, (double)path->min) : NAN,
        .p50_s = wi__path_quantile(profile, index, 0.5),
        .p99_s = wi__path_quantile(profile, index, 0.99),
        .max_s = ended ? wi__profile_seconds(profile, (double)path->max) : NAN,
        .errors = path->errors,
        .percent_of_parent = percent_of_parent(profile, index),
        .gpu_s = path->gpu.timed ? 1e-9 * (double)path->gpu.time_ns : NAN,
        .gpu_delta = path->gpu.tracked ? (double)path->gpu.delta : NAN,
        .gpu_peak = path->gpu.peak ? (double)path->gpu.peak : NAN,
    };
}

/* Written from its end: each name goes before the one below it. */
size_t wi__path_text(const wi__profile *profile, uint32_t index, char *buffer, size_t size) {
    static const char separator[] = " > ";
    size_t length = 0;
    for (uint32_t i = index; i != WI__ROOT && i != WI__NO_PATH; i = profile->paths[i].parent)
        length += strlen(profile->paths[i].name) + (profile->paths[i].parent != WI__ROOT ? 3 : 0);
    if (size) buffer[length < size ? length : size - 1] = '\0';
    size_t end = length;
    for (uint32_t i = index; i != WI__ROOT && i != WI__NO_PATH; i = profile->paths[i].parent) {
        const char *parts[] = {profile->paths[i].name,
                               profile->paths[i].parent != WI__ROOT ? separator : ""};
        for (int part = 0; part < 2; part++) {
            size_t part_length = strlen(parts[part]);
            end -= part_length;
            for (size_t j = 0; j < part_length; j++)
                if (size && end + j < size - 1) buffer[end + j] = parts[part][j];
        }
    }
    return length;
}
