/* C functions with blocks in them, for the C++ test to throw through. */
#ifndef WITHIN_TEST_CPP_FRAMES_H
#define WITHIN_TEST_CPP_FRAMES_H

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*c_note)(const char *words);
typedef void (*c_callback)(void *arg);

/* Call back inside within, wi_use, wi_suppress, wi_try and a catch; `note` hears of each exit. */
void call_in_c_blocks(c_callback callback, void *arg, c_note note);
/* Raise a WI_VALUE_ERROR through a block. */
void raise_in_c(void *note);

#ifdef __cplusplus
}
#endif

#endif
