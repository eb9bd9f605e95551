/* Lists and tables of open sections, and the walk from frame to frame that finds the innermost. */
#include "sections/enclosing.h"

#include "entering.h"

#include <pthread.h>

enum { BUCKETS = 1024 };

/* A thread that has opened sections. It outlives its thread until those are closed. */
typedef struct within_thread {
    int gone; /* atomic: set by the thread's end, without the GIL */
    struct within_thread *next;
    within_enclosure process;
    within_enclosure *others; /* of profilers */
} within_thread;

within_family within_process;
__thread const within_entered *within_entering;

static __thread within_thread *self __attribute__((tls_model("initial-exec")));
static within_thread *threads;
static pthread_key_t thread_end;
static within_place *by_frame[BUCKETS]; /* of frames that can wait, newest first */

/* ---- threads ---- */

static void on_thread_end(void *thread) {
    self = NULL;
    __atomic_store_n(&((within_thread *)thread)->gone, 1, __ATOMIC_RELEASE);
}

static int is_idle(const within_thread *thread) {
    size_t open = thread->process.open;
    for (const within_enclosure *e = thread->others; e; e = e->next_in_thread) open += e->open;
    return open == 0;
}

static void unlink_enclosure(within_enclosure *enclosure) {
    within_family *family = enclosure->family;
    within_enclosure **link = &family->all;
    while (*link != enclosure) link = &(*link)->next;
    *link = enclosure->next;
    if (family->last == enclosure) family->last = NULL;
    wi_span_end(&enclosure->root, WI_END);
    enclosure->family = NULL;
}

static void free_thread(within_thread *thread) {
    while (thread->others) {
        within_enclosure *enclosure = thread->others;
        thread->others = enclosure->next_in_thread;
        if (enclosure->family) unlink_enclosure(enclosure);
        PyMem_RawFree(enclosure);
    }
    PyMem_RawFree(thread);
}

static void free_gone_threads(void) {
    within_thread **link = &threads;
    while (*link) {
        within_thread *thread = *link;
        if (__atomic_load_n(&thread->gone, __ATOMIC_ACQUIRE) && is_idle(thread)) {
            *link = thread->next;
            free_thread(thread);
        } else {
            link = &thread->next;
        }
    }
}

static within_thread *thread_new(void) {
    free_gone_threads();
    within_thread *thread = PyMem_RawCalloc(1, sizeof *thread);
    if (!thread) return NULL;
    thread->process.family = &within_process;
    thread->process.thread = thread;
    thread->next = threads;
    threads = self = thread;
    pthread_setspecific(thread_end, thread);
    return thread;
}

static within_enclosure *enclosure_new(within_family *family, within_thread *thread) {
    within_enclosure *enclosure = PyMem_RawCalloc(1, sizeof *enclosure);
    if (!enclosure) return NULL;
    enclosure->family = family;
    enclosure->thread = thread;
    enclosure->next = family->all;
    enclosure->next_in_thread = thread->others;
    family->all = thread->others = enclosure;
    wi__span_root(&enclosure->root, family->root_name);
    return enclosure;
}

/* A profiler's that ended lie among them until the thread needs a new one. */
static void free_ended(within_thread *thread) {
    within_enclosure **link = &thread->others;
    while (*link) {
        within_enclosure *enclosure = *link;
        if (enclosure->family) {
            link = &enclosure->next_in_thread;
            continue;
        }
        *link = enclosure->next_in_thread;
        PyMem_RawFree(enclosure);
    }
}

static within_enclosure *find_enclosure(within_family *family) {
    within_thread *thread = self ? self : thread_new();
    if (!thread || !family->root_name) return thread ? &thread->process : NULL;
    within_enclosure *enclosure = family->all;
    while (enclosure && enclosure->thread != thread) enclosure = enclosure->next;
    if (!enclosure) {
        free_ended(thread);
        enclosure = enclosure_new(family, thread);
    }
    return family->last = enclosure;
}

static inline within_enclosure *enclosure_here(within_family *family) {
    if (family == &within_process && self) return &self->process;
    within_enclosure *last = family->last;
    return last && last->thread == self ? last : find_enclosure(family);
}

/* ---- sections by their frame ---- */

static within_place **bucket_of(const within_frame *frame) {
    return &by_frame[((uintptr_t)frame >> 4 ^ (uintptr_t)frame >> 14) % BUCKETS];
}

static within_place *find_by_frame(const within_family *family, const within_frame *frame) {
    within_place *place = *bucket_of(frame);
    while (place && (place->frame != frame || place->enclosure->family != family))
        place = place->older;
    return place;
}

static void link_by_frame(within_place *place) {
    within_place **bucket = bucket_of(place->frame);
    place->older = *bucket;
    *bucket = place;
    place->enclosure->family->by_frame++;
}

static void unlink_by_frame(within_place *place) {
    within_place **link = bucket_of(place->frame);
    while (*link != place) link = &(*link)->older;
    *link = place->older;
    place->enclosure->family->by_frame--;
}

/* ---- sections of a thread's ordinary frames ---- */

static inline void link_newest(within_place *place) {
    within_enclosure *enclosure = place->enclosure;
    place->newer = NULL;
    place->older = enclosure->newest;
    if (place->older) place->older->newer = place;
    enclosure->newest = place;
}

static inline void unlink_place(within_place *place) {
    if (place->older) place->older->newer = place->newer;
    if (place->newer)
        place->newer->older = place->older;
    else
        place->enclosure->newest = place->older;
}

/* ---- whose a section is ---- */

