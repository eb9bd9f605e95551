/* Live folders: made under another name, so that there is none without a lock and an owner. */
#include "runs/live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/durable.h"

static const char over[] = "over";

/* ---- owners ---- */

void wi__owner_text(char text[WI__OWNER_TEXT]) {
    wi__owner self = wi__owner_self();
    snprintf(text, WI__OWNER_TEXT, "%" PRIu32 "-%" PRIu64 "-%s-%s", self.process.pid,
             self.process.start, self.boot, self.host);
}

wi__owner_state wi__owner_state_of_text(const char *text) {
    wi__owner owner = {.boot = ""};
    int end = 0;
    sscanf(text, "%" SCNu32 "-%" SCNu64 "-%8[0-9a-f]-%8[0-9a-f]%n", &owner.process.pid,
           &owner.process.start, owner.boot, owner.host, &end);
    return end && !text[end] ? wi__owner_state_of(&owner) : WI__OWNER_DEAD;
}

/* ---- the folders of this process ---- */

static wi__live *held;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }
static void forget_parents(void) {
    held = NULL;
    pthread_mutex_unlock(&lock);
}
static void watch_forks(void) { pthread_atfork(before_fork, after_fork, forget_parents); }

/* Two threads of a process would not see each other's locks. */
static int claim(wi__live *live) {
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&lock);
    wi__live *same = held;
    while (same && strcmp(same->path, live->path) != 0) same = same->next;
    if (!same) {
        live->next = held;
        held = live;
    }
    pthread_mutex_unlock(&lock);
    return !same;
}

static void disclaim(wi__live *live) {
    pthread_mutex_lock(&lock);
    wi__live **at = &held;
    while (*at && *at != live) at = &(*at)->next;
    if (*at) *at = live->next;
    pthread_mutex_unlock(&lock);
}

static void close_descriptors(wi__live *live) {
    if (live->lock >= 0) close(live->lock);
    if (live->folder >= 0) close(live->folder);
    live->lock = live->folder = -1;
}

static void let_go(wi__live *live) {
    close_descriptors(live);
    disclaim(live);
}

void wi__live_forget(wi__live *live) { close_descriptors(live); }

/* ---- paths ---- */

int wi__live_root(const char *database, char path[PATH_MAX]) {
    char *real = realpath(database, NULL);
    int length = snprintf(path, PATH_MAX, "%s.live", real ? real : database);
    free(real);
    return length < PATH_MAX ? 0 : ENAMETOOLONG;
}

static int name_folder(wi__live *live, const char *database, const char *id) {
    char root[PATH_MAX];
    memset(live, 0, sizeof *live);
    live->folder = live->lock = -1;
    if (wi__live_root(database, root) != 0) return ENAMETOOLONG;
    snprintf(live->id, sizeof live->id, "%s", id);
    int length = snprintf(live->path, sizeof live->path, "%s/%s", root, live->id);
    return length >= PATH_MAX ? ENAMETOOLONG : 0;
}

/* ---- making ---- */

static int take_lock(int file) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(file, F_SETLK, &whole) == 0 ? 0 : errno;
}

