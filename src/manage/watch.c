/* wi_watch: who watches, and hears of what was found. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "manage/watching.h"
#include "record/lane.h"

/* Under the lock of the counters. */
static wi_watch *open_watches;
static wi_watch whole_run; /* what the environment asks for */
static uint64_t session;

/* ---- paths and names ---- */

void wi__branch_path(const wi__branch *branch, char *text, size_t size) {
    const wi__branch *way[64];
    int depth = 0;
    size_t length = 0;
    for (; branch->parent && depth < 64; branch = branch->parent) way[depth++] = branch;
    text[0] = '\0';
    while (depth-- > 0 && length < size) {
        const wi__text *name = wi__cell(way[depth]->node->name);
        length += (size_t)snprintf(text + length, size - length, "%s%.*s", length ? " > " : "",
                                   name->length, name->bytes);
    }
}

static int is_end_of_path(const char *path, const char *word, size_t length) {
    size_t all = strlen(path);
    if (!length || length > all || memcmp(path + all - length, word, length) != 0) return 0;
    return length == all || (all >= length + 3 && memcmp(path + all - length - 3, " > ", 3) == 0);
}

int wi__is_named(const char *path, const char *sections) {
    while (*sections) {
        sections += strspn(sections, ", ");
        size_t length = strcspn(sections, ","), word = length;
        while (word && sections[word - 1] == ' ') word--;
        if (is_end_of_path(path, sections, word)) return 1;
        sections += length;
    }
    return 0;
}

uint64_t wi__watch_session(void) { return __atomic_load_n(&session, __ATOMIC_RELAXED); }

int wi__watch_asks_for(const char *path) {
    int asks = 0;
    wi__counters_lock();
    for (const wi_watch *watch = open_watches; watch && !asks; watch = watch->next)
        asks = watch->options.sections && wi__is_named(path, watch->options.sections);
    wi__counters_unlock();
    return asks;
}

int wi__watch_asks_for_loops(void) {
    int asks = 0;
    wi__counters_lock();
    for (const wi_watch *watch = open_watches; watch && !asks; watch = watch->next)
        asks = !watch->options.sections;
    wi__counters_unlock();
    return asks;
}

/* ---- what was found ---- */

static int concerns(const wi_watch *watch, const char *path, int is_loop) {
    return watch->options.sections ? wi__is_named(path, watch->options.sections) : is_loop;
}

static wi_leak *known(wi_watch *watch, const char *section, const char *what) {
    for (int i = 0; i < watch->leak_count; i++)
        if (strcmp(watch->leaks[i].what, what) == 0 &&
            strcmp(watch->leaks[i].section, section) == 0)
            return &watch->leaks[i];
    return NULL;
}

static FILE *stream_of(const wi_watch *watch) {
    return watch->options.stream ? watch->options.stream : stderr;
}

/* Once, and once more if it is withdrawn or comes back. */
static void tell(const wi_watch *watch, const wi_leak *leak, const wi_leak *before) {
    int is_news = before ? before->is_withdrawn != leak->is_withdrawn : !leak->is_withdrawn;
    if (!is_news || watch->options.quiet) return;
    int is_suspicion = leak->is_suspicion && !leak->is_withdrawn;
    fprintf(stream_of(watch), "within: %s: %s%s\n", leak->section, is_suspicion ? "growing: " : "",
            leak->text);
}

/* What explains it stays. */
static wi_leak *keep(wi_watch *watch, const wi_leak *leak, wi_leak *before) {
    if (before) return memcpy(before, leak, offsetof(wi_leak, explanation));
    if (watch->leak_count == WI_LEAKS) return NULL;
    before = &watch->leaks[watch->leak_count++];
    *before = *leak;
    return before;
}

/* @return 1 if it is to be explained. */
static int hand(wi_watch *watch, const wi_leak *leak) {
    wi_leak *before = known(watch, leak->section, leak->what);
    tell(watch, leak, before);
    const wi_leak *kept = keep(watch, leak, before);
    return watch->options.explain && kept && !kept->explanation[0];
}

int wi__watch_hand_out(const wi_leak *leak, const char *judged_path, int is_loop) {
    int asks = 0;
    wi__counters_lock();
    for (wi_watch *watch = open_watches; watch; watch = watch->next)
        if (concerns(watch, judged_path, is_loop)) asks |= hand(watch, leak);
    wi__counters_unlock();
    return asks;
}

