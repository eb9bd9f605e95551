/*
 * Where in the program an instruction is: "in step+0x1f (solver)".
 */
#ifndef WITHIN_MANAGE_CODE_PLACE_H
#define WITHIN_MANAGE_CODE_PLACE_H

#include <stddef.h>

enum { WI__CODE_PLACE = 256 }; /* bytes that are always enough to be worth reading */

/**
 * Say in which function an instruction is, by the symbols of its program or library: static functions too,
 * unless they were stripped.
 *
 * @param[out] text  "in step+0x1f (solver)"; "in solver+0x11f3" if no function is known there, for
 *                   addr2line; "at 0x7f32a010" if the code is of no file. Cut to size - 1 bytes.
 *
 * It reads the file and allocates no memory.
 */
void wi__code_place(const void *instruction, char *text, size_t size);

#endif
