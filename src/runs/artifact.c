/* wi_run_artifact, wi_run_text: copies in DATABASE.artifacts/ID, each whole or not there. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <within/atomic_file.h>
#include <within/file.h>

#include "manage/crc32c.h"
#include "manage/durable.h"
#include "runs/open_run.h"

/* What is kept, and where its bytes come from. */
typedef struct artifact {
    wi__open_run *open;
    const char *name;
    const char *text; /* NULL: from the file */
    int file;
    const char *path; /* of the file */
    int64_t bytes;
    uint32_t crc32c;
} artifact;

/* ---- names ---- */

static int is_plain(const char *part, size_t length) {
    return length > 0 && !(length == 1 && part[0] == '.') &&
           !(length == 2 && part[0] == '.' && part[1] == '.');
}

static void check_name(const char *name) {
    for (const char *part = name;; part++) {
        size_t length = strcspn(part, "/");
        if (!is_plain(part, length))
            wi_raise(WI_VALUE_ERROR,
                     "artifact \"%.200s\": the name must stay in the run's folder: no empty part, "
                     "no \".\" and no \"..\"",
                     name);
        part += length;
        if (!*part) return;
    }
}

static void find_path(const artifact *kept, char path[PATH_MAX]) {
    char *real = realpath(kept->open->database, NULL);
    int length = snprintf(path, PATH_MAX, "%s.artifacts/%s/%s", real ? real : kept->open->database,
                          kept->open->run->id, kept->name);
    free(real);
    if (length >= PATH_MAX) wi_raise_errno(ENAMETOOLONG, "artifact %.200s", kept->name);
}

/* From the folder of all artifacts of the database on. */
static void make_folders(char *path, size_t from) {
    for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int made = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!made) wi_raise_errno(errno, "make the folder %s", path);
        *slash = '/';
    }
}

/* ---- bytes ---- */

static void write_some(artifact *kept, int to, const void *bytes, size_t n) {
    int error = wi__write_all(to, bytes, n);
    if (error) wi_raise_errno(error, "artifact %.200s", kept->name);
    kept->crc32c = wi__crc32c(kept->crc32c, bytes, n);
    kept->bytes += (int64_t)n;
}

static void copy_file(artifact *kept, int to) {
    char bytes[65536];
    for (;;) {
        ssize_t got = read(kept->file, bytes, sizeof bytes);
        if (got == 0) return;
        if (got < 0 && errno != EINTR) wi_raise_errno(errno, "artifact: read %s", kept->path);
        if (got > 0) write_some(kept, to, bytes, (size_t)got);
    }
}

static void keep(artifact *kept) {
    char path[PATH_MAX], checksum[16];
    check_name(kept->name);
    find_path(kept, path);
    make_folders(path, strlen(path) - strlen(kept->name) - WI_RUN_ID_LENGTH - 2);
    within (file, wi_atomic_file(path)) {
        if (kept->text)
            write_some(kept, file->fd, kept->text, strlen(kept->text));
        else
            copy_file(kept, file->fd);
    }
    snprintf(checksum, sizeof checksum, "%08" PRIx32, kept->crc32c);
    wi__open_run_note(kept->open, WI__NOTE_ARTIFACT, kept->name, checksum, kept->bytes);
}

/* ---- the calls ---- */

static const char *own_name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void wi_run_artifact(wi_run *run, const char *path, const char *name) {
    wi__open_run *open = wi__open_run_of(run, "keep an artifact");
    if (!path) wi_raise(WI_VALUE_ERROR, "wi_run_artifact: the path is NULL");
    artifact kept = {.open = open, .name = name ? name : own_name_of(path), .path = path};
    within (source, wi_file(path, "r")) {
        kept.file = fileno(source->stream);
        keep(&kept);
    }
}

void wi_run_text(wi_run *run, const char *name, const char *text) {
    wi__open_run *open = wi__open_run_of(run, "keep a text");
    if (!name || !text) wi_raise(WI_VALUE_ERROR, "wi_run_text: the name or the text is NULL");
    artifact kept = {.open = open, .name = name, .text = text, .file = -1};
    keep(&kept);
}
