/*
 * Text on a terminal: how wide it is, how it is shortened, and that nothing in it moves the cursor.
 */
#ifndef WITHIN_REPORT_UTF8_H
#define WITHIN_REPORT_UTF8_H

#include <stddef.h>
#include <stdio.h>

/** Bytes of the first character of a text that is not empty; 0 if it is no UTF-8, and then one byte of it is wrong. */
size_t wi__character_bytes(const char *text);

/** Columns that UTF-8 text takes: 2 for wide characters, 0 for combining ones. */
int wi__text_width(const char *text);

/** Print text, its middle replaced by "…" if it is wider than `width`. @return the columns printed. */
int wi__print_shortened(FILE *out, const char *text, int width);

/**
 * Copy text, with bytes that are control characters or no UTF-8 as "\x1b". What is printable already is
 * not changed. The copy is cut at the end when the buffer is too small, never inside a character.
 */
void wi__printable(char *buffer, size_t size, const char *text);

#endif
