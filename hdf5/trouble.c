/* What HDF5 says of a call that failed becomes an error. */
#include "trouble.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "file.h"

const wi_error_type WI_HDF5_ERROR[1] = {{"WI_HDF5_ERROR", WI_ERROR}};

/* ---- HDF5's printer ---- */

static void take_printer(wi__h5_silence *silence) {
    H5Eauto_is_v2(H5E_DEFAULT, &silence->is_new);
#ifndef H5_NO_DEPRECATED_SYMBOLS
    if (!silence->is_new) {
        H5Eget_auto1(&silence->print_old, &silence->data);
        H5Eset_auto1(NULL, NULL);
        return;
    }
#endif
    H5Eget_auto2(H5E_DEFAULT, &silence->print, &silence->data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void give_printer_back(const wi__h5_silence *silence) {
#ifndef H5_NO_DEPRECATED_SYMBOLS
    if (!silence->is_new) {
        H5Eset_auto1(silence->print_old, silence->data);
        return;
    }
#endif
    H5Eset_auto2(H5E_DEFAULT, silence->print, silence->data);
}

static void silence_enter(void *self) {
    wi__h5_silence *silence = self;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &silence->cancelled);
    take_printer(silence);
}

static wi_verdict silence_exit(void *self, wi_reason reason, const wi_error *error) {
    wi__h5_silence *silence = self;
    (void)reason, (void)error;
    give_printer_back(silence);
    pthread_setcancelstate(silence->cancelled, NULL);
    return WI_PROPAGATE;
}

static const wi_protocol wi__h5_silence_protocol = {
    .name = "HDF5's printer", .enter = silence_enter, .exit = silence_exit};

wi__h5_silence wi__h5_silent(void) { return wi_make(wi__h5_silence); }

/* ---- identifiers ---- */

static wi_verdict held_exit(void *self, wi_reason reason, const wi_error *error) {
    wi__h5_held *held = self;
    (void)reason, (void)error;
    if (H5Iis_valid(held->id) > 0) H5Idec_ref(held->id);
    return WI_PROPAGATE;
}

static const wi_protocol wi__h5_held_protocol = {.name = "HDF5 identifier", .exit = held_exit};

wi__h5_held wi__h5_hold(hid_t id) { return wi_make(wi__h5_held, .id = id); }

/* ---- texts ---- */

typedef struct text_buffer {
    char *text;
    size_t size;
} text_buffer;

/* The first that it shows is the innermost; one without words of its own has a class of errors at least. */
static herr_t take_innermost(unsigned number, const H5E_error2_t *entry, void *arg) {
    text_buffer *into = arg;
    (void)number;
    if (entry->desc && *entry->desc)
        snprintf(into->text, into->size, "%s", entry->desc);
    else if (H5Eget_msg(entry->min_num, NULL, into->text, into->size) <= 0)
        return 0;
    return 1;
}

void wi__h5_reason(char *text, size_t size) {
    text_buffer into = {text, size};
    snprintf(text, size, "HDF5 does not say why");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &into);
}

/* What the system refused below HDF5 says more than what HDF5 made of it. */
static void raise_of_system(const wi_place *place, const wi_h5_file *file, const char *what) {
    wi__h5_disk *disk = file->open ? file->open->disk : NULL;
    if (!disk) return;
    if (disk->write_error) {
        file->open->failure_told = 1;
        wi__raise_errno(place, disk->write_error, "%s: %s: %s", file->path, what, disk->what);
    }
    int error = disk->read_error;
    disk->read_error = 0;
    if (error) wi__raise_errno(place, error, "%s: %s: read", file->path, what);
}

void wi__h5_check(const wi_place *place, const wi_h5_file *file, int failed, const char *format,
                  ...) {
    if (WI__LIKELY(!failed && !(file->open && file->open->disk->write_error))) return;
    char what[512], why[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    wi__h5_reason(why, sizeof why);
    raise_of_system(place, file, what);
    wi__raise(place, WI_HDF5_ERROR, "%s: %s: %s", file->path, what, why);
}