/* ---- what explains it ---- */

static void tell_lines(FILE *stream, const char *heading, const char *lines) {
    fprintf(stream, "within: %s:\n", heading);
    for (size_t length; *lines; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        fprintf(stream, "    %.*s\n", (int)length, lines);
    }
}

static void explain(wi_watch *watch, wi_leak *leak, const char *heading, const char *lines) {
    if (!watch->options.explain || leak->explanation[0]) return;
    snprintf(leak->explanation, sizeof leak->explanation, "%s", lines);
    if (!watch->options.quiet) tell_lines(stream_of(watch), heading, lines);
}

void wi__watch_hand_explanation(const char *section, const char *what, const char *judged_path,
                                int is_loop, const char *heading, const char *lines) {
    wi__counters_lock();
    for (wi_watch *watch = open_watches; watch; watch = watch->next) {
        wi_leak *leak = known(watch, section, what);
        if (leak && concerns(watch, judged_path, is_loop)) explain(watch, leak, heading, lines);
    }
    wi__counters_unlock();
}

int wi_watch_leaks(const wi_watch *watch, wi_leak *leaks) {
    wi__counters_lock();
    int count = watch->leak_count;
    memcpy(leaks, watch->leaks, (size_t)count * sizeof *leaks);
    wi__counters_unlock();
    return count;
}

/* ---- the block ---- */

static void open_watch(wi_watch *watch) {
    wi__counters_lock();
    if (!open_watches) __atomic_add_fetch(&session, 1, __ATOMIC_RELAXED);
    watch->thread = pthread_self();
    watch->next = open_watches;
    open_watches = watch;
    wi__counters_unlock();
    wi__watch_set(&wi__leak_watcher);
}

static void watch_enter(void *self) {
    wi_watch *watch = self;
    if (watch->is_open)
        wi_raise(WI_USAGE_ERROR, "watch: it is open already; use one wi_watch a block");
    watch->is_open = 1;
    watch->leak_count = 0;
    wi__lane_here();
    open_watch(watch);
}

static wi_verdict watch_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi_watch *watch = self;
    wi__counters_lock();
    wi_watch **link = &open_watches;
    while (*link && *link != watch) link = &(*link)->next;
    if (*link) *link = watch->next;
    int is_last = !open_watches;
    wi__counters_unlock();
    wi__watch_set(is_last ? NULL : &wi__leak_watcher);
    watch->is_open = 0;
    return WI_PROPAGATE;
}

static void watch_describe(const void *self, char *buffer, size_t size) {
    const wi_watch *watch = self;
    snprintf(buffer, size, "%s", watch->options.sections ? watch->options.sections : "");
}

static const wi_protocol watch_protocol = {"watch", watch_enter, watch_exit, watch_describe};

wi_watch wi__watch(wi_watch_options options) {
    wi_watch watch;
    memset(&watch, 0, sizeof watch);
    watch.protocol = &watch_protocol;
    watch.options = options;
    return watch;
}

/* ---- the environment, and forks ---- */

/* The memory of watches that other threads have open will be used for other things in the child. */
static void forget_other_threads(void) {
    for (wi_watch **link = &open_watches; *link;)
        if (*link == &whole_run || pthread_equal((*link)->thread, pthread_self()))
            link = &(*link)->next;
        else
            *link = (*link)->next;
}

static int is_on(const char *word) { return word && *word && strcmp(word, "0") != 0; }

/* WITHIN_WATCH: "1" for outermost loops, else names of sections; with WITHIN_WATCH_EXPLAIN beside it what is found is
 * explained. It is there before the first section. */
__attribute__((constructor)) static void begin(void) {
    pthread_atfork(NULL, NULL, forget_other_threads);
    const char *wish = getenv("WITHIN_WATCH");
    if (!is_on(wish)) return;
    whole_run = wi_watch(.sections = strcmp(wish, "1") == 0 ? NULL : strdup(wish),
                         .explain = is_on(getenv("WITHIN_WATCH_EXPLAIN")));
    whole_run.is_open = 1;
    open_watch(&whole_run);
}
