/* The libraries in this process that have a number of threads to set. */
#ifndef WITHIN_MANAGE_THREAD_LIBRARIES_H
#define WITHIN_MANAGE_THREAD_LIBRARIES_H

typedef enum wi__thread_kind { WI__OPENMP, WI__OPENBLAS, WI__MKL, WI__BLIS } wi__thread_kind;

typedef struct wi__thread_library {
    struct wi__thread_library *next;
    wi__thread_kind kind;
    void *handle; /* keeps it loaded */
    void *get, *set;
    int is_of_thread; /* the number belongs to the thread that sets it, not to the process */
    int before;       /* what is to be put back */
} wi__thread_library;

/**
 * Find those that are loaded, however they were; none is loaded for it.
 *
 * @param[out] libraries  to be freed; NULL if there are none.
 * @return 0, or an errno value: no memory.
 */
int wi__thread_libraries_find(wi__thread_library **libraries);
void wi__thread_libraries_free(wi__thread_library *libraries);

/** Set the number of threads, of this thread or of all. @return what puts the number back that was before. */
int wi__thread_library_exchange(const wi__thread_library *library, int n);

#endif
