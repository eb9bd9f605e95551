/* This process's record: its begin, its regions, its end. */
#include "record/record.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "block/chain.h"
#include "record/clock.h"
#include "record/complain.h"
#include "record/fork.h"
#include "record/ledger.h"
#include "record/process.h"
#include "record/scope.h"
#include "record/tree.h"
#include "record/watched.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t thread_end;
static int thread_end_works;

void wi__record_lock(void) { pthread_mutex_lock(&lock); }
void wi__record_unlock(void) { pthread_mutex_unlock(&lock); }

/* ---- the header ---- */

void wi__header_begin(wi__header *header) {
    memcpy(header->magic, WI__MAGIC, sizeof header->magic);
    header->version = WI__VERSION;
    header->byte_order = WI__BYTE_ORDER;
    header->header_bytes = sizeof(wi__header);
    header->region_bytes = sizeof(wi__region);
    header->node_bytes = sizeof(wi__node);
    header->cell_bytes = WI__CELL_BYTES;
    wi__boot_id(header->boot_id, sizeof header->boot_id);
    gethostname(header->host, sizeof header->host - 1);
    header->clock = wi__clock_in_use();
    header->first = header->last = wi__clock_anchor();
}

/* Readers never see half of it. */
static void set_last_anchor(wi__header *header, wi__anchor anchor) {
    __atomic_store_n(&header->anchor_seq, header->anchor_seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    header->last = anchor;
    __atomic_store_n(&header->anchor_seq, header->anchor_seq + 1, __ATOMIC_RELEASE);
}

/* The distance of the anchors is the precision of all times: it doubles until it is a second. */
void wi__record_renew_anchor(wi__lane *lane, uint64_t now) {
    enum { SHORTEST_NS = 1000000 };
    wi__header *header = wi__record_header();
    wi__record_lock();
    wi__anchor anchor = wi__clock_anchor();
    set_last_anchor(header, anchor);
    uint64_t ticks = anchor.ticks - header->first.ticks;
    uint64_t ns = anchor.monotonic_ns - header->first.monotonic_ns + 1;
    double wait_ns = ns < SHORTEST_NS ? SHORTEST_NS : ns < 1e9 ? (double)ns : 1e9;
    lane->next_anchor = now + (uint64_t)(wait_ns * (double)ticks / (double)ns) + 1;
    wi__record_unlock();
}

/* A race by design: `seq` tells what was changed meanwhile. By words, because memcpy is watched too. */
__attribute__((no_sanitize("thread"))) void wi__record_copy(void *copy, uint32_t cell,
                                                            size_t length) {
    const volatile uint64_t *from = (const volatile uint64_t *)wi__cell(cell);
    for (size_t i = 0; i < length / sizeof *from; i++) ((uint64_t *)copy)[i] = from[i];
}

/* ---- begin and end ---- */

static uint64_t time_reads(int count) {
    uint64_t begin = wi__ticks();
    for (int i = 0; i < count; i++) wi__ticks();
    return wi__ticks() - begin;
}

static uint64_t time_sections(int count) {
    static const wi_place site;
    wi__opened opened = {.site = &site};
    uint64_t begin = wi__ticks();
    for (int i = 0; i < count; i++) {
        wi__scope_begin(&opened, "(calibration)");
        wi__scope_end(&opened, WI_END);
    }
    return wi__ticks() - begin;
}

/* Ticks of one: the least of some rounds, each long enough for a clock that ticks slowly. */
static double cost_of(uint64_t (*time)(int count)) {
    enum { ROUNDS = 8, FEWEST = 32, MOST = 1 << 14, ENOUGH_TICKS = 100 };
    int count = FEWEST;
    while (count < MOST && time(count) < ENOUGH_TICKS) count *= 2;
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t ticks = time(count);
        if (ticks < least) least = ticks;
    }
    return (double)least / count;
}

/* What a clock read and a whole section cost here and now, for the reports' first lines. */
static void measure_costs(wi__lane *lane) {
    wi__header *header = wi__record_header();
    header->clock_step_ticks = wi__clock_step();
    header->clock_read_ticks = cost_of(time_reads);
    header->section_ticks = cost_of(time_sections);
    wi__record_lock();
    wi__forget_children(lane);
    wi__record_unlock();
}

