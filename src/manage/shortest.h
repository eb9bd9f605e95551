/*
 * Numbers as their shortest decimal text that reads back as the same number, whatever the locale.
 *
 * As Python's repr: 1.0, 0.1, 1e+16, 1e-05, -0.0, nan, inf.
 */
#ifndef WITHIN_MANAGE_SHORTEST_H
#define WITHIN_MANAGE_SHORTEST_H

#include <stdint.h>

#include <within/macros.h>

enum { WI__NUMBER_MOST = 32 }; /* room for any of these texts, in bytes */

/**
 * Write a number as text, without a '\0'.
 *
 * @param[out] at  room for WI__NUMBER_MOST bytes.
 * @return the text's end.
 *
 * Method of the floating-point ones: R. Giulietti, The Schubfach way to render doubles, 2020.
 */
WI_API char *wi__write_double(char *at, double value);
/** The shortest text that reads back as this float, which may be shorter than that of the same double. */
char *wi__write_float(char *at, float value);
char *wi__write_int(char *at, int64_t value);
WI_API char *wi__write_uint(char *at, uint64_t value);

#endif
