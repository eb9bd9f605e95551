/* Pairs of events: those that are idle, and those that the GPU has not come to yet. */
#include "manage/gpu_timing.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_PENDING = 4096, LOOKED_AT = 16 };

struct wi__gpu_pair {
    wi__gpu_pair *next;
    wi__cu_context context; /* only while it is current are its events touched: then it lives */
    wi__cu_event start, end;
    wi__gpu_counts *counts;
};

static struct {
    pthread_mutex_t lock;
    wi__gpu_pair *idle;
    wi__gpu_pair *pending, **last; /* the oldest first */
    int count;                     /* of those that are pending */
} pairs = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL, &pairs.pending, 0};

/* ---- the begin, and forks ---- */

/* In a child the parent's events are nobody's. */
static void begin_again(void) {
    pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;
    pairs.lock = unlocked;
    pairs.idle = pairs.pending = NULL;
    pairs.last = &pairs.pending;
    pairs.count = 0;
}

/* CUDA is initialised by now, so that what it does at the process's end comes later. */
static void prepare(void) {
    pthread_atfork(NULL, NULL, begin_again);
    atexit(wi__gpu_timing_collect);
    wi__gpu_collect = wi__gpu_timing_collect;
}

static wi__cu_context current_context(const wi__cuda *cuda) {
    wi__cu_context context = NULL;
    return cuda->cuCtxGetCurrent(&context) == WI__CUDA_SUCCESS ? context : NULL;
}

/* ---- the lists; the lock is held ---- */

static wi__gpu_pair *take_idle(wi__cu_context context) {
    for (wi__gpu_pair **link = &pairs.idle; *link; link = &(*link)->next) {
        wi__gpu_pair *pair = *link;
        if (pair->context != context) continue;
        *link = pair->next;
        return pair;
    }
    return NULL;
}

static void put_idle(wi__gpu_pair *pair) {
    pair->next = pairs.idle;
    pairs.idle = pair;
}

static void put_pending(wi__gpu_pair *pair) {
    pair->next = NULL;
    *pairs.last = pair;
    pairs.last = &pair->next;
    pairs.count++;
}

static wi__gpu_pair *take_pending(wi__gpu_pair **link) {
    wi__gpu_pair *pair = *link;
    *link = pair->next;
    if (!*link) pairs.last = link;
    pairs.count--;
    return pair;
}

/* ---- pairs ---- */

/* Its context is current. */
static void pair_free(const wi__cuda *cuda, wi__gpu_pair *pair) {
    if (pair->start) cuda->cuEventDestroy_v2(pair->start);
    if (pair->end) cuda->cuEventDestroy_v2(pair->end);
    free(pair);
}

static wi__gpu_pair *pair_new(const wi__cuda *cuda, wi__cu_context context) {
    wi__gpu_pair *pair = calloc(1, sizeof *pair);
    if (!pair) return NULL;
    pair->context = context;
    if (cuda->cuEventCreate(&pair->start, 0) == WI__CUDA_SUCCESS &&
        cuda->cuEventCreate(&pair->end, 0) == WI__CUDA_SUCCESS)
        return pair;
    pair_free(cuda, pair);
    return NULL;
}

static wi__gpu_pair *take(const wi__cuda *cuda, wi__cu_context context) {
    pthread_mutex_lock(&pairs.lock);
    int too_many = pairs.count >= MOST_PENDING;
    wi__gpu_pair *pair = too_many ? NULL : take_idle(context);
    pthread_mutex_unlock(&pairs.lock);
    return pair || too_many ? pair : pair_new(cuda, context);
}

static void give_back(wi__gpu_pair *pair) {
    pthread_mutex_lock(&pairs.lock);
    put_idle(pair);
    pthread_mutex_unlock(&pairs.lock);
}

/* ---- measuring ---- */

/* A stream that cannot be asked, as the default one while others are captured, is left alone too. */
int wi__gpu_is_captured(const wi__cuda *cuda, wi__cu_stream stream) {
    int status = WI__CUDA_CAPTURE_NONE;
    return cuda->has_events && current_context(cuda) &&
           (cuda->cuStreamIsCapturing(stream, &status) != WI__CUDA_SUCCESS ||
            status != WI__CUDA_CAPTURE_NONE);
}

