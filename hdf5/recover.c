/* wi_h5_recover: a streamed file whose writer died becomes one that opens everywhere. */
#include <sys/stat.h>

#include "objects.h"

static int are_the_same(const char *path, const char *out_path) {
    struct stat one, other;
    return stat(path, &one) == 0 && stat(out_path, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

size_t wi_h5_recover(const char *path, const char *out_path, FILE *listing) {
    size_t count = 0;
    if (are_the_same(path, out_path))
        wi_raise(WI_VALUE_ERROR, "%s: is what would be recovered: name another file for the copy",
                 out_path);
    within (from, wi_h5_file(path, "r"))
        within (to, wi_h5_file(out_path, "w")) {
            wi__h5_copy_objects(from, to);
            count = wi__h5_list_datasets(to, listing);
        }
    return count;
}
