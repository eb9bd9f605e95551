/* A process that makes scratch directories removes those that dead ones left there before. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/leftover.h"

enum { MOST_FOLDERS = 16, MOST_NAMES = 20000 };

/* Has this process not yet swept the folder? From the seventeenth on no folder is swept. */
static int is_new(int folder) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct stat swept[MOST_FOLDERS];
    static int count;
    struct stat status;
    if (fstat(folder, &status)) return 0;
    pthread_mutex_lock(&lock);
    int i = 0;
    while (i < count && (swept[i].st_dev != status.st_dev || swept[i].st_ino != status.st_ino)) i++;
    int new = i == count &&count < MOST_FOLDERS;
    if (new) swept[count++] = status;
    pthread_mutex_unlock(&lock);
    return new;
}

void wi__leftovers_sweep(int folder) {
    if (!is_new(folder)) return;
    int readable = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = readable < 0 ? NULL : fdopendir(readable);
    if (!entries && readable >= 0) close(readable);
    if (!entries) return;
    struct dirent *entry;
    for (int i = 0; i < MOST_NAMES && (entry = readdir(entries)); i++) {
        wi__removal removal;
        wi__leftover is = wi__leftover_at(folder, entry->d_name);
        if (is.kind == WI__LEFT_SCRATCH && is.state == WI__OWNER_DEAD && is.user == geteuid())
            wi__leftover_remove(folder, entry->d_name, &is, 0, &removal);
    }
    closedir(entries);
}