wi__gpu_pair *wi__gpu_timing_begin(const wi__cuda *cuda, wi__cu_stream stream) {
    static pthread_once_t prepared = PTHREAD_ONCE_INIT;
    wi__cu_context context = cuda->has_events ? current_context(cuda) : NULL;
    if (!context) return NULL;
    pthread_once(&prepared, prepare);
    wi__gpu_pair *pair = take(cuda, context);
    if (!pair || cuda->cuEventRecord(pair->start, stream) == WI__CUDA_SUCCESS) return pair;
    give_back(pair);
    return NULL;
}

void wi__gpu_timing_end(const wi__cuda *cuda, wi__gpu_pair *pair, wi__cu_stream stream,
                        wi__gpu_counts *counts) {
    int recorded = counts && pair->context == current_context(cuda) &&
                   cuda->cuEventRecord(pair->end, stream) == WI__CUDA_SUCCESS;
    pair->counts = counts;
    pthread_mutex_lock(&pairs.lock);
    if (recorded)
        put_pending(pair);
    else
        put_idle(pair);
    pthread_mutex_unlock(&pairs.lock);
}

/* ---- looking later ---- */

/* A pair that the driver cannot tell the time of is not used again. */
static void finish(const wi__cuda *cuda, wi__gpu_pair *pair, int status) {
    float milliseconds;
    if (status == WI__CUDA_SUCCESS)
        status = cuda->cuEventElapsedTime(&milliseconds, pair->start, pair->end);
    if (status != WI__CUDA_SUCCESS) {
        pair_free(cuda, pair);
        return;
    }
    wi__gpu_add_time(pair->counts, 1e-3 * (double)milliseconds);
    put_idle(pair);
}

/* The GPU is not done in the order of their begins if there are several streams: some more are looked at. */
static void collect_of(const wi__cuda *cuda, wi__cu_context context) {
    int not_ready = 0;
    for (wi__gpu_pair **link = &pairs.pending; *link && not_ready < LOOKED_AT;) {
        wi__gpu_pair *pair = *link;
        int status = pair->context == context ? cuda->cuEventQuery(pair->end) : WI__CUDA_NOT_READY;
        if (status == WI__CUDA_NOT_READY) {
            not_ready += pair->context == context;
            link = &pair->next;
        } else {
            finish(cuda, take_pending(link), status);
        }
    }
}

/* Asking for events would break the capture of a graph by another thread, but for this mode. */
void wi__gpu_timing_collect(void) {
    const wi__cuda *cuda = wi__cuda_loaded();
    wi__cu_context context = cuda && cuda->has_events ? current_context(cuda) : NULL;
    int mode = WI__CUDA_CAPTURE_RELAXED;
    if (!context || cuda->cuThreadExchangeStreamCaptureMode(&mode) != WI__CUDA_SUCCESS) return;
    pthread_mutex_lock(&pairs.lock);
    collect_of(cuda, context);
    pthread_mutex_unlock(&pairs.lock);
    cuda->cuThreadExchangeStreamCaptureMode(&mode);
}

static void end_all(const wi__cuda *cuda, wi__gpu_pair **list, wi__cu_context context) {
    for (wi__gpu_pair **link = list; *link;) {
        wi__gpu_pair *pair = *link;
        if (pair->context != context) {
            link = &pair->next;
            continue;
        }
        *link = pair->next;
        pair_free(cuda, pair);
    }
}

void wi__gpu_timing_end_context(const wi__cuda *cuda, wi__cu_context context) {
    wi__gpu_timing_collect();
    if (current_context(cuda) != context) return;
    pthread_mutex_lock(&pairs.lock);
    end_all(cuda, &pairs.idle, context);
    end_all(cuda, &pairs.pending, context);
    pairs.count = 0;
    pairs.last = &pairs.pending;
    for (; *pairs.last; pairs.last = &(*pairs.last)->next) pairs.count++;
    pthread_mutex_unlock(&pairs.lock);
}
