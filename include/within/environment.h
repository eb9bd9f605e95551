/*
 * Environment variables for a block.
 *
 *     within (wi_environment({"OMP_NUM_THREADS", "4"}, {"DEBUG", NULL})) { system("./solve"); }
 *
 * The block's end restores the whole environment, whoever has changed it in the block, by setenv, unsetenv, putenv or
 * clearenv: every variable's value, those that were not set, and the order of `environ`. wi_environment() sets nothing
 * and only restores.
 *
 * Pointers that getenv gave before the block are good after it. One that it gave in the block stays readable for
 * ever, but another block may write its own value there.
 */
#ifndef WITHIN_ENVIRONMENT_H
#define WITHIN_ENVIRONMENT_H

#include <stddef.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

typedef struct wi_variable {
    const char *name;
    const char *value; /* NULL: the variable is not set in the block */
} wi_variable;

enum { WI__VARIABLES_LISTED = 16 };

typedef struct wi__variables {
    wi_variable listed[WI__VARIABLES_LISTED];
} wi__variables;

typedef struct wi_environment {
    const wi_protocol *protocol;
    const wi_variable *variables; /* NULL: the listed ones */
    size_t count;
    wi__variables given;
    struct wi__environ_block *open; /* NULL outside of the block */
    wi_holding holding;
} wi_environment;

/**
 * Set and unset variables for a block: wi_environment({"NAME", "value"}, {"OTHER", NULL}), at most 16.
 *
 * Blocks may end in any order, by exit stacks or on several threads. What a block and those who came after it have
 * changed is undone by its end, except what was changed again since a newer block began, which is that one's; when
 * the last has ended, all is as it was before the first. In a child forked inside a block its end restores the
 * child's own environment.
 *
 * @param ...  names and values, borrowed until the block begins. Of a name that comes twice the last value counts.
 * @raise on enter WI_VALUE_ERROR if a name is NULL, empty, or has a '=' in it; WI_MEMORY_ERROR; WI_USAGE_ERROR if
 *        this manager is open already. The environment is untouched then.
 * @raise on exit WI_MEMORY_ERROR, when there was no memory to restore what the body had put in order.
 *
 * Strings that the program gave to putenv before the block must live until it has ended.
 *
 * Threads: the environment is the process's, and C has no lock for it: as with setenv, no other thread may use
 * getenv, setenv and their like while a block begins or ends. Cost: some microseconds for a hundred variables; memory
 * for one copy of the environment for each open block, and none that grows with the number of blocks.
 */
#define wi_environment(...)                                                                        \
    (__extension__({                                                                               \
        WI__LIST_FITS(__VA_ARGS__);                                                                \
        wi__environment(WI__FIELDS_MAY_BE_MISSING(wi__variables, {{__VA_ARGS__}}));                \
    }))

/**
 * The same for a list that is made at run time.
 *
 * @param variables  array of shape (count,), borrowed until the block begins; may be NULL when count is 0.
 */
WI_API wi_environment wi_environment_of(const wi_variable *variables, size_t count);

/* ---- behind the macro ---- */

WI_API wi_environment wi__environment(wi__variables variables);

/* Too many are an error in C++ already, and a warning in C. */
#ifdef __cplusplus
#define WI__LIST_FITS(...)
#else
#define WI__LIST_FITS(...)                                                                         \
    _Static_assert(sizeof((const wi_variable[]){{NULL, NULL}, ##__VA_ARGS__}) <=                   \
                       sizeof(wi__variables) + sizeof(wi_variable),                                \
                   "wi_environment has room for 16 variables: use wi_environment_of")
#endif

WI__END_DECLS

#endif