static void end_record(void) {
    if (!wi__arena || wi__fork_is_pending()) return;
    wi__record_lock();
    wi__header *header = wi__record_header();
    set_last_anchor(header, wi__clock_anchor());
    header->ended = 1;
    wi__record_unlock();
    wi__arena_check_file();
}

static void on_suppressed(const wi_error *error) {
    char what[sizeof((wi__tally *)0)->what], where[sizeof((wi__tally *)0)->where];
    if (!wi__lane_here()) return;
    const wi_place *place = wi_error_place(error);
    snprintf(what, sizeof what, "%s: %s", wi_error_kind(error)->name, wi_error_message(error));
    snprintf(where, sizeof where, "%s:%d in %s", place->file, place->line, place->function);
    ((wi__branch *)wi__self.branch)->node->suppressed++;
    wi__record_tally(WI__SUPPRESSED, what, where);
}

/* Before there are threads: one may fork while another begins the record, and the child finds it whole. First of
 * those that watch forks: its lock is taken inside of theirs, and a fork takes the lock of the last watch first. */
__attribute__((constructor(WI__WATCHES_FIRST))) static void listen(void) {
    wi__on_suppressed = on_suppressed;
    wi__fork_watch();
}

/* Put the record into the file that the environment names, or into a forked child's own. */
static void move_to_file(const char *path) {
    char why[256];
    if (wi__record_move_to_file(path, 1, why, sizeof why))
        wi__complain("record %s: %s; measuring in memory only", path, why);
}

/* A thread has ended. */
static void hand_on(void *ended) {
    wi__lane *lane = ended;
    if (wi__self.branch) wi__scope_close_all();
    wi__record_lock();
    if (wi__self.lane) wi__lane_give_back(lane);
    wi__self.lane = wi__self.branch = NULL;
    wi__self.due = 0;
    wi__record_unlock();
}

static int begin_record(void) {
    static int tried;
    if (wi__arena || tried) return wi__arena != NULL;
    tried = 1;
    wi__clock_choose();
    if (!wi__arena_create()) return 0;
    wi__header *header = wi__record_header();
    wi__header_begin(header);
    header->owner = wi__process_self();
    wi__process_command(header->command, sizeof header->command);
    thread_end_works = pthread_key_create(&thread_end, hand_on) == 0;
    atexit(end_record);
    const char *path = getenv("WITHIN_RECORD");
    if (path && *path) move_to_file(path);
    return 1;
}

/* With the lock held: the process's record, the thread's lane. */
static wi__lane *settle(void) {
    if (!begin_record()) return NULL;
    char path[PATH_MAX];
    if (wi__fork_settle(path, sizeof path)) move_to_file(path);
    if (wi__self.lane) return wi__self.lane;
    wi__lane *lane = wi__lane_take();
    if (!lane) return NULL;
    wi__self.lane = lane;
    wi__self.branch = lane->root;
    wi__self.current = &lane->region->current;
    wi__self.due = lane->next_anchor;
    if (thread_end_works) pthread_setspecific(thread_end, lane);
    return lane;
}

wi__lane *wi__lane_here(void) {
    if (wi__self.branch) return wi__self.lane;
    wi__record_lock();
    int fresh = !wi__arena;
    wi__lane *lane = settle();
    wi__record_unlock();
    if (fresh && lane) measure_costs(lane);
    if (fresh) wi__watch_allow();
    return lane;
}

void wi_record_open(const char *path) {
    char why[256];
    if (!path || !*path) wi_raise(WI_VALUE_ERROR, "wi_record_open: the path is empty");
    wi__lane_here();
    wi__record_lock();
    int begun = wi__arena != NULL, asked_for = getenv("WITHIN_RECORD") != NULL;
    int error = !begun ? ENOMEM : wi__arena_path() ? EALREADY : 0;
    if (!error) error = wi__record_move_to_file(path, 0, why, sizeof why);
    wi__record_unlock();
    if (!error || (error == EALREADY && asked_for)) return;
    if (error == EALREADY)
        wi_raise(WI_USAGE_ERROR, "wi_record_open: the record is in %s already", wi__arena_path());
    if (!begun) wi_raise(WI_MEMORY_ERROR, "wi_record_open: no memory for a record");
    wi_raise(wi_error_type_of_errno(error), "record %s: %s", path, why);
}

const char *wi_record_path(void) { return wi__arena_path(); }
