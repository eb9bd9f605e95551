/* wi_workdir: another working directory for a block, and the way back by a descriptor. */
#include <within/workdir.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "manage/overlap.h"
#include "manage/trouble.h"

/* Where an open block came from. */
typedef struct wi__way_back {
    wi__layer layer;
    int fd;
} wi__way_back;

static wi__layer *newest;

/* ---- enter ---- */

static wi__trouble go(void *arg) {
    wi_workdir *dir = arg;
    wi__way_back *back = malloc(sizeof *back);
    if (!back) return wi__trouble_of("cannot be made the working directory", ENOMEM);
    back->fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (back->fd < 0) {
        int error = errno;
        free(back);
        return wi__trouble_of("the present working directory cannot be kept to come back to",
                              error);
    }
    wi__overlap_lock();
    int error = chdir(dir->path) ? errno : 0;
    if (!error) wi__layer_push(&newest, &back->layer);
    wi__overlap_unlock();
    if (error) {
        close(back->fd);
        free(back);
        return wi__trouble_of("cannot be made the working directory", error);
    }
    dir->way_back = back;
    return WI__NO_TROUBLE;
}

static void workdir_enter(void *self) {
    wi_workdir *dir = self;
    if (dir->way_back) wi_raise(WI_USAGE_ERROR, "%s: this wi_workdir is open already", dir->path);
    wi__do_whole(dir->path, go, dir);
    dir->holding = wi_hold("workdir", "%s", dir->path);
}

/* ---- exit ---- */

typedef struct ending {
    wi_workdir *dir;
    char path[PATH_MAX]; /* what could not be gone back to is called today */
} ending;

/* The newer block is to go back to where this one came from; until then the process stays where that has gone. */
static void hand_on(wi__way_back *back) {
    wi__way_back *newer = (wi__way_back *)back->layer.newer;
    int fd = newer->fd;
    newer->fd = back->fd;
    back->fd = fd;
}

static void name_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) length = snprintf(path, size, "the directory before");
    path[length] = '\0';
}

static wi__trouble come_back(void *arg) {
    ending *end = arg;
    wi__way_back *back = end->dir->way_back;
    end->dir->way_back = NULL;
    wi_let_go(end->dir->holding);
    wi__overlap_lock();
    int error = 0;
    if (back->layer.newer)
        hand_on(back);
    else if (fchdir(back->fd))
        error = errno;
    wi__layer_remove(&newest, &back->layer);
    wi__overlap_unlock();
    if (error) name_of(back->fd, end->path, sizeof end->path);
    close(back->fd);
    free(back);
    return wi__trouble_if(error, "cannot be gone back to");
}

static wi_verdict workdir_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    ending end = {.dir = self};
    wi__do_whole(end.path, come_back, &end);
    return WI_PROPAGATE;
}

static void workdir_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", ((const wi_workdir *)self)->path);
}

static const wi_protocol workdir_protocol = {"workdir", workdir_enter, workdir_exit,
                                             workdir_describe};

wi_workdir wi__workdir(const char *path) {
    wi_workdir dir = {&workdir_protocol, path, NULL, {NULL, 0}};
    return dir;
}
