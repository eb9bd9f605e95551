/* Manifests written and read. */
#include "manage/checkpoint_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/crc32c.h"
#include "manage/durable.h"
#include "manage/manifest_text.h"

static const char first_words[] = "within checkpoint ", last_words[] = "crc32c ";
enum {
    LAST_LINE = sizeof last_words - 1 + 8 + 1, /* "crc32c 1a2b3c4d\n" */
    LONGEST = 1 << 28                          /* bytes; millions of files */
};

/* ---- writing ---- */

static void print_part(FILE *stream, const wi__part *part) {
    if (part->is_folder)
        fprintf(stream, "folder ");
    else
        fprintf(stream, "file %08" PRIx32 " %" PRIu64 " ", part->crc, part->size);
    wi__print_name(stream, part->path);
    fputc('\n', stream);
}

static void print_metric(FILE *stream, const wi_metric *metric) {
    fprintf(stream, "metric ");
    wi__print_name(stream, metric->name);
    fputc(' ', stream);
    wi__print_real(stream, metric->value);
    fputc('\n', stream);
}

static void print_lines(FILE *stream, const wi__manifest *manifest) {
    fprintf(stream, "%s%d\n", first_words, WI__MANIFEST_VERSION);
    fprintf(stream, "sequence %" PRIu64 "\n", manifest->sequence);
    fprintf(stream, "step %" PRId64 "\n", manifest->step);
    fprintf(stream, "time %" PRId64 "\n", manifest->time_ns);
    fprintf(stream, "data ");
    wi__print_name(stream, manifest->data);
    fputc('\n', stream);
    for (int i = 0; i < WI_METRICS && manifest->metrics[i].name[0]; i++)
        print_metric(stream, &manifest->metrics[i]);
    for (size_t i = 0; i < manifest->content.count; i++)
        print_part(stream, &manifest->content.parts[i]);
}

/* The whole text, to be freed; NULL without memory. */
static char *text_of(const wi__manifest *manifest, size_t *length) {
    char *text = NULL;
    FILE *stream = open_memstream(&text, length);
    if (!stream) return NULL;
    print_lines(stream, manifest);
    if (fflush(stream) == 0)
        fprintf(stream, "%s%08" PRIx32 "\n", last_words, wi__crc32c(0, text, *length));
    int failed = ferror(stream);
    failed |= fclose(stream);
    if (!failed) return text;
    free(text);
    return NULL;
}

