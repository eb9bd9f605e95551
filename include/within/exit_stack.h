/*
 * Exit stacks: as many managers and callbacks as the run turns out to need, released in reverse order
 * when the stack's block ends.
 *
 *     within (stack, wi_exit_stack()) {
 *         for (int i = 0; i < n; i++) wi_stack_enter(stack, wi_make(text_file, .path = paths[i]));
 *     }
 *
 * A stack that was acquired bit by bit can be kept: wi_stack_pop_all moves everything into a new stack,
 * which another block, or wi_stack_close, releases later.
 *
 * Ownership: the stack owns copies of its managers. Threads: one at a time. Depth: memory is the limit.
 */
#ifndef WITHIN_EXIT_STACK_H
#define WITHIN_EXIT_STACK_H

#include <within/block.h>

WI__BEGIN_DECLS

/* What is to be run: the exit of a manager, or a callback. */
typedef struct wi__exit {
    const wi_protocol *protocol; /* NULL for a callback */
    void (*callback)(void *arg);
    void *target; /* the manager, or the callback's arg */
    const wi_place *place;
} wi__exit;

enum { WI__STACK_INLINE = 4 };

typedef struct wi_exit_stack {
    const wi_protocol *protocol;
    size_t count;
    size_t capacity;
    wi__exit *heap; /* NULL while the inline entries are enough */
    wi__exit entries[WI__STACK_INLINE];
} wi_exit_stack;

/** An empty stack. */
#define wi_exit_stack() wi__exit_stack()

/**
 * Enter a manager and leave its exit to the stack.
 *
 * @return a pointer to the live manager, good until the stack releases it. `manager` may be a value,
 *         which is copied, or a pointer to one that outlives the stack.
 * @raise WI_MEMORY_ERROR before the manager is entered. Whatever its enter raises; nothing is kept then.
 */
#define wi_stack_enter(stack, manager)                                                             \
    WI__STACK_ENTER(WI__JOIN(wi__entered_, __COUNTER__), stack, manager)

/**
 * Have callback(arg) called when the stack is released.
 * @raise WI_MEMORY_ERROR after calling callback(arg) at once, so that nothing is lost.
 */
#define wi_stack_callback(stack, callback, arg) wi__stack_callback(WI__HERE, stack, callback, arg)

/** Move everything into a new stack; the old one is empty and still usable. */
WI_API wi_exit_stack wi_stack_pop_all(wi_exit_stack *stack) __attribute__((warn_unused_result));
/** Release everything now, as at a block's end. The stack is empty and still usable. */
WI_API void wi_stack_close(wi_exit_stack *stack);

/* ---- behind the macros ---- */

extern WI_API const wi_protocol wi__exit_stack_protocol;
WI_API void *wi__stack_reserve(wi_exit_stack *stack, const void *manager, size_t size);
WI_API void wi__stack_enter(const wi_place *place, wi_exit_stack *stack, void *manager,
                            const wi_protocol *protocol);
WI_API void wi__stack_callback(const wi_place *place, wi_exit_stack *stack,
                               void (*callback)(void *arg), void *arg);

WI__INLINE wi_exit_stack wi__exit_stack(void) {
    wi_exit_stack stack;
    stack.protocol = &wi__exit_stack_protocol;
    stack.count = 0;
    stack.capacity = WI__STACK_INLINE;
    stack.heap = NULL;
    return stack;
}

WI__END_DECLS

#define WI__STACK_ENTER(id, stack, manager) WI__STACK_ENTER_AS(id, stack, manager)
#define WI__STACK_ENTER_AS(id, stack, value)                                                       \
    (__extension__({                                                                               \
        wi_exit_stack *id##_stack = (stack);                                                       \
        WI__AUTO id##_value = (value);                                                             \
        WI__AUTO id = WI__ADDRESS(id##_value);                                                     \
        WI__USE_ASSERT(!WI__SUPPRESSES(id), "an exit stack cannot suppress: use a within block");  \
        int id##_owned = (const void *)id == (const void *)&id##_value;                            \
        id = (__typeof__(id))wi__stack_reserve(id##_stack, id, id##_owned ? sizeof(*id) : 0);      \
        wi__stack_enter(WI__HERE, id##_stack, id, WI__PROTOCOL(id));                               \
        id;                                                                                        \
    }))

#endif
