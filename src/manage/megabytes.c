/* Amounts of memory, written: with a point in every locale, and without a "-0.0". */
#include "manage/megabytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static wi__amount written(double bytes, const char *plus) {
    wi__amount amount = {"unknown"};
    if (isnan(bytes)) return amount;
    long long tenths = llround(bytes / 1e5), size = llabs(tenths);
    snprintf(amount.text, sizeof amount.text, "%s%lld.%lldMB", tenths < 0 ? "-" : plus, size / 10,
             size % 10);
    return amount;
}

wi__amount wi__megabytes_text(double bytes) { return written(bytes, ""); }
wi__amount wi__signed_megabytes_text(double bytes) { return written(bytes, "+"); }
