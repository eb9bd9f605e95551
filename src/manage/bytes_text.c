/* Amounts of memory, written. */
#include "manage/bytes_text.h"

#include <math.h>
#include <stdio.h>

static wi__amount written(double bytes, const char *format) {
    wi__amount amount = {"unknown"};
    if (!isnan(bytes)) snprintf(amount.text, sizeof amount.text, format, bytes / 1e6);
    return amount;
}

wi__amount wi__bytes_text_of(double bytes) { return written(bytes, "%.1fMB"); }
wi__amount wi__signed_bytes_text(double bytes) { return written(bytes, "%+.1fMB"); }
