/* The stand-in's frame: counting calls, failing, cuInit, and names of errors. */
#include "standin.h"

#include <string.h>
#include <unistd.h>

int cuInit(unsigned flags);
int cuGetErrorName(int status, const char **name);
int cuDriverGetVersion(int *version);

pthread_mutex_t standin_lock = PTHREAD_MUTEX_INITIALIZER;
standin_device standin_devices[GPUS];
__thread standin_device *standin_current;

enum { FUNCTIONS = 64 };
static struct {
    const char *name;
    int calls, status, after;
} functions[FUNCTIONS];
static pid_t initialized_by;

/* ---- counting and failing ---- */

static int number_of(const char *function) {
    int i = 0;
    while (i < FUNCTIONS - 1 && functions[i].name && strcmp(functions[i].name, function) != 0) i++;
    functions[i].name = function;
    return i;
}

void standin_fail(const char *function, int status, int after) {
    pthread_mutex_lock(&standin_lock);
    int i = number_of(function);
    functions[i].status = status;
    functions[i].after = functions[i].calls + after;
    pthread_mutex_unlock(&standin_lock);
}

int standin_calls(const char *function) {
    pthread_mutex_lock(&standin_lock);
    int calls = functions[number_of(function)].calls;
    pthread_mutex_unlock(&standin_lock);
    return calls;
}

/* CUDA does not work in a child that its parent forked after cuInit. */
int standin_begin(const char *function) {
    pthread_mutex_lock(&standin_lock);
    int i = number_of(function), fails = functions[i].calls++ >= functions[i].after;
    int status = fails ? functions[i].status : SUCCESS;
    if (!status && initialized_by != getpid()) status = NOT_INITIALIZED;
    pthread_mutex_unlock(&standin_lock);
    return status;
}

/* ---- what needs no cuInit before it ---- */

int cuInit(unsigned flags) {
    int status = standin_begin(__func__);
    if (status != NOT_INITIALIZED) return status;
    if (flags) return INVALID_VALUE;
    if (!initialized_by) initialized_by = getpid();
    return initialized_by == getpid() ? SUCCESS : NOT_INITIALIZED;
}

int cuDriverGetVersion(int *version) {
    *version = 12040;
    return SUCCESS;
}

int cuGetErrorName(int status, const char **name) {
    static const struct {
        int status;
        const char *name;
    } names[] = {
        {SUCCESS, "CUDA_SUCCESS"},
        {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
        {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"},
        {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},
        {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
        {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
        {NOT_READY, "CUDA_ERROR_NOT_READY"},
        {719, "CUDA_ERROR_LAUNCH_FAILED"},
    };
    *name = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status) *name = names[i].name;
    return *name ? SUCCESS : INVALID_VALUE;
}