static int make_lock(wi__live *live) {
    char owner[WI__OWNER_TEXT];
    live->lock = openat(live->folder, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (live->lock < 0) return errno;
    int error = take_lock(live->lock);
    if (error) return error;
    wi__owner_text(owner);
    return wi__write_all(live->lock, owner, strlen(owner));
}

/* Somebody may remove the empty folder of all between the two calls. */
static int make_folder(const char *root, const char *path) {
    for (int attempt = 0; attempt < 10; attempt++) {
        if (mkdir(root, 0777) != 0 && errno != EEXIST) return errno;
        if (mkdir(path, 0777) == 0) return 0;
        if (errno != ENOENT) return errno;
    }
    return ENOENT;
}

static int make_as(wi__live *live, const char *temporary) {
    live->folder = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (live->folder < 0) return errno;
    int error = make_lock(live);
    /* Only an empty folder can be in the way: one whose removal was cut off. */
    if (!error && rename(temporary, live->path) != 0) error = errno == ENOTEMPTY ? EEXIST : errno;
    if (error && live->lock >= 0) unlinkat(live->folder, "lock", 0);
    return error;
}

static int make_claimed(wi__live *live, const char *database) {
    char root[PATH_MAX], name[NAME_MAX + 1], temporary[PATH_MAX];
    wi__live_root(database, root);
    wi__owned_name(live->id, name);
    if (snprintf(temporary, sizeof temporary, "%s/%s", root, name) >= PATH_MAX) return ENAMETOOLONG;
    int error = make_folder(root, temporary);
    if (error) return error;
    error = make_as(live, temporary);
    if (error) rmdir(temporary);
    return error;
}

int wi__live_make(wi__live *live, const char *database, const char *id) {
    int error = name_folder(live, database, id);
    if (error) return error;
    if (!claim(live)) return EEXIST;
    error = make_claimed(live, database);
    if (error) let_go(live);
    return error;
}

/* ---- taking ---- */

static int is_dead(int file, wi__owner_state enough) {
    char text[WI__OWNER_TEXT] = "";
    if (pread(file, text, sizeof text - 1, 0) < 0) return 0;
    wi__owner_state state =
        strcmp(text, over) == 0 ? WI__OWNER_DEAD : wi__owner_state_of_text(text);
    return state == WI__OWNER_DEAD || state == enough;
}

static wi__live_state take_claimed(wi__live *live, wi__owner_state enough) {
    struct stat status;
    live->folder = open(live->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (live->folder < 0) return errno == ENOENT ? WI__LIVE_GONE : WI__LIVE_HELD;
    live->lock = openat(live->folder, "lock", O_RDWR | O_CLOEXEC);
    if (live->lock < 0 && errno == ENOENT) /* its removal was cut off: the lock goes last */
        return rmdir(live->path) == 0 ? WI__LIVE_GONE : WI__LIVE_HELD;
    if (live->lock < 0 || !is_dead(live->lock, enough) || take_lock(live->lock) != 0)
        return WI__LIVE_HELD;
    if (fstat(live->lock, &status) != 0 || status.st_nlink == 0) return WI__LIVE_GONE;
    return WI__LIVE_DEAD;
}

static wi__live_state take(wi__live *live, const char *database, const char *id,
                           wi__owner_state enough) {
    if (name_folder(live, database, id) || !claim(live)) return WI__LIVE_HELD;
    wi__live_state state = take_claimed(live, enough);
    if (state != WI__LIVE_DEAD) let_go(live);
    return state;
}

wi__live_state wi__live_take(wi__live *live, const char *database, const char *id) {
    return take(live, database, id, WI__OWNER_DEAD);
}

wi__live_state wi__live_take_from_elsewhere(wi__live *live, const char *database, const char *id) {
    return take(live, database, id, WI__OWNER_ELSEWHERE);
}

/* ---- ends ---- */

static int remove_all_but_the_lock(int folder) {
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    if (!stream && copy >= 0) close(copy);
    int is_removed = stream != NULL;
    for (struct dirent *each; stream && (each = readdir(stream));)
        if (strcmp(each->d_name, "lock") != 0 && each->d_name[0] != '.')
            is_removed &= unlinkat(folder, each->d_name, 0) == 0;
    if (stream) closedir(stream);
    return is_removed;
}

/* What has no lock is taken for empty: where something stays, the lock does. */
void wi__live_remove(wi__live *live) {
    char root[PATH_MAX];
    if (!remove_all_but_the_lock(live->folder) || unlinkat(live->folder, "lock", 0) != 0) {
        wi__live_release(live, 1);
        return;
    }
    rmdir(live->path);
    snprintf(root, sizeof root, "%.*s", (int)(strrchr(live->path, '/') - live->path), live->path);
    rmdir(root); /* if that was the last */
    let_go(live);
}

void wi__live_release(wi__live *live, int is_over) {
    if (is_over && ftruncate(live->lock, 0) == 0) pwrite(live->lock, over, strlen(over), 0);
    let_go(live);
}
