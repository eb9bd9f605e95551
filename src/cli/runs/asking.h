/* Asking before something is done that cannot be undone. */
#ifndef WITHIN_CLI_RUNS_ASKING_H
#define WITHIN_CLI_RUNS_ASKING_H

/** Is there somebody who can be asked, or does `yes` say that it is not needed? Else WI__STATUS_USAGE, which is said. */
int wi__check_for_answers(const char *command, int yes);
/** Reads the answer to the question that was printed on stderr; without one it is no. */
int wi__is_answered_yes(void);

#endif
