/*
 * Words of a manifest: names in which everything but plain letters is escaped, and numbers, whatever the locale.
 */
#ifndef WITHIN_MANAGE_MANIFEST_TEXT_H
#define WITHIN_MANAGE_MANIFEST_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Write a name: blanks, control characters and the backslash as "\x20"; bytes outside ASCII as they are. */
void wi__print_name(FILE *stream, const char *name);
/** Write a number with as few digits as bring it back exactly, "nan" or "inf". */
void wi__print_real(FILE *stream, double value);

/** What is still to be read of a text, which ends with the byte before `end`. */
typedef struct wi__words {
    const char *at, *end;
} wi__words;

/* Each takes one thing off the text. @return 1, or 0 when it is not there; then nothing more is to be taken. */

int wi__take_text(wi__words *words, const char *text);
/** Up to the next blank or line end, and not empty; at most size bytes with the '\0'. */
int wi__take_name(wi__words *words, char *name, size_t size);
int wi__take_real(wi__words *words, double *value);
int wi__take_number(wi__words *words, uint64_t *value);
int wi__take_signed(wi__words *words, int64_t *value);
/** Eight lower-case hexadecimal digits. */
int wi__take_hex(wi__words *words, uint32_t *value);

#endif
