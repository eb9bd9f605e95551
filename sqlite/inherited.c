/* Databases that were open when this process was forked. */
#include "inherited.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "errors.h"

typedef struct file {
    wi_database *database; /* NULL: it is inherited */
    sqlite3 *inherited;    /* never closed, but not lost either, as checkers of leaks see it */
    dev_t device;
    ino_t number; /* 0: it is in memory */
    int is_away;  /* it is never open at a fork */
    struct file *next;
} file;

static file *files;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }

static void disown(void) {
    for (file *each = files; each; each = each->next) {
        if (!each->database || each->is_away) continue;
        each->inherited = each->database->handle;
        each->database->handle = NULL;
        each->database = NULL;
    }
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void) { pthread_atfork(before_fork, after_fork, disown); }

static int is_inherited(const file *opened) {
    for (const file *each = files; each; each = each->next)
        if (!each->database && each->number && each->number == opened->number &&
            each->device == opened->device)
            return 1;
    return 0;
}

static int add(file *opened) {
    pthread_mutex_lock(&lock);
    int refused = is_inherited(opened);
    if (!refused) {
        opened->next = files;
        files = opened;
    }
    pthread_mutex_unlock(&lock);
    return !refused;
}

void wi__sqlite_opened(wi_database *database) {
    pthread_once(&once, watch_forks);
    file *opened = malloc(sizeof *opened);
    if (!opened) wi_raise(WI_MEMORY_ERROR, "open: %s: out of memory", database->path);
    struct stat status;
    int is_file = stat(wi__sqlite_file_of(database->handle), &status) == 0;
    *opened = (file){.database = database,
                     .device = is_file ? status.st_dev : 0,
                     .number = is_file ? status.st_ino : 0};
    if (add(opened)) return;
    free(opened);
    wi_raise(WI_USAGE_ERROR,
             "open: %s: the process that forked this one had it open then, and SQLite would not "
             "lock it here; open databases after the fork",
             database->path);
}

void wi__sqlite_closing(const wi_database *database) {
    pthread_mutex_lock(&lock);
    file **at = &files;
    while (*at && (*at)->database != database) at = &(*at)->next;
    file *found = *at;
    if (found) *at = found->next;
    pthread_mutex_unlock(&lock);
    free(found);
}

static void set_away(const wi_database *database, int is_away) {
    pthread_mutex_lock(&lock);
    for (file *each = files; each; each = each->next)
        if (each->database == database) each->is_away = is_away;
    pthread_mutex_unlock(&lock);
}

void wi__sqlite_put_away(const wi_database *database) { set_away(database, 1); }
void wi__sqlite_take_back(const wi_database *database) { set_away(database, 0); }
