/* within clean: remove what dead processes left behind, and nothing else. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cleaning.h"
#include "cli/command.h"
#include "cli/newest.h"
#include "cli/options.h"
#include "manage/scratch.h"
#include "manage/walk.h"

enum { DRY_RUN, OLDER_THAN, VERBOSE };

static const wi__option options[] = {
    [DRY_RUN] = {"dry-run", NULL, "Say what would be removed, and remove nothing"},
    [OLDER_THAN] = {"older-than", "AGE",
                    "Remove records too, those of dead processes that were last written longer "
                    "ago than AGE: 30m, 12h, 7d or 4w"},
    [VERBOSE] = {"verbose", NULL, "Say what belongs to living processes, too"},
    {NULL, NULL, NULL},
};

/* ---- options ---- */

static double seconds_of(char unit) {
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86400;
    case 'w': return 7 * 86400.0;
    default: return 0;
    }
}

static int parse_age(const char *word, double *age_s) {
    *age_s = NAN;
    if (!word) return 0;
    size_t digits = strspn(word, "0123456789");
    double unit_s = digits ? seconds_of(word[digits]) : 0;
    if (digits && digits < 10 && unit_s > 0 && !word[digits + 1]) {
        *age_s = strtod(word, NULL) * unit_s;
        return 0;
    }
    return wi__usage_error("clean", "--older-than takes an age like 30m, 12h or 7d, and got \"%s\"",
                           word);
}

/* ---- a tree ---- */

typedef struct search {
    wi__cleaning *cleaning;
    const char *operand;        /* "" for the working folder */
    struct stat scratch_parent; /* whose scratch directories have been looked at already */
} search;

/* The folder that the walk stands in, as people know it. */
static void tell_folder(const search *s, const wi__walk *walk, char *where, size_t size) {
    char below[PATH_MAX];
    wi__walk_path(walk, ".", below, sizeof below);
    const char *rest = below[1] ? below + strlen("./") : ""; /* the walk's first name is "." */
    size_t length = strlen(s->operand);
    int has_slash = !length || !*rest || s->operand[length - 1] == '/';
    snprintf(where, size, "%s%s%s", s->operand, has_slash ? "" : "/", rest);
}

static int is_scratch_parent(const search *s, int folder) {
    struct stat status;
    return fstat(folder, &status) == 0 && status.st_dev == s->scratch_parent.st_dev &&
           status.st_ino == s->scratch_parent.st_ino;
}

static void found_leftover(search *s, const wi__walk *walk, const char *name,
                           const wi__leftover *leftover) {
    char where[2 * PATH_MAX];
    wi__found found = {wi__walk_folder(walk), where, name};
    if (leftover->kind == WI__LEFT_SCRATCH && is_scratch_parent(s, found.folder)) return;
    tell_folder(s, walk, where, sizeof where);
    wi__clean_leftover(s->cleaning, &found, leftover);
}

/* One with an owner file is dealt with there; what living processes have in it is theirs. */
static int is_scratch_directory(int folder, const char *name) {
    char owner[NAME_MAX + 2];
    snprintf(owner, sizeof owner, ".%s", name);
    return strstr(name, ".within-") && wi__leftover_at(folder, owner).has_directory;
}

