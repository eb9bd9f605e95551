/* Amounts of memory as people read them, in units of 10^6 bytes. */
#ifndef WITHIN_MANAGE_BYTES_TEXT_H
#define WITHIN_MANAGE_BYTES_TEXT_H

typedef struct wi__amount {
    char text[32];
} wi__amount;

/** "578.7MB"; "unknown" for NaN. */
wi__amount wi__bytes_text_of(double bytes);
/** The same with its sign: "+128.5MB". */
wi__amount wi__signed_bytes_text(double bytes);

#endif
