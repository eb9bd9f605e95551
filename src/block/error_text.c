/* Errors as text, and errno values as kinds of error. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

/* A buffer that is written as far as it reaches, and a length that counts on. */
typedef struct writer {
    char *buffer;
    size_t size;
    size_t length;
} writer;

static void add(writer *text, const char *format, ...) WI__PRINTF(2, 3);
static void add(writer *text, const char *format, ...) {
    size_t room = text->length < text->size ? text->size - text->length : 0;
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(room ? text->buffer + text->length : NULL, room, format, arguments);
    va_end(arguments);
    if (added > 0) text->length += (size_t)added;
}

static void add_place(writer *text, const char *verb, const wi_place *place) {
    if (place) add(text, "%s at %s:%d in %s\n", verb, place->file, place->line, place->function);
}

static void add_trail(writer *text, const wi_error *error) {
    size_t kept = 0;
    for (const wi_trail_entry *entry; (entry = wi_error_trail(error, kept)); kept++) {
        add(text, "  left %s", entry->manager ? entry->manager : "a block");
        if (entry->what[0]) add(text, " \"%s\"", entry->what);
        add_place(text, "", entry->place);
    }
    if (error->trail_length > kept)
        add(text, "  left %zu blocks more\n", error->trail_length - kept);
}

/* Add one error; what comes behind it: its cause, else its context, or NULL. */
static const wi_error *add_error(writer *text, const wi_error *error) {
    add(text, "%s: %s\n", error->type->name, wi_error_message(error));
    add_place(text, "  raised", error->place);
    add_trail(text, error);
    if (error->cause || error->context) add(text, error->cause ? "caused by " : "while handling ");
    return error->cause ? error->cause : error->context;
}

size_t wi_error_format(const wi_error *error, char *buffer, size_t size) {
    writer text = {buffer, size, 0};
    if (size) buffer[0] = '\0';
    while (error) error = add_error(&text, error);
    return text.length;
}

const wi_error_type *wi_error_type_of_errno(int errnum) {
    switch (errnum) {
    case ENOENT: return WI_FILE_NOT_FOUND;
    case EEXIST: return WI_FILE_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return WI_PERMISSION_ERROR;
    case EISDIR: return WI_IS_A_DIRECTORY;
    case ENOTDIR: return WI_NOT_A_DIRECTORY;
    case ENOSPC:
    case EDQUOT: return WI_DISK_FULL;
    case EPIPE: return WI_BROKEN_PIPE;
    case EBUSY:
    case EAGAIN: return WI_BUSY_ERROR;
    case ETIMEDOUT: return WI_TIMEOUT_ERROR;
    case ENOMEM: return WI_MEMORY_ERROR;
    case EINVAL:
    case EDOM: return WI_VALUE_ERROR;
    default: return WI_OS_ERROR;
    }
}
