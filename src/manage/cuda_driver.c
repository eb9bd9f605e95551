/* The CUDA driver, found among the libraries that the process has loaded. */
#include "manage/cuda_driver.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "manage/loaded_libraries.h"

wi_define_error(WI_CUDA_ERROR, WI_ERROR);

/* 0 if one is missing. */
static int find_all(void *library, wi__cuda *cuda) {
#define FIND(name, parameters) cuda->name = (int(*) parameters)dlsym(library, #name);
    WI__CUDA_FUNCTIONS(FIND)
    WI__CUDA_EVENT_FUNCTIONS(FIND)
    WI__CUDA_POOL_FUNCTIONS(FIND)
#undef FIND
#define IS_THERE(name, parameters) &&cuda->name
    cuda->has_events = 1 WI__CUDA_EVENT_FUNCTIONS(IS_THERE);
    cuda->has_pools = 1 WI__CUDA_POOL_FUNCTIONS(IS_THERE);
    return 1 WI__CUDA_FUNCTIONS(IS_THERE);
#undef IS_THERE
}

static wi__cuda *find_driver(void) {
    void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (!library) return NULL;
    wi__cuda *cuda = malloc(sizeof *cuda);
    if (cuda && find_all(library, cuda)) return cuda; /* the library stays: it is in use */
    free(cuda);
    dlclose(library);
    return NULL;
}

/* Looked for again only when another library was loaded since: a look takes the loader to the disk. */
static wi__cuda *look(void) {
    static unsigned long long in_vain;
    unsigned long long loaded = wi__libraries_loaded();
    if (loaded == __atomic_load_n(&in_vain, __ATOMIC_RELAXED)) return NULL;
    wi__cuda *cuda = find_driver();
    if (!cuda) __atomic_store_n(&in_vain, loaded, __ATOMIC_RELAXED);
    return cuda;
}

const wi__cuda *wi__cuda_loaded(void) {
    static wi__cuda *known;
    wi__cuda *cuda = __atomic_load_n(&known, __ATOMIC_ACQUIRE), *first = NULL;
    if (cuda) return cuda;
    cuda = look();
    if (!cuda ||
        __atomic_compare_exchange_n(&known, &first, cuda, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return cuda;
    free(cuda); /* another thread has found it too */
    return first;
}

const wi__cuda *wi__cuda_needed(void) {
    const wi__cuda *cuda = wi__cuda_loaded();
    if (!cuda) wi_raise(WI_CUDA_ERROR, "the process has no CUDA driver loaded");
    return cuda;
}

void wi__cuda_check(const wi__cuda *cuda, int status, const char *format, ...) {
    if (status == WI__CUDA_SUCCESS) return;
    char what[256];
    const char *name = NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (cuda->cuGetErrorName(status, &name) != WI__CUDA_SUCCESS || !name)
        wi_raise(WI_CUDA_ERROR, "%s: error %d of the CUDA driver", what, status);
    wi_raise(WI_CUDA_ERROR, "%s: %s", what, name);
}
