/* What the tool was asked to do, read from its command line. */
#include "options.h"

#include "calls.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options options;

static const struct {
    const char *name;
    int number;
} errors[] = {
#define NAMED(error) {#error, error}
    NAMED(EACCES), NAMED(EAGAIN),  NAMED(EBADF),     NAMED(EBUSY),      NAMED(EDQUOT),
    NAMED(EEXIST), NAMED(EFBIG),   NAMED(EINTR),     NAMED(EINVAL),     NAMED(EIO),
    NAMED(EISDIR), NAMED(ELOOP),   NAMED(EMFILE),    NAMED(EMLINK),     NAMED(ENFILE),
    NAMED(ENODEV), NAMED(ENOENT),  NAMED(ENOLCK),    NAMED(ENOMEM),     NAMED(ENOSPC),
    NAMED(ENOSYS), NAMED(ENOTDIR), NAMED(ENOTEMPTY), NAMED(EOPNOTSUPP), NAMED(EPERM),
    NAMED(EROFS),  NAMED(ESTALE),  NAMED(ETXTBSY),   NAMED(EXDEV),
};

void fail(const char *what, const char *why) {
    fprintf(stderr, "fault: %s: %s\n", what, why);
    exit(CANNOT_WORK);
}

static int error_number(const char *name) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(errors[i].name, name) == 0) return errors[i].number;
    }
    fail(name, "not an error that --error knows");
}

static void use_folder(const char *path) {
    if (!realpath(path, options.folder)) fail(path, strerror(errno));
    if (strcmp(options.folder, "/") == 0) options.folder[0] = 0;
}

static void use_trace(const char *path) {
    options.trace = fopen(path, "we");
    if (!options.trace) fail(path, strerror(errno));
    setvbuf(options.trace, NULL, _IOLBF, 0); /* whole even if the tool is killed */
}

static void use_number(const char *text) {
    char *end;
    options.at = strtol(text, &end, 10);
    if (*end || options.at < 1) fail(text, "--at counts calls from 1");
}

static void use_fault(fault_kind fault) {
    if (options.fault) fail("--error, --short, --kill", "one of them only");
    options.fault = fault;
}

static void read_option(int option) {
    switch (option) {
    case 'u': use_folder(optarg); break;
    case 't': use_trace(optarg); break;
    case 'a': use_number(optarg); break;
    case 'e':
        options.error = error_number(optarg);
        use_fault(ERROR);
        break;
    case 's': use_fault(SHORT); break;
    case 'k': use_fault(KILL); break;
    case 'f': options.from_on = true; break;
    case 'R': options.wanted |= CALL_READS; break;
    case 'S': options.wanted |= CALL_STATS; break;
    default: exit(CANNOT_WORK);
    }
}

char **read_options(int argc, char **argv) {
    const struct option names[] = {
        {"under", required_argument, NULL, 'u'}, {"trace", required_argument, NULL, 't'},
        {"at", required_argument, NULL, 'a'},    {"error", required_argument, NULL, 'e'},
        {"short", no_argument, NULL, 's'},       {"kill", no_argument, NULL, 'k'},
        {"from-on", no_argument, NULL, 'f'},     {"with-reads", no_argument, NULL, 'R'},
        {"with-stats", no_argument, NULL, 'S'},  {NULL, 0, NULL, 0},
    };
    bool under = false;
    for (int option; (option = getopt_long(argc, argv, "+", names, NULL)) >= 0;) {
        under |= option == 'u';
        read_option(option);
    }
    if (!under) fail("--under", "which folder?");
    if (optind == argc) fail("--", "which command?");
    if ((options.at > 0) != (options.fault != NO_FAULT))
        fail("--at", "goes with --error, --short or --kill");
    if (options.from_on && !options.at) fail("--from-on", "goes with --at");
    return argv + optind;
}
