/* Finding OpenMP, OpenBLAS, MKL and BLIS among the loaded libraries, and what to call in them. */
#include "manage/thread_libraries.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <within/macros.h>

/* ---- what they call it: as threadpoolctl knows them ---- */

static const struct {
    const char *get, *set;
    wi__thread_kind kind;
} names[] = {
    {"omp_get_max_threads", "omp_set_num_threads", WI__OPENMP},
    {"MKL_Get_Max_Threads", "MKL_Set_Num_Threads_Local", WI__MKL},
    {"bli_thread_get_num_threads", "bli_thread_set_num_threads", WI__BLIS},
    {"openblas_get_num_threads", "openblas_set_num_threads", WI__OPENBLAS},
    {"openblas_get_num_threads64_", "openblas_set_num_threads64_", WI__OPENBLAS},
    {"openblas_get_num_threads_64", "openblas_set_num_threads_64", WI__OPENBLAS},
    {"scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads", WI__OPENBLAS},
    {"scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_", WI__OPENBLAS},
    {"scipy_openblas_get_num_threads_64", "scipy_openblas_set_num_threads_64", WI__OPENBLAS},
};

static const char *const parallel_names[] = {
    "openblas_get_parallel",          "openblas_get_parallel64_",
    "openblas_get_parallel_64",       "scipy_openblas_get_parallel",
    "scipy_openblas_get_parallel64_", "scipy_openblas_get_parallel_64",
};

/* The program itself is looked at too, and has no name. Looking into all libraries would cost a millisecond. */
static int may_be_one(const char *path) {
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    static const char *const begins[] = {"libgomp", "libomp", "libiomp", "libnvomp"};
    static const char *const parts[] = {"blas", "blis", "mkl"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(file, begins[i], strlen(begins[i])) == 0) return 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(file, parts[i])) return 1;
    return !*file;
}

/* ---- calling them ---- */

typedef union function {
    void *found;
    int (*get)(void);
    int (*set)(
        int); /* MKL's alone returns anything: this thread's number before, 0 for the process's */
    void (*set_of_blis)(
        int64_t); /* a build may have 32 bits there, which are the lower half of the register */
} function;

static int get_number(const wi__thread_library *library) {
    function get = {.found = library->get};
    return get.get();
}

static int set_number(const wi__thread_library *library, int n) {
    function set = {.found = library->set};
    if (library->kind == WI__MKL) return set.set(n);
    if (library->kind == WI__BLIS)
        set.set_of_blis(n);
    else
        set.set(n);
    return 0;
}

int wi__thread_library_exchange(const wi__thread_library *library, int n) {
    if (library->kind == WI__MKL) return set_number(library, n);
    int before = get_number(library);
    set_number(library, n);
    return before;
}

/* ---- whose number it is ---- */

typedef struct trial {
    const wi__thread_library *library;
    int there; /* the number that another thread sees */
} trial;

static void *look_there(void *arg) {
    trial *of = arg;
    of->there = get_number(of->library);
    return NULL;
}

/* BLIS keeps one for the process, or in newer versions one for each thread: does another thread see it? */
static int is_of_thread_by_trial(const wi__thread_library *library) {
    int before = get_number(library), tried = before > 0 ? before + 1 : 1;
    trial of = {library, tried};
    pthread_t other;
    set_number(library, tried);
    if (pthread_create(&other, NULL, look_there, &of) == 0) pthread_join(other, NULL);
    set_number(library, before);
    return of.there != tried;
}

static int is_of_thread(const wi__thread_library *library) {
    static void *tried; /* the answer for one BLIS; programs that have two ask each time */
    static int answer;
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    if (library->kind != WI__BLIS) return library->kind != WI__OPENBLAS;
    pthread_mutex_lock(&mutex);
    if (tried != library->set) answer = is_of_thread_by_trial(library);
    tried = library->set;
    int result = answer;
    pthread_mutex_unlock(&mutex);
    return result;
}

/* An OpenBLAS that was built with OpenMP asks OpenMP for the number at each call. */
static int goes_by_openmp(void *handle) {
    for (size_t i = 0; i < sizeof parallel_names / sizeof *parallel_names; i++) {
        function get_parallel = {.found = dlsym(handle, parallel_names[i])};
        if (get_parallel.found) return get_parallel.get() == 2;
    }
    return 0;
}

/* ---- finding them ---- */

typedef struct candidate {
    struct candidate *next;
    char path[]; /* empty for the program */
} candidate;

typedef struct candidates {
    candidate *first;
} candidates;

/* The list must not be looked into here: the linker's lock is held. */
static int note_candidate(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size;
    candidates *list = arg;
    if (!may_be_one(info->dlpi_name)) return 0;
    size_t length = strlen(info->dlpi_name) + 1;
    candidate *noted = malloc(sizeof *noted + length);
    if (!noted) return ENOMEM;
    memcpy(noted->path, info->dlpi_name, length);
    noted->next = list->first;
    list->first = noted;
    return 0;
}

/* A library is found again by way of others that are linked to it. */
static int is_known(const wi__thread_library *libraries, const void *set) {
    while (libraries && libraries->set != set) libraries = libraries->next;
    return libraries != NULL;
}

static void *open_loaded(const char *path) {
    return dlopen(*path ? path : NULL, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
}

/* The file that has the function may be another: one that is linked to it, or that all may use. */
static void *keep_loaded(const char *path, const void *symbol) {
    Dl_info info;
    void *handle = dladdr(symbol, &info) && info.dli_fname ? open_loaded(info.dli_fname) : NULL;
    return handle ? handle : open_loaded(path);
}

static int add(wi__thread_library **libraries, const char *path, wi__thread_library found) {
    wi__thread_library *added = malloc(sizeof *added);
    if (!added) return ENOMEM;
    *added = found;
    added->handle = keep_loaded(path, found.set);
    added->is_of_thread = is_of_thread(added);
    added->next = *libraries;
    *libraries = added;
    return 0;
}

static int look_into(const char *path, wi__thread_library **libraries) {
    int error = 0;
    void *handle = open_loaded(path);
    if (!handle) return 0; /* unloaded meanwhile, or vdso */
    for (size_t i = 0; i < sizeof names / sizeof *names && !error; i++) {
        wi__thread_library found = {.kind = names[i].kind,
                                    .get = dlsym(handle, names[i].get),
                                    .set = dlsym(handle, names[i].set)};
        if (!found.get || !found.set || is_known(*libraries, found.set)) continue;
        if (found.kind == WI__OPENBLAS && goes_by_openmp(handle)) continue;
        error = add(libraries, path, found);
    }
    dlclose(handle);
    return error;
}

int wi__thread_libraries_find(wi__thread_library **libraries) {
    candidates list = {NULL};
    *libraries = NULL;
    int error = dl_iterate_phdr(note_candidate, &list);
    while (list.first) {
        candidate *next = list.first->next;
        if (!error) error = look_into(list.first->path, libraries);
        free(list.first);
        list.first = next;
    }
    if (error) wi__thread_libraries_free(*libraries);
    return error;
}

void wi__thread_libraries_free(wi__thread_library *libraries) {
    while (libraries) {
        wi__thread_library *next = libraries->next;
        dlclose(libraries->handle);
        free(libraries);
        libraries = next;
    }
}
