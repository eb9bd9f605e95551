/*
 * With-blocks: a manager is entered, a body runs, and the manager's exit runs exactly once, on every
 * way out of the body, in reverse order.
 *
 *     within (file, wi_make(text_file, .path = "ber.csv")) { fputs("snr,ber\n", file->stream); }
 *
 * A manager is any struct whose first member is `const wi_protocol *protocol`. Ten lines make one:
 *
 *     typedef struct { const wi_protocol *protocol; pthread_mutex_t *mutex; } lock;
 *
 *     static void lock_enter(void *self) { pthread_mutex_lock(((lock *)self)->mutex); }
 *     static wi_verdict lock_exit(void *self, wi_reason reason, const wi_error *error) {
 *         (void)reason, (void)error;
 *         pthread_mutex_unlock(((lock *)self)->mutex);
 *         return WI_PROPAGATE;
 *     }
 *     static const wi_protocol lock_protocol = {.name = "lock", .enter = lock_enter, .exit = lock_exit};
 *
 *     within (wi_make(lock, .mutex = &queue_mutex)) { … }
 */
#ifndef WITHIN_BLOCK_H
#define WITHIN_BLOCK_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <within/error.h>
#include <within/macros.h>

WI__BEGIN_DECLS

/** Why a block ends. */
typedef enum wi_reason {
    WI_END,  /* the body ran to its end, or reached a continue */
    WI_LEFT, /* return, goto, exit(), a cancelled thread, a C++ exception, wi_longjmp, or a wi_use */
    WI_RAISED /* an error was raised */
} wi_reason;

/**
 * What an exit says of the error it was shown; without an error it is not looked at. Only the exit of a
 * wi_suppressing_protocol may suppress: from another, WI_SUPPRESS raises WI_USAGE_ERROR.
 */
typedef enum wi_verdict { WI_PROPAGATE, WI_SUPPRESS } wi_verdict;

/**
 * What a kind of manager does.
 *
 * enter     acquires; may be NULL. If it raises, exit does not run: it must leave nothing acquired.
 * exit      releases; may be NULL. Runs once. `error` is NULL unless the reason is WI_RAISED, and
 *           borrowed for the call. If it raises, its error wins and the older one is its context.
 * describe  writes what the manager holds, for error trails: at most size bytes with the '\0'; may be
 *           NULL. Must not raise.
 */
typedef struct wi_protocol {
    const char *name;
    void (*enter)(void *self);
    wi_verdict (*exit)(void *self, wi_reason reason, const wi_error *error);
    void (*describe)(const void *self, char *buffer, size_t size);
} wi_protocol;

/** A protocol whose exit may answer WI_SUPPRESS: the manager's first member points to one of these. */
typedef struct wi_suppressing_protocol {
    wi_protocol protocol;
    char suppresses; /* makes the type another one, and its size with it */
} wi_suppressing_protocol;

/** Any manager, seen through its first member, which stays the same while a block of it is open. */
typedef struct wi_manager {
    const wi_protocol *protocol;
} wi_manager;

/**
 * A manager of a type whose protocol is named <type>_protocol: wi_make(lock, .mutex = &m). Members
 * that are not named are zero.
 */
