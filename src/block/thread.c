/* A thread's first block, and its end: what exit() and a thread's end do with blocks still open. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain.h"

WI__THREAD_LOCAL wi__thread wi__self;
int wi__releasing_at_exit;

static WI__THREAD_LOCAL wi__frame base;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static int thread_end_works;

static void exit_left(void *block) { wi__exit_left(block); }

/* exit() was called inside blocks. An exit that raises does not keep the others from running. */
static void release_at_exit(void) {
    wi__releasing_at_exit = 1;
    for (wi__frame *top; (top = wi__unmarked(wi__self.top)) && top != &base;) {
        wi__frame block = wi__take_off(top);
        wi_error *error;
        if (wi_call(exit_left, &block, &error)) continue;
        char text[2048];
        wi_error_format(error, text, sizeof text);
        fprintf(stderr, "within: an error while blocks were released at exit\n%s", text);
        wi_error_free(error);
    }
}

/* By now the blocks' frames are gone; only -fexceptions could have released them in time. */
static void check_at_thread_end(void *unused) {
    (void)unused;
    if (wi__self.top == &base) return;
    fputs("within: a thread ended inside a block whose exit did not run: compile with "
          "-fexceptions\n",
          stderr);
    wi__self.top = &base;
}

static void set_up_process(void) {
    atexit(release_at_exit);
    thread_end_works = pthread_key_create(&thread_end, check_at_thread_end) == 0;
}

void wi__thread_begin(void) {
    pthread_once(&once, set_up_process);
    base.manager = &wi__base_frame;
    wi__self.top = &base;
    if (thread_end_works) pthread_setspecific(thread_end, &base);
}
