/*
 * Calls of the core that may raise: its errors become Python's exceptions, and no longjmp crosses a Python frame.
 */
#ifndef WITHIN_EXT_CORE_CALL_H
#define WITHIN_EXT_CORE_CALL_H

#include "module.h"

#include <within/error.h>

/**
 * Run fn(arg) without the GIL. It must touch no Python object.
 *
 * An error that it raises becomes OSError (with errno, as its subclass), ValueError, LookupError, MemoryError,
 * FloatingPointError, ArithmeticError, within.DataError, or RuntimeError; causes and contexts come along, and
 * the exception that is being handled is the last context.
 *
 * @return 0, or -1 with an exception set.
 */
int within_call(void (*fn)(void *arg), void *arg);

/** The same with the GIL held: for what threads of Python change as well, and no lock but the GIL keeps them from. */
int within_call_with_gil(void (*fn)(void *arg), void *arg);

/** Raise an error that wi_call handed out as the exception that it becomes. It is used up. @return -1 */
int within_raise_error(wi_error *error);

#endif