#ifdef __cplusplus
#define wi_make(type, ...)                                                                         \
    WI__FIELDS_MAY_BE_MISSING(type, {.protocol = &type##_protocol, ##__VA_ARGS__})
#else
#define wi_make(type, ...) ((type){.protocol = &type##_protocol, ##__VA_ARGS__})
#endif

/**
 * Run the body that follows within a manager: within (manager) { … } or within (name, manager) { … }.
 *
 * @param name     declared for the body: a pointer to the live manager.
 * @param manager  a manager by value, or a pointer to one that outlives the block (its members can be
 *                 read afterwards).
 *
 * Leave the body with its end, continue (which ends the block, not a loop around it), return, goto or
 * an error. A break is a compile error: it would look as if it left a loop outside.
 * Cost: as hand-written enter and exit. No allocation, no setjmp unless the manager may suppress.
 */
#define within(...) WI__PICK(WI__WITHIN, WI__WITHIN_NAMED, __VA_ARGS__)(__VA_ARGS__)

/**
 * The declaration form: wi_use(manager); or wi_use(name, manager); The manager is entered here and
 * exits at the end of the enclosing scope. C cannot tell that end from a return, so the exit is
 * always told WI_LEFT, unless an error passes. Not for managers that suppress: a compile error.
 */
#define wi_use(...) WI__PICK(WI__USE, WI__USE_NAMED, __VA_ARGS__)(__VA_ARGS__)

/** How deep the thread is in blocks; for wi_longjmp. */
typedef struct wi_mark {
    void *frame;
} wi_mark;
/** The place to come back to; take it before setjmp. */
WI_API wi_mark wi_here(void);
/**
 * Release every block entered since the mark, with WI_LEFT, then longjmp: for libraries that leave by
 * longjmp themselves (libpng, Lua, R), whose error callbacks call this in place of longjmp.
 */
WI__NORETURN WI_API void wi_longjmp(jmp_buf env, int value, wi_mark mark);

/* ---- behind the macros ---- */

/*
 * A link of the thread's chain of open blocks and handlers. What a block costs is the stores into this:
 * the protocol is read from the manager. The first two are known before the chain is, so that a
 * compiler can store them as one.
 */
typedef struct wi__frame {
    void *manager; /* NULL: released already. Of what is no block: which kind it is */
    const wi_place *place;
    struct wi__frame *previous; /* may be marked: wi__marked */
} wi__frame;

/*
 * A frame that an error can land on, or that holds one. The error keeps `handling` away from the frame's
 * `previous`: side by side, as in wi__thread, clang restores both with one load, which waits for the two
 * stores that made them.
 */
typedef struct wi__landing {
    wi__frame frame;
    wi_error *error;          /* what landed here; owned */
    const wi_error *handling; /* what was being handled before */
    int armed;                /* in the chain */
    jmp_buf env;
} wi__landing;

/* The frames of a block that may suppress: the landing lies just below the block. */
typedef struct wi__suppressing_frame {
    wi__frame frame;
    wi__landing landing;
} wi__suppressing_frame;

/* What a block knows of itself; its address never leaves the function, so that exits inline. */
typedef struct wi__block {
    wi__frame *frame;
    wi__frame *previous;
    const wi_protocol *protocol;
    void *manager;
    int ended;
} wi__block;

/*
 * Has a body run? A struct, because gcc warns of any plain variable that lives across a setjmp that it
 * might be clobbered. This one is not changed between a setjmp and its longjmp.
 */
typedef struct wi__once {
    int done;
} wi__once;

typedef struct wi__thread {
    wi__frame *top; /* the innermost block or handler, may be marked; NULL before the first */
    const wi_error *handling; /* the error being handled */
    wi__landing *dispatching; /* the wi_try whose wi_catch clauses are being looked at */
    void *branch;      /* the innermost open section, in the thread's tree; NULL before any */
    uint32_t *current; /* the cell of its node, as readers of the record see it */
    uint64_t due;      /* ticks: when a section's end has more to do */
    void *lane;        /* what the record keeps for the thread; NULL before any section */
    int marks_exits;   /* wi_interrupts that the thread has open: wi__run_marked_exit */
} wi__thread;

extern WI_API WI__THREAD_LOCAL wi__thread wi__self __attribute__((tls_model("initial-exec")));

WI_API void wi__thread_begin(void);

/* Reached only by a break inside a body. nothrow, or clang keeps a landing pad and misses it. */
extern void wi__break_leaves_a_block(void) __attribute__((
    nothrow,
    error("break inside a within or wi_try body: continue ends the block, goto leaves more")));

/*
 * A body may be interrupted at any of its instructions, by a trap of wi_fp_guard, and must find the chain as it
 * is written here: without this, compilers leave out what no call in between can see.
 */
WI__INLINE void wi__chain_is_whole(void) { __asm__ volatile("" : : : "memory"); }

WI__INLINE void wi__chain(wi__frame *frame) {
    if (WI__UNLIKELY(!wi__self.top)) wi__thread_begin();
    frame->previous = wi__self.top;
    wi_mark link = {frame};         /* a struct, as wi__once is */
    __asm__("" : "+r"(link.frame)); /* the chain outlives no frame, but gcc cannot know it */
    wi__self.top = (wi__frame *)link.frame;
    wi__chain_is_whole();
}

/*
 * While an exit runs in a thread with an open wi_interrupts, the link to what is around its block has a mark, so
 * that safe points (wi_poll) can tell that they are in an exit: addresses of frames are multiples of 4. The second
 * mark says that the block was opened in an exit itself, and is kept in all that follow.
 */
enum { WI__IN_EXIT = 1, WI__IN_OUTER_EXIT = 2, WI__MARKS = 3 };

/* Run an exit with such a mark; without it the check costs a block less than the two stores. */
WI_API void wi__run_marked_exit(wi__frame *around, const wi_protocol *protocol, void *manager,
                                wi_reason reason);

/* The part of enter that follows the manager's own. */
WI__INLINE wi__block wi__block_open(wi__frame *frame, void *manager, const wi_protocol *protocol,
                                    const wi_place *place) {
    frame->manager = manager;
    frame->place = place;
    wi__chain(frame);
    wi__block block = {frame, frame->previous, protocol, manager, 0};
    return block;
}

WI__INLINE wi__block wi__block_enter(wi__frame *frame, void *manager, const wi_protocol *protocol,
                                     const wi_place *place) {
    if (protocol->enter) protocol->enter(manager);
    return wi__block_open(frame, manager, protocol, place);
}

WI__INLINE void wi__block_leave(wi__block *block) {
    if (!block->ended && !block->frame->manager) return; /* an error or exit() has released it */
    wi__chain_is_whole();
    wi_reason reason = block->ended ? WI_END : WI_LEFT;
    if (WI__UNLIKELY(wi__self.marks_exits)) {
        wi__run_marked_exit(block->previous, block->protocol, block->manager, reason);
        return;
    }
    wi__self.top = block->previous;
    if (block->protocol->exit) block->protocol->exit(block->manager, reason, NULL);
}

/* Of frames that are wi__suppressing_frame; others only name it, in code that is never run. */
WI__INLINE jmp_buf *wi__env_of(void *frames) {
    return &((wi__suppressing_frame *)frames)->landing.env;
}

WI_API void wi__suppressor_arm(wi__landing *landing);

WI__INLINE wi__block wi__suppressing_enter(wi__suppressing_frame *frames, void *manager,
                                           const wi_suppressing_protocol *protocol,
                                           const wi_place *place) {
    if (protocol->protocol.enter) protocol->protocol.enter(manager);
    wi__suppressor_arm(&frames->landing);
    wi__block block = wi__block_open(&frames->frame, manager, &protocol->protocol, place);
    block.previous = frames->landing.frame.previous;
    return block;
}

WI__END_DECLS

/*
 * gcc at -O0 finds out late which functions cannot throw, and takes away the cleanups around their calls. What
 * is left can make it stop with an internal error (in expand_builtin_eh_common; seen with gcc 12). A call that
 * may throw, as far as it can see, keeps a cleanup: this one is never reached.
 */
#if defined(__GNUC__) && !defined(__clang__) && !defined(__OPTIMIZE__)
#define WI__MAY_THROW(block) ((block).ended && (wi__thread_begin(), 1))
#else
#define WI__MAY_THROW(block) 0
#endif

/* Does this manager's type suppress? A constant expression. `manager` is a pointer. */
#define WI__SUPPRESSES(manager) (sizeof(*(manager)->protocol) == sizeof(wi_suppressing_protocol))

#ifdef __cplusplus
#define WI__AUTO auto
template <class Manager> constexpr Manager *wi__address(Manager &manager) { return &manager; }
template <class Manager> constexpr Manager *wi__address(Manager *&manager) { return manager; }
template <class Protocol> struct wi__frame_of {
    typedef wi__frame type;
};
template <> struct wi__frame_of<const wi_suppressing_protocol *> {
    typedef wi__suppressing_frame type;
};
#define WI__ADDRESS(manager) wi__address(manager)
#define WI__FRAME_OF(manager) typename wi__frame_of<decltype((manager)->protocol)>::type
WI__INLINE wi__block wi__enter(wi__frame *frame, void *manager, const wi_protocol *protocol,
                               const wi_place *place) {
    return wi__block_enter(frame, manager, protocol, place);
}
WI__INLINE wi__block wi__enter(wi__suppressing_frame *frame, void *manager,
                               const wi_suppressing_protocol *protocol, const wi_place *place) {
    return wi__suppressing_enter(frame, manager, protocol, place);
}
#define WI__ENTER(frame, manager, place) wi__enter(frame, manager, (manager)->protocol, place)
#else
#define WI__AUTO __auto_type
#define WI__ADDRESS(manager)                                                                       \
    __builtin_choose_expr(__builtin_classify_type(manager) == 5 /* pointer */, (manager),          \
                          &(manager))
#define WI__FRAME_OF(manager)                                                                      \
    __typeof__(*__builtin_choose_expr(WI__SUPPRESSES(manager), (wi__suppressing_frame *)0,         \
                                      (wi__frame *)0))
#define WI__ENTER(frame, manager, place)                                                           \
    _Generic((frame),                                                                              \
        wi__suppressing_frame *: wi__suppressing_enter,                                            \
        wi__frame *: wi__block_enter)((void *)(frame), (void *)(manager),                          \
                                      (const void *)(manager)->protocol, place)
#endif
#define WI__ENV(frame) (*wi__env_of(frame))

#define WI__WITHIN(manager)                                                                        \
    WI__WITHIN_AT(WI__JOIN(wi__manager_, __COUNTER__), WI__JOIN(wi__block_, __COUNTER__), manager)
#define WI__WITHIN_NAMED(name, manager)                                                            \
    WI__WITHIN_AT(name, WI__JOIN(wi__block_, __COUNTER__), manager)
#define WI__WITHIN_AT(name, id, manager) WI__WITHIN_AS(name, id, manager)

/*
 * The outer loop runs until `done`; the label before the second lets the body's end go straight out.
 * Nothing but a stray break reaches the increment that calls wi__break_leaves_a_block.
 */
/* clang-format off */
#define WI__WITHIN_AS(name, id, value)                                                             \
    for (wi__once id##_once = {0}; !id##_once.done;)                                               \
    id##_out:                                                                                      \
        for (; !id##_once.done;)                                                                   \
            for (WI__AUTO id##_value = (value); !id##_once.done;)                                  \
                for (WI__AUTO name WI__UNUSED = WI__ADDRESS(id##_value); !id##_once.done;)         \
                    for (WI__FRAME_OF(name) id##_frame; !id##_once.done;)                          \
                        for (wi__block id __attribute__((cleanup(wi__block_leave))) =              \
                                 WI__ENTER(&id##_frame, name, WI__HERE);                           \
                             !WI__MAY_THROW(id) &&                                                 \
                             !(WI__SUPPRESSES(name) && _setjmp(WI__ENV(&id##_frame)) != 0 &&       \
                               (id##_once.done = 1));                                              \
                             wi__break_leaves_a_block())                                           \
                            for (;; (__extension__({                                               \
                                     id.ended = id##_once.done = 1;                                \
                                     goto id##_out;                                                \
                                 })))
/* clang-format on */

#define WI__USE(manager)                                                                           \
    WI__USE_AT(WI__JOIN(wi__manager_, __COUNTER__), WI__JOIN(wi__block_, __COUNTER__), manager)
#define WI__USE_NAMED(name, manager) WI__USE_AT(name, WI__JOIN(wi__block_, __COUNTER__), manager)
#define WI__USE_AT(name, id, manager) WI__USE_AS(name, id, manager)
#define WI__USE_AS(name, id, value)                                                                \
    WI__AUTO id##_value = (value);                                                                 \
    WI__AUTO name WI__UNUSED = WI__ADDRESS(id##_value);                                            \
    WI__USE_ASSERT(!WI__SUPPRESSES(name), "wi_use cannot suppress errors: use a within block");    \
    wi__frame id##_frame;                                                                          \
    wi__block id __attribute__((cleanup(wi__block_leave), unused)) =                               \
        wi__block_enter(&id##_frame, name, WI__PROTOCOL(name), WI__HERE);                          \
    wi__once id##_once WI__UNUSED = {WI__MAY_THROW(id)}
#ifdef __cplusplus
#define WI__USE_ASSERT(condition, text) static_assert(condition, text)
#else
#define WI__USE_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define WI__PROTOCOL(manager) ((const wi_protocol *)(manager)->protocol)

#endif
