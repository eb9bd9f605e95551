/* Names that tell whose an unfinished file or a scratch folder is. */
#include "manage/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <within/macros.h>

static const char mark[] = ".within-";

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv */
static uint32_t hash(uint32_t value, const char *text) {
    for (; *text; text++) value = (value ^ (unsigned char)*text) * 16777619u;
    return value;
}

static uint32_t hash_of_host(void) {
    struct utsname names = {.nodename = ""};
    char namespace[64] = "";
    uname(&names);
    ssize_t length = readlink("/proc/self/ns/pid", namespace, sizeof namespace - 1);
    namespace[length > 0 ? length : 0] = '\0';
    return hash(hash(2166136261u, names.nodename), namespace);
}

static wi__owner read_owner(void) {
    wi__owner owner = {.process = wi__process_self()};
    char boot[40];
    wi__boot_id(boot, sizeof boot);
    snprintf(owner.boot, sizeof owner.boot, "%.8s", *boot ? boot : "00000000");
    snprintf(owner.host, sizeof owner.host, "%08" PRIx32, hash_of_host());
    return owner;
}

/* Read once for each thread: it is five calls of the system. A forked child has another pid. */
wi__owner wi__owner_self(void) {
    static WI__THREAD_LOCAL wi__owner self __attribute__((tls_model("initial-exec")));
    if (self.process.pid != (uint32_t)getpid()) self = read_owner();
    return self;
}

wi__owner_state wi__owner_state_of(const wi__owner *owner) {
    wi__owner self = wi__owner_self();
    if (strcmp(owner->host, self.host) != 0) return WI__OWNER_ELSEWHERE;
    if (strcmp(owner->boot, self.boot) != 0) return WI__OWNER_DEAD;
    return wi__process_lives(&owner->process) ? WI__OWNER_ALIVE : WI__OWNER_DEAD;
}

/* How much of a name can be kept; a character of UTF-8 is not cut in two. */
static int length_cut(const char *text, size_t most) {
    size_t length = strlen(text);
    if (length <= most) return (int)length;
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80) most--;
    return (int)most;
}

void wi__owned_name(const char *stem, char name[NAME_MAX + 1]) {
    static uint32_t last;
    char end[100];
    wi__owner self = wi__owner_self();
    int length = snprintf(end, sizeof end, "%s%" PRIu32 "-%" PRIu64 "-%s-%s-%" PRIu32, mark,
                          self.process.pid, self.process.start, self.boot, self.host,
                          __atomic_fetch_add(&last, 1, __ATOMIC_RELAXED));
    int kept = length_cut(stem, (size_t)(NAME_MAX - 1 - length));
    snprintf(name, NAME_MAX + 1, ".%.*s%s", kept, stem, end);
}

/* The last occurrence: a stem may hold anything. */
static const char *find_mark(const char *name) {
    const char *found = NULL;
    for (const char *at = name; (at = strstr(at, mark)); at++) found = at;
    return found;
}

int wi__owner_of_name(const char *name, wi__owner *owner) {
    const char *at = name[0] == '.' ? find_mark(name) : NULL;
    uint32_t number;
    int end = 0;
    memset(owner, 0, sizeof *owner);
    if (!at) return 0;
    sscanf(at + strlen(mark), "%" SCNu32 "-%" SCNu64 "-%8[0-9a-f]-%8[0-9a-f]-%" SCNu32 "%n",
           &owner->process.pid, &owner->process.start, owner->boot, owner->host, &number, &end);
    return end > 0 && at[strlen(mark) + (size_t)end] == '\0' && strlen(owner->boot) == 8 &&
           strlen(owner->host) == 8;
}
