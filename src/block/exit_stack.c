/* Exit stacks: managers and callbacks released in reverse order, each exactly once, whatever they raise. */
#include <within/exit_stack.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "error.h"

static wi__exit *entries(wi_exit_stack *stack) {
    return stack->heap ? stack->heap : stack->entries;
}

static int has_room(wi_exit_stack *stack, size_t room) {
    if (stack->count + room <= stack->capacity) return 1;
    size_t capacity = 2 * (stack->count + room);
    if (capacity > SIZE_MAX / sizeof *stack->heap) return 0;
    wi__exit *heap = realloc(stack->heap, capacity * sizeof *heap);
    if (!heap) return 0;
    if (!stack->heap) memcpy(heap, stack->entries, stack->count * sizeof *heap);
    stack->heap = heap;
    stack->capacity = capacity;
    return 1;
}

static void push(wi_exit_stack *stack, wi__exit entry) { entries(stack)[stack->count++] = entry; }

/* Where a manager will live: a copy that the stack frees after the exit, or where it is (size 0). */
void *wi__stack_reserve(wi_exit_stack *stack, const void *manager, size_t size) {
    if (!has_room(stack, 2)) wi_raise(WI_MEMORY_ERROR, "exit stack: no memory for another manager");
    if (!size) return (void *)manager;
    void *copy = malloc(size);
    if (!copy) wi_raise(WI_MEMORY_ERROR, "exit stack: no memory for a manager of %zu bytes", size);
    push(stack, (wi__exit){NULL, free, memcpy(copy, manager, size), NULL});
    return copy;
}

void wi__stack_enter(const wi_place *place, wi_exit_stack *stack, void *manager,
                     const wi_protocol *protocol) {
    if (protocol->enter) protocol->enter(manager);
    if (!has_room(stack, 1)) { /* its enter has itself added to the stack */
        if (protocol->exit) protocol->exit(manager, WI_LEFT, NULL);
        wi__raise(place, WI_MEMORY_ERROR, "exit stack: no memory for another manager");
    }
    push(stack, (wi__exit){protocol, NULL, manager, place});
}

void wi__stack_callback(const wi_place *place, wi_exit_stack *stack, void (*callback)(void *arg),
                        void *arg) {
    if (has_room(stack, 1)) {
        push(stack, (wi__exit){NULL, callback, arg, place});
        return;
    }
    callback(arg);
    wi__raise(place, WI_MEMORY_ERROR, "exit stack: no memory for another callback");
}

static void run_last(wi_exit_stack *stack, wi_reason reason, wi_error *error) {
    wi__exit last = entries(stack)[--stack->count];
    if (!last.protocol) {
        last.callback(last.target);
        return;
    }
    if (error) wi__error_passed(error, last.protocol, last.target, last.place);
    if (!last.protocol->exit) return;
    if (last.protocol->exit(last.target, reason, error) == WI_SUPPRESS && error)
        wi__raise(last.place, WI_USAGE_ERROR,
                  "%s: its exit asked to suppress an error, which an exit stack cannot",
                  last.protocol->name);
}

typedef struct release_run {
    wi_exit_stack *stack;
    wi__frame rest;      /* a block, for exit() and wi_longjmp: its exit releases what is left */
    wi__landing landing; /* holds the newest error that an exit has raised */
} release_run;

static void release(wi_exit_stack *stack, wi_reason reason, wi_error *error);

static void forget_entries(wi_exit_stack *stack) {
    free(stack->heap);
    stack->heap = NULL;
    stack->capacity = WI__STACK_INLINE;
}

static void begin_run(release_run *run, wi_exit_stack *stack) {
    run->stack = stack;
    run->rest.manager = stack;
    run->rest.place = NULL;
    wi__chain(&run->rest);
    wi__self.top = wi__marked(wi__self.top);
    wi__arm(&run->landing, &wi__handler_frame, NULL);
}

/* Also on the way out when a cancelled thread or a C++ exception has cut the run short. */
static void finish_run(release_run *run) {
    wi__end_landing(&run->landing);
    if (!run->rest.manager) return;
    wi__self.top = run->rest.previous;
    if (run->stack->count)
        release(run->stack, WI_LEFT, NULL);
    else
        forget_entries(run->stack);
}

static void release(wi_exit_stack *stack, wi_reason reason, wi_error *error) {
    wi_error *raised;
    {
        release_run run __attribute__((cleanup(finish_run)));
        begin_run(&run, stack);
        if (_setjmp(run.landing.env) != 0) { /* an exit has raised; the others see its error */
            wi__arm(&run.landing, &wi__handler_frame, run.landing.error);
            wi__self.handling = run.landing.error;
        }
        while (stack->count) {
            raised = run.landing.error;
            run_last(stack, raised ? WI_RAISED : reason, raised ? raised : error);
        }
        raised = run.landing.error;
        run.landing.error = NULL;
    }
    if (raised) wi__unwind(raised);
}

static wi_verdict exit_stack_exit(void *self, wi_reason reason, const wi_error *error) {
    release(self, reason, (wi_error *)error);
    return WI_PROPAGATE;
}

const wi_protocol wi__exit_stack_protocol = {"exit stack", NULL, exit_stack_exit, NULL};

void wi_stack_close(wi_exit_stack *stack) { release(stack, WI_END, NULL); }

wi_exit_stack wi_stack_pop_all(wi_exit_stack *stack) {
    wi_exit_stack popped = *stack;
    *stack = wi__exit_stack();
    return popped;
}
