/* wi_run_param, wi_run_tag: notes of the run, of which a parameter keeps its first value. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/now.h"
#include "runs/open_run.h"

typedef struct param {
    wi__named named; /* its name lies behind the value */
    char value[];
} param;

static void check_key(const char *key, const char *call) {
    if (!key || !*key) wi_raise(WI_VALUE_ERROR, "%s: the key is empty", call);
}

/* Raises nothing, for it is called where the value would be lost. */
static char *format_value(const char *format, va_list arguments) {
    char *value;
    return vasprintf(&value, format, arguments) >= 0 ? value : NULL;
}

int wi__open_run_know_param(wi__open_run *open, const char *key, const char *value) {
    size_t size = strlen(value) + 1, key_size = strlen(key) + 1;
    param *added = malloc(sizeof *added + size + key_size);
    if (!added) return 0;
    memcpy(added->value, value, size);
    memcpy(added->value + size, key, key_size);
    added->named = wi__named_of(added->value + size);
    if (wi__names_add(&open->params, &added->named)) return 1;
    free(added);
    return 0;
}

/* ---- params: what is found under the lock is raised after it ---- */

typedef struct setting {
    wi__open_run *open;
    const char *key;
    char *value;
    char *other; /* the value that it has already, if that is another */
} setting;

static void keep(void *arg) {
    setting *wanted = arg;
    wi__open_run *open = wanted->open;
    wi__named named = wi__named_of(wanted->key);
    const param *known = wi__names_find(&open->params, &named);
    if (known && strcmp(known->value, wanted->value) == 0) return;
    if (known) {
        wanted->other = wi_check_null(strdup(known->value), "param %.80s", wanted->key);
        return;
    }
    wi__open_run_note(open, WI__NOTE_PARAM, wanted->key, wanted->value, 0);
    if (!wi__open_run_know_param(open, wanted->key, wanted->value))
        wi_raise(WI_MEMORY_ERROR, "param %.80s: out of memory", wanted->key);
}

static void refuse(setting *wanted) {
    char text[600];
    snprintf(text, sizeof text,
             "param %.80s: it is \"%.200s\" already, and cannot become \"%.200s\"", wanted->key,
             wanted->other, wanted->value);
    free(wanted->other);
    free(wanted->value);
    wi_raise(WI_VALUE_ERROR, "%s", text);
}

void wi_run_param(wi_run *run, const char *key, const char *format, ...) {
    check_key(key, "wi_run_param");
    wi__open_run *open = wi__open_run_of(run, "set a parameter");
    va_list arguments;
    va_start(arguments, format);
    setting wanted = {open, key, format_value(format, arguments), NULL};
    va_end(arguments);
    if (!wanted.value) wi_raise(WI_MEMORY_ERROR, "param %.80s: out of memory", key);
    wi_error *error;
    pthread_mutex_lock(&open->lock);
    int kept = wi_call(keep, &wanted, &error);
    pthread_mutex_unlock(&open->lock);
    if (wanted.other) refuse(&wanted);
    free(wanted.value);
    if (!kept) wi_reraise(error);
}

/* ---- tags ---- */

void wi_run_tag(wi_run *run, const char *key, const char *format, ...) {
    check_key(key, "wi_run_tag");
    wi__open_run *open = wi__open_run_of(run, "set a tag");
    va_list arguments;
    va_start(arguments, format);
    char *value = format_value(format, arguments);
    va_end(arguments);
    if (!value) wi_raise(WI_MEMORY_ERROR, "tag %.80s: out of memory", key);
    wi__note note = {WI__NOTE_TAG, 0, wi__now_ms(), key, value};
    int error = wi__notes_append(open->notes, &note);
    free(value);
    if (error) wi_raise_errno(error, "tag %.80s of run %s", key, run->name);
}