static int open_file(int folder, const char *name, int flags) {
    int fd;
    do fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static int write_text(int folder, const char *name, const char *text, size_t length) {
    int fd = open_file(folder, name, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0) return errno;
    int error = wi__write_all(fd, text, length);
    if (!error) error = wi__sync(fd);
    int close_error = wi__close(fd);
    if (!error) error = close_error;
    if (error) unlinkat(folder, name, 0);
    return error;
}

int wi__manifest_write(const wi__manifest *manifest, int folder, const char *name,
                       wi__failure *failure) {
    size_t length = 0;
    char *text = text_of(manifest, &length);
    if (!text) return wi__fail(failure, WI_MEMORY_ERROR, "no memory");
    int error = write_text(folder, name, text, length);
    free(text);
    return error ? wi__fail_errno(failure, error, "its manifest cannot be written") : 0;
}

/* ---- reading ---- */

static int is_name(const char *part, size_t length) {
    return length > 0 && !(length == 1 && part[0] == '.') &&
           !(length == 2 && part[0] == '.' && part[1] == '.');
}

/* A path from the name down, or "." for the name itself. */
static int is_below(const char *path) {
    if (strcmp(path, ".") == 0) return 1;
    for (;; path++) {
        size_t length = strcspn(path, "/");
        if (!is_name(path, length)) return 0;
        path += length;
        if (*path == '\0') return 1;
    }
}

static int take_metrics(wi__words *words, wi_metric metrics[WI_METRICS]) {
    int count = 0;
    while (wi__take_text(words, "metric ")) {
        if (count == WI_METRICS) return 0;
        wi_metric *metric = &metrics[count++];
        if (!wi__take_name(words, metric->name, sizeof metric->name) ||
            !wi__take_text(words, " ") || !wi__take_real(words, &metric->value) ||
            !wi__take_text(words, "\n"))
            return 0;
    }
    return 1;
}

static int take_part(wi__words *words, wi__content *content) {
    char path[PATH_MAX];
    wi__part part = {.path = path};
    if (wi__take_text(words, "file ")) {
        if (!wi__take_hex(words, &part.crc) || !wi__take_text(words, " ") ||
            !wi__take_number(words, &part.size) || !wi__take_text(words, " "))
            return 0;
    } else if (wi__take_text(words, "folder ")) {
        part.is_folder = 1;
    } else {
        return 0;
    }
    return wi__take_name(words, path, sizeof path) && wi__take_text(words, "\n") &&
           is_below(path) && wi__content_add(content, &part) == 0;
}

static int take_head(wi__words *words, wi__manifest *manifest) {
    return wi__take_text(words, "sequence ") && wi__take_number(words, &manifest->sequence) &&
           wi__take_text(words, "\nstep ") && wi__take_signed(words, &manifest->step) &&
           wi__take_text(words, "\ntime ") && wi__take_signed(words, &manifest->time_ns) &&
           wi__take_text(words, "\ndata ") &&
           wi__take_name(words, manifest->data, sizeof manifest->data) &&
           wi__take_text(words, "\n") && !strchr(manifest->data, '/');
}

static int take_lines(wi__words *words, wi__manifest *manifest) {
    if (!take_head(words, manifest) || !take_metrics(words, manifest->metrics)) return 0;
    while (words->at < words->end)
        if (!take_part(words, &manifest->content)) return 0;
    return manifest->content.count > 0;
}

/* The sum comes first: what is damaged must not look like another version. */
static int check_sum(const char *text, size_t length) {
    uint32_t sum;
    if (length < LAST_LINE) return 0;
    wi__words last = {text + length - LAST_LINE, text + length};
    return wi__take_text(&last, last_words) && wi__take_hex(&last, &sum) &&
           wi__take_text(&last, "\n") && sum == wi__crc32c(0, text, length - LAST_LINE);
}

static int parse(wi__manifest *manifest, const char *text, size_t length, wi__failure *failure) {
    if (!check_sum(text, length)) return wi__fail(failure, WI_DATA_ERROR, "it is damaged");
    wi__words words = {text, text + length - LAST_LINE};
    if (!wi__take_text(&words, first_words) || !wi__take_number(&words, &manifest->version) ||
        !wi__take_text(&words, "\n"))
        return wi__fail(failure, WI_DATA_ERROR, "it is no manifest");
    if (manifest->version != WI__MANIFEST_VERSION)
        return wi__fail(failure, WI_DATA_ERROR,
                        "it has version %" PRIu64 ", and this library reads version %d",
                        manifest->version, WI__MANIFEST_VERSION);
    if (take_lines(&words, manifest)) return 0;
    return wi__fail(failure, WI_DATA_ERROR, "it is not as manifests are");
}

/* A file that grows meanwhile is cut: its sum will tell. @return its text, to be freed, or NULL and errno. */
static char *read_open_file(int fd, size_t *length) {
    struct stat status;
    if (fstat(fd, &status) != 0) return NULL;
    size_t size = S_ISREG(status.st_mode) && status.st_size < LONGEST ? (size_t)status.st_size : 0;
    char *text = malloc(size + 1);
    for (*length = 0; text && *length < size;) {
        ssize_t n = read(fd, text + *length, size - *length);
        if (n == 0) break;
        if (n > 0) *length += (size_t)n;
        if (n > 0 || errno == EINTR) continue;
        int error = errno;
        free(text);
        errno = error;
        return NULL;
    }
    return text;
}

int wi__manifest_read(wi__manifest *manifest, int folder, const char *name, wi__failure *failure) {
    size_t length;
    memset(manifest, 0, sizeof *manifest);
    int fd = open_file(folder, name, O_RDONLY | O_NONBLOCK);
    if (fd < 0) return wi__fail_errno(failure, errno, "it cannot be opened");
    char *text = read_open_file(fd, &length);
    int error = errno;
    wi__close(fd);
    if (!text) return wi__fail_errno(failure, error, "it cannot be read");
    int failed = parse(manifest, text, length, failure);
    free(text);
    return failed;
}

void wi__manifest_release(wi__manifest *manifest) { wi__content_release(&manifest->content); }

double wi__metric_of(const wi_metric metrics[WI_METRICS], const char *name) {
    for (int i = 0; i < WI_METRICS && metrics[i].name[0]; i++)
        if (strcmp(metrics[i].name, name) == 0) return metrics[i].value;
    return NAN;
}