/* A module whose code enters managers for somebody. Looked for again only when modules have come. */
typedef struct entering_module {
    const char *name;
    PyObject *globals; /* borrowed; NULL while nobody has imported it */
    Py_ssize_t modules_seen;
} entering_module;

static entering_module contextlib = {.name = "contextlib"}, framed = {.name = "within._framed"},
                       on_gpu = {.name = "within._gpu_section"};

static PyObject *find_globals(entering_module *wanted) {
    PyObject *modules = PyImport_GetModuleDict();
    if (PyDict_GET_SIZE(modules) == wanted->modules_seen) return NULL;
    wanted->modules_seen = PyDict_GET_SIZE(modules);
    PyObject *found = PyDict_GetItemString(modules, wanted->name);
    if (found && PyModule_Check(found)) wanted->globals = PyModule_GetDict(found);
    return wanted->globals;
}

static inline PyObject *globals_of(entering_module *module) {
    return module->globals ? module->globals : find_globals(module);
}

static int is_being_entered(const within_frame *frame) {
    const within_entered *entered = within_entering;
    while (entered && entered->generator != within_frame_generator(frame))
        entered = entered->around;
    return entered != NULL;
}

/* Does it enter managers for somebody? */
static int is_of_contextlib(const within_frame *frame) {
    static const char *const names[] = {"__enter__", "__aenter__",    "__exit__",
                                        "__aexit__", "enter_context", "enter_async_context"};
    const PyObject *globals = frame ? within_frame_globals(frame) : NULL;
    if (!globals || (globals != globals_of(&contextlib) && globals != globals_of(&framed) &&
                     globals != globals_of(&on_gpu)))
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!PyUnicode_CompareWithASCIIString(within_frame_name(frame), names[i])) return 1;
    return 0;
}

static int enters_for_others(const within_frame *frame, const within_frame *outer) {
    if (is_of_contextlib(frame)) return 1;
    return within_frame_can_wait(frame) && (is_of_contextlib(outer) || is_being_entered(frame));
}

/* The frame that enters a section: of the user's code, not of what enters managers for it. */
static within_frame *find_owner(within_frame *frame) {
    while (frame) {
        within_frame *outer = within_frame_outer(frame);
        if (!enters_for_others(frame, outer)) return frame;
        frame = outer;
    }
    return NULL;
}

static inline void set_owner(within_place *place, const within_running *running) {
    place->frame = running->frame;
    place->by_frame = 0;
    if (!running->can_wait && running->globals != globals_of(&contextlib) &&
        running->globals != globals_of(&on_gpu))
        return;
    place->frame = find_owner(running->frame);
    place->by_frame = place->frame && within_frame_can_wait(place->frame);
}

/* ---- what encloses what ---- */

/* The nearest frame outwards that has a section open tells. If none has, the newest was opened by hand: the
 * function that did it has returned. */
static within_place *find_around(const within_enclosure *enclosure, within_frame *frame) {
    for (; frame; frame = within_frame_outer(frame)) {
        if (within_frame_can_wait(frame)) {
            within_place *place = find_by_frame(enclosure->family, frame);
            if (place) return place;
        } else if (enclosure->newest && enclosure->newest->frame == frame) {
            break;
        }
    }
    return enclosure->newest;
}

static wi_span *span_around(within_enclosure *enclosure, within_frame *frame) {
    within_place *around = enclosure->newest;
    if (enclosure->family->by_frame) around = find_around(enclosure, frame);
    if (around) return &around->span;
    return enclosure->family->root_name ? &enclosure->root : NULL;
}

int within_place_open(within_place *place, within_family *family, const void *site,
                      const char *text) {
    within_enclosure *enclosure = enclosure_here(family);
    if (!enclosure) {
        PyErr_NoMemory();
        return -1;
    }
    within_running running = within_frame_running();
    wi_span *around = span_around(enclosure, running.frame);
    if (family->root_name && !around->branch) /* no room: it must not be among the process's */
        wi__span_begin_dropped(&place->span);
    else
        wi__span_begin_inside(&place->span, around, site, text);
    place->enclosure = enclosure;
    enclosure->open++;
    set_owner(place, &running);
    if (place->by_frame)
        link_by_frame(place);
    else
        link_newest(place);
    return 0;
}

/* Where nothing of a tree apart encloses the code, the thread is where it was before. */
static void return_to_enclosing(within_family *family) {
    within_enclosure *here = enclosure_here(family);
    wi_span *around = here ? span_around(here, within_frame_running().frame) : NULL;
    if (here && around != &here->root) wi__span_return_to(around);
}

/* `start` becomes how long it was, of one that is not in the record too. */
static void end_span(wi_span *span, wi_reason reason) {
    if (span->branch)
        wi_span_end(span, reason);
    else
        span->start = wi__span_ticks() - span->start;
}

void within_place_close(within_place *place, wi_reason reason) {
    within_enclosure *enclosure = place->enclosure;
    int may_have_moved = enclosure->family->by_frame || enclosure->thread != self;
    if (place->by_frame)
        unlink_by_frame(place);
    else
        unlink_place(place);
    place->enclosure = NULL;
    enclosure->open--;
    end_span(&place->span, reason);
    if (may_have_moved) return_to_enclosing(enclosure->family);
}

/* ---- families ---- */

void within_family_end(within_family *family) {
    while (family->all) unlink_enclosure(family->all);
}

int within_add_enclosing(PyObject *module) {
    (void)module;
    static int made;
    if (!made && pthread_key_create(&thread_end, on_thread_end)) {
        PyErr_SetString(PyExc_RuntimeError, "within: no thread-specific data is left");
        return -1;
    }
    made = 1;
    return 0;
}