static int is_folder(int folder, const char *name, unsigned char type) {
    struct stat status;
    if (type != DT_UNKNOWN) return type == DT_DIR;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

static void clean_records(search *s, const wi__walk *walk, const char *name) {
    char where[2 * PATH_MAX];
    wi__found found = {wi__walk_folder(walk), where, name};
    tell_folder(s, walk, where, sizeof where);
    wi__clean_records(s->cleaning, &found);
}

static int look_at_entry(void *self, const wi__walk *walk, const char *name, unsigned char type) {
    int folder = wi__walk_folder(walk);
    if (strcmp(name, ".") == 0) return 1;
    wi__leftover leftover = wi__leftover_at(folder, name);
    if (leftover.kind) {
        found_leftover(self, walk, name, &leftover);
        return 0;
    }
    if (strcmp(name, ".git") == 0 || !is_folder(folder, name, type)) return 0;
    if (is_scratch_directory(folder, name)) return 0;
    if (strcmp(name, WI__RECORD_FOLDER) == 0) clean_records(self, walk, name);
    return 1;
}

static void count_folder(void *self, int folder, const struct statx *status) {
    (void)folder, (void)status;
    ((search *)self)->cleaning->folders++;
}

/* Below the folder that was asked for it is no failure: what cannot be read holds nothing that could be removed. */
static void not_looked_at(void *self, const wi__walk *walk, const char *name, int error) {
    search *s = self;
    char where[2 * PATH_MAX];
    wi__found found = {wi__walk_folder(walk), where, name};
    if (error == EXDEV) return;
    tell_folder(s, walk, where, sizeof where);
    if (strcmp(name, ".") == 0 && strcmp(where, s->operand) == 0) s->cleaning->failed++;
    wi__cleaning_trouble("cannot look into", wi__found_text(&found, name).text, error);
}

static const wi__walker walker = {look_at_entry, count_folder, NULL, not_looked_at};

static int is_record_folder(int folder) {
    char link[40], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(path, '/');
    return slash && strcmp(slash + 1, WI__RECORD_FOLDER) == 0;
}

static void clean_tree(wi__cleaning *cleaning, const char *operand, const struct stat *parent) {
    int is_here = strcmp(operand, ".") == 0;
    search s = {cleaning, is_here ? "" : operand, *parent};
    int folder = open(operand, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        wi__cleaning_failed(cleaning, "cannot look into", operand, errno);
        return;
    }
    wi__found itself = {folder, s.operand, "."};
    if (is_record_folder(folder)) wi__clean_records(cleaning, &itself);
    int error = wi__walk_tree(folder, ".", &walker, &s);
    if (error) wi__cleaning_failed(cleaning, "cannot look through", operand, error);
    close(folder);
}

/* ---- scratch directories, where wi_tempdir makes them ---- */

static void clean_entries(wi__cleaning *cleaning, DIR *entries, const char *parent) {
    cleaning->folders++;
    for (struct dirent *entry; (entry = readdir(entries));) {
        wi__found found = {dirfd(entries), parent, entry->d_name};
        wi__leftover leftover = wi__leftover_at(found.folder, found.name);
        if (leftover.kind == WI__LEFT_SCRATCH) wi__clean_leftover(cleaning, &found, &leftover);
    }
}

/* @return which folder that was */
static struct stat clean_scratch_parent(wi__cleaning *cleaning) {
    struct stat status = {0};
    const char *parent = wi__scratch_parent();
    DIR *entries = stat(parent, &status) == 0 ? opendir(parent) : NULL;
    if (entries)
        clean_entries(cleaning, entries, parent);
    else
        wi__cleaning_failed(cleaning, "cannot look into", parent, errno);
    if (entries) closedir(entries);
    return status;
}

static int run(const wi__arguments *arguments) {
    char here[] = ".", *only_here[] = {here, NULL};
    wi__cleaning cleaning = {.dry_run = arguments->values[DRY_RUN] != NULL,
                             .verbose = arguments->values[VERBOSE] != NULL};
    if (parse_age(arguments->values[OLDER_THAN], &cleaning.older_than_s)) return WI__STATUS_USAGE;
    struct stat parent = clean_scratch_parent(&cleaning);
    char **folder = arguments->count ? arguments->operands : only_here;
    for (; *folder; folder++) clean_tree(&cleaning, *folder, &parent);
    wi__cleaning_summary(&cleaning);
    return cleaning.failed ? WI__STATUS_FAILED : 0;
}

/* ---- what it says of itself ---- */

static const char text[] =
    "Removes what processes left behind when they died, and nothing else: scratch\n"
    "directories in $TMPDIR (or /tmp); and below each FOLDER, by default the working\n"
    "folder, scratch directories and unfinished files and folders, which were never\n"
    "given the name that they were made for. What belongs to a living process stays,\n"
    "and what belongs to one on another host or in another container, of which nobody\n"
    "can tell from here.\n"
    "\n"
    "It says each thing that it removes, and what it leaves and why. Records stay,\n"
    "unless --older-than is given.";

static const char details[] =
    "Such files and folders are told by their names, \".NAME.within-PID-...\", which hold\n"
    "the process, its start, the boot and the host. A scratch directory has a file with\n"
    "such a name beside it, which its process holds a lock on; one without is a directory\n"
    "like any other, and stays.\n"
    "\n"
    "Folders are looked through however deep they are, but not through symbolic links,\n"
    "not on other file systems than FOLDER's, and not in .git. Records are looked for in\n"
    "folders of the name .within.\n";

const wi__command wi__clean_command = {
    .name = "clean",
    .summary = "remove what dead processes left behind",
    .operands = "[FOLDER]...",
    .text = text,
    .details = details,
    .statuses = "0\tAll went well, also when there was nothing to remove\n"
                "1\tSomething could not be removed, or a FOLDER not be looked into\n"
                "2\tThe command line is wrong\n",
    .examples = "within clean --dry-run\n"
                "within clean --older-than 30d results /scratch/me\n",
    .options = options,
    .most_operands = INT_MAX,
    .run = run,
};
