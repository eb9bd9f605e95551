/*
 * Values in JSON. Texts keep every character; bytes that are no UTF-8 are shown like \xff. Numbers are the shortest
 * that read back as the same; a NaN is null, an infinity a number that is read as one: 1e999.
 */
#ifndef WITHIN_CLI_RUNS_JSON_H
#define WITHIN_CLI_RUNS_JSON_H

#include <stdint.h>
#include <stdio.h>

void wi__json_text(FILE *out, const char *text);
void wi__json_number(FILE *out, double number);
/** A member of an object, with the comma before it unless it is the first: "key": … */
void wi__json_key(FILE *out, int is_first, const char *key);
/** Members behind others. A text of "" is null. */
void wi__json_text_member(FILE *out, const char *key, const char *text);
void wi__json_number_member(FILE *out, const char *key, double number);
void wi__json_integer_member(FILE *out, const char *key, int64_t number);
/** When: "2025-03-01T14:04:11.123Z". */
void wi__json_moment_member(FILE *out, const char *key, int64_t ms);

#endif
