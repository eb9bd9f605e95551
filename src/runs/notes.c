/*
 * The notes of a run's journal: texts, appended by one write each.
 *
 * On the disk, in the machine's byte order: u32 bytes that follow the check; u32 CRC32C of them; u32 kind; u32 bytes of the
 * key; i64 number; i64 ms; the key; the value; each text with its '\0'.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/crc32c.h"
#include "runs/journal.h"

typedef struct note_head {
    uint32_t length, check;
    uint32_t kind, key_length;
    int64_t number, ms;
} note_head;

enum { CHECKED_FROM = 8, LEAST = sizeof(note_head) - CHECKED_FROM + 2 };

int wi__notes_open(int folder) {
    return openat(folder, "notes", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

/* ---- appending ---- */

/* A note in one piece; NULL if there is no memory. */
static char *note_bytes(const wi__note *note, size_t *size) {
    const char *key = note->key ? note->key : "", *value = note->value ? note->value : "";
    size_t key_size = strlen(key) + 1, value_size = strlen(value) + 1;
    *size = sizeof(note_head) + key_size + value_size;
    char *bytes = malloc(*size);
    if (!bytes) return NULL;
    note_head head = {.length = (uint32_t)(*size - CHECKED_FROM),
                      .kind = note->kind,
                      .key_length = (uint32_t)(key_size - 1),
                      .number = note->number,
                      .ms = note->ms};
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, key, key_size);
    memcpy(bytes + sizeof head + key_size, value, value_size);
    head.check = wi__crc32c(0, bytes + CHECKED_FROM, *size - CHECKED_FROM);
    memcpy(bytes, &head, sizeof head);
    return bytes;
}

/* What a full disk cut off goes again: nothing behind it could be read. */
static int write_whole(int notes, const char *bytes, size_t size) {
    struct stat before;
    ssize_t written;
    if (fstat(notes, &before) != 0) return errno;
    do written = write(notes, bytes, size);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)size) return 0;
    int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(notes, before.st_size) != 0) return errno;
    return error;
}

int wi__notes_append(int notes, const wi__note *note) {
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    size_t size;
    int cancelling;
    char *bytes = note_bytes(note, &size);
    if (!bytes) return ENOMEM;
    int error = EFBIG;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    pthread_mutex_lock(&one_at_a_time);
    if (size <= INT32_MAX) error = write_whole(notes, bytes, size);
    pthread_mutex_unlock(&one_at_a_time);
    pthread_setcancelstate(cancelling, NULL);
    free(bytes);
    return error;
}

/* ---- reading ---- */

/* The file from `start` on, as much of it as was read. */
typedef struct window {
    int notes;
    char *bytes;
    size_t length, room;
    uint64_t start, file_size;
} window;

/* Have `size` bytes from `offset` on. @return 1, 0 if the file has none so many, or -1: errno. */
static int see(window *w, uint64_t offset, size_t size) {
    enum { STEP = 1 << 16 };
    if (w->bytes && offset >= w->start && offset + size <= w->start + w->length) return 1;
    if (offset + size > w->file_size) return 0;
    size_t wanted = size > STEP ? size : STEP;
    if (wanted > w->room) {
        char *bytes = realloc(w->bytes, wanted);
        if (!bytes) return -1;
        w->bytes = bytes;
        w->room = wanted;
    }
    w->start = offset;
    w->length = 0;
    while (w->length < size) {
        ssize_t got =
            pread(w->notes, w->bytes + w->length, wanted - w->length, (off_t)(offset + w->length));
        if (got < 0 && errno != EINTR) return -1;
        if (got == 0) return 0;
        if (got > 0) w->length += (size_t)got;
    }
    return 1;
}

/* @return 1: a note, whose texts lie in the window; 0: no whole one; -1: errno. */
static int note_at(window *w, uint64_t offset, wi__note *note, uint64_t *size) {
    note_head head;
    int seen = see(w, offset, sizeof head);
    if (seen <= 0) return seen;
    memcpy(&head, w->bytes + (offset - w->start), sizeof head);
    if (head.length < LEAST || head.length > INT32_MAX) return 0;
    seen = see(w, offset, CHECKED_FROM + (size_t)head.length);
    if (seen <= 0) return seen;
    const char *bytes = w->bytes + (offset - w->start), *end = bytes + CHECKED_FROM + head.length;
    const char *key = bytes + sizeof head;
    if (wi__crc32c(0, bytes + CHECKED_FROM, head.length) != head.check) return 0;
    if (head.key_length > head.length - LEAST || key[head.key_length] || end[-1]) return 0;
    *note =
        (wi__note){(wi__note_kind)head.kind, head.number, head.ms, key, key + head.key_length + 1};
    *size = CHECKED_FROM + (uint64_t)head.length;
    return 1;
}

int wi__notes_read(int notes, uint64_t *offset, int (*take)(void *arg, const wi__note *note),
                   void *arg) {
    window w = {.notes = notes};
    struct stat file;
    if (fstat(notes, &file) != 0) return errno;
    w.file_size = (uint64_t)file.st_size;
    wi__note note;
    uint64_t size;
    int found, answer = 0;
    while (!answer && (found = note_at(&w, *offset, &note, &size)) > 0) {
        answer = take(arg, &note);
        if (!answer) *offset += size;
    }
    if (!answer && found < 0) answer = errno;
    free(w.bytes);
    return answer;
}
