/* Amounts of memory as people read them, in units of 10^6 bytes. */
#ifndef WITHIN_MANAGE_MEGABYTES_H
#define WITHIN_MANAGE_MEGABYTES_H

typedef struct wi__amount {
    char text[32];
} wi__amount;

/** "578.7MB"; "unknown" for NaN. */
wi__amount wi__megabytes_text(double bytes);
/** The same with its sign: "+128.5MB". */
wi__amount wi__signed_megabytes_text(double bytes);

#endif
