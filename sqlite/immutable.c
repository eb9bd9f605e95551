/* Databases that nobody changes: SQLite takes the word for it in an address alone. */
#include "immutable.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "file://" says that a path with several slashes at its begin has no host in it. */
static char *address_of(const char *path) {
    static const char begin[] = "file:", end[] = "?immutable=1", digits[] = "0123456789abcdef";
    char *address = malloc(3 * strlen(path) + sizeof begin + sizeof end + 2), *at = address;
    if (!address) return NULL;
    at = stpcpy(at, begin);
    if (*path == '/') at = stpcpy(at, "//");
    for (; *path; path++) {
        unsigned char byte = (unsigned char)*path;
        if (isalnum(byte) || strchr("/-._~", byte)) {
            *at++ = (char)byte;
            continue;
        }
        *at++ = '%';
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    stpcpy(at, end);
    return address;
}

int wi__sqlite_open_immutable(const char *path, sqlite3 **handle) {
    char *address = address_of(path);
    if (!address) return SQLITE_NOMEM;
    int code = sqlite3_open_v2(address, handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    free(address);
    return code;
}
