/* Records of dead processes that nobody has written for long. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cleaning.h"
#include "record/format.h"
#include "record/process.h"
#include "report/units.h"

/* A record of this version, whose header is read. */
static int read_record(int folder, const char *name, wi__header *header, struct stat *status) {
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return 0;
    int is_read = fstat(file, status) == 0 && S_ISREG(status->st_mode) &&
                  pread(file, header, sizeof *header, 0) == (ssize_t)sizeof *header;
    close(file);
    if (!is_read || memcmp(header->magic, WI__MAGIC, sizeof header->magic) != 0) return 0;
    header->boot_id[sizeof header->boot_id - 1] = '\0';
    header->host[sizeof header->host - 1] = '\0';
    return header->version == WI__VERSION;
}

static int is_of_this_host(const wi__header *header) {
    char host[sizeof header->host] = "";
    gethostname(host, sizeof host - 1);
    return strcmp(host, header->host) == 0;
}

/* Why it stays; NULL: it goes. */
static const char *why_left(const wi__header *header, const struct stat *status) {
    if (!is_of_this_host(header)) return "it ran on another host";
    if (wi__process_is_alive(&header->owner, header->boot_id) ||
        wi__process_is_alive(&header->runner, header->boot_id))
        return "it is alive";
    return status->st_uid == geteuid() ? NULL : "it belongs to another user";
}

static void remove_record(wi__cleaning *cleaning, const wi__found *found, const struct stat *status,
                          uint32_t pid) {
    wi__removal removal;
    uint64_t ns = (uint64_t)status->st_mtim.tv_sec * 1000000000u;
    if (wi__remove_tree(found->folder, found->name, wi__cleaning_how(cleaning), &removal)) {
        wi__cleaning_failed(cleaning, "cannot remove", wi__found_text(found, found->name).text,
                            removal.error);
        return;
    }
    wi__cleaning_removed(cleaning, "record", found, found->name, &removal);
    printf(" of process %u (dead), last written %s, %s\n", pid, wi__moment_text(ns).text,
           wi__bytes_text(removal.bytes).text);
    cleaning->records++;
}

static void look_at_file(wi__cleaning *cleaning, const wi__found *found) {
    wi__header header;
    struct stat status;
    if (!read_record(found->folder, found->name, &header, &status)) return;
    if (difftime(time(NULL), status.st_mtim.tv_sec) <= cleaning->older_than_s) return;
    const char *why = why_left(&header, &status);
    uint32_t pid = header.owner.pid ? header.owner.pid : header.runner.pid;
    if (!why) {
        remove_record(cleaning, found, &status, pid);
        return;
    }
    wi__shown path = wi__found_text(found, found->name);
    wi__cleaning_left(cleaning, "record", &path, pid, why, strcmp(why, "it is alive") == 0);
}

void wi__clean_records(wi__cleaning *cleaning, const wi__found *found) {
    if (isnan(cleaning->older_than_s)) return;
    int folder =
        openat(found->folder, found->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    if (!entries && folder >= 0) close(folder);
    if (!entries) return; /* the walk will say so */
    wi__shown where = wi__found_text(found, found->name);
    for (struct dirent *entry; (entry = readdir(entries));) {
        wi__found file = {folder, where.text, entry->d_name};
        look_at_file(cleaning, &file);
    }
    closedir(entries);
}
