/* What the dead have left is told by its name, its owner and its lock. */
#include "manage/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/checkpoint_series.h"

static int is_locked(int file) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int begins_as_owner_file(int file) {
    char text[sizeof WI__SCRATCH_MARK - 1];
    ssize_t length = pread(file, text, sizeof text, 0);
    return length == 0 ||
           (length == (ssize_t)sizeof text && memcmp(text, WI__SCRATCH_MARK, sizeof text) == 0);
}

static int is_folder_of(uid_t user, int folder, const char *name) {
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == user;
}

/* Only files of the dead are opened: closing a file ends this process's own lock on it. */
static void look_into(int folder, const char *name, wi__leftover *is) {
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return;
    if (is_locked(file)) is->state = WI__OWNER_ALIVE;
    if (begins_as_owner_file(file)) is->kind = WI__LEFT_SCRATCH;
    close(file);
}

wi__leftover wi__leftover_at(int folder, const char *name) {
    struct stat status;
    wi__leftover is = {.kind = WI__NO_LEFTOVER};
    if (!wi__owner_of_name(name, &is.owner)) return is;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW)) return is;
    is.user = status.st_uid;
    is.kind = S_ISDIR(status.st_mode) ? WI__LEFT_FOLDER : WI__LEFT_FILE;
    is.state = wi__owner_state_of(&is.owner);
    if (!S_ISREG(status.st_mode)) return is;
    if (is.state == WI__OWNER_DEAD && is.user == geteuid()) look_into(folder, name, &is);
    is.has_directory = is_folder_of(is.user, folder, name + 1);
    if (is.has_directory) is.kind = WI__LEFT_SCRATCH;
    return is;
}

int wi__leftover_remove(int folder, const char *name, const wi__leftover *leftover, int how,
                        wi__removal *removal) {
    wi__removal owner_file;
    if (wi__stray_sequence(name)) return wi__stray_remove(folder, name, how, removal);
    if (!leftover->has_directory) return wi__remove_tree(folder, name, how, removal);
    if (wi__remove_tree(folder, name + 1, how, removal)) return removal->error;
    if (wi__remove_tree(folder, name, how, &owner_file)) *removal = owner_file;
    return removal->error;
}
