/*
 * What becomes of an Interrupted that nobody handles, by two of Python's hooks.
 *
 * sys.excepthook, when it has left the program: the process ends by its signal. sys.unraisablehook, when it was raised
 * where exceptions cannot go on, in a callback of the garbage collector for example: it waits again.
 */
#ifndef WITHIN_EXT_STATE_HOOKS_H
#define WITHIN_EXT_STATE_HOOKS_H

#include "module.h"

/** Lay ours over the one in force. @return 0, or -1 with an error set. */
int within_hook_uncaught(within_state *state);
int within_hook_unraisable(within_state *state);

/** Take ours away, unless the program has laid another over it. */
void within_unhook_uncaught(within_state *state);
void within_unhook_unraisable(within_state *state);

#endif
