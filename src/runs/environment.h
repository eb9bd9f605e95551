/* What a run ran on: rows of its environment, noted by a thread of its own, as git may take long. */
#ifndef WITHIN_RUNS_ENVIRONMENT_H
#define WITHIN_RUNS_ENVIRONMENT_H

typedef struct wi__environment wi__environment;

/**
 * Begin to note processor, cores, system, GPUs and the git commit of the working folder.
 *
 * @param notes  must stay open until the end.
 * @return NULL: errno says why.
 */
wi__environment *wi__environment_begin(int notes);
/** End: git gets a moment to answer, then none. */
void wi__environment_end(wi__environment *environment);

#endif
