/* Numbers as text. */
#include "report/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A number with so many significant digits; the limits are where rounding gives one digit more. */
static wi__number digits(double value, int significant, const char *unit) {
    wi__number number;
    int decimals = significant - 1;
    for (double limit = 10; decimals > 0 && value >= limit - 0.5 * pow(10, -decimals); limit *= 10)
        decimals--;
    snprintf(number.text, sizeof number.text, "%.*f%s", decimals, value, unit);
    return number;
}

/* "1,234,567" */
static wi__number grouped(uint64_t count, const char *unit) {
    wi__number number;
    char plain[24];
    int length = snprintf(plain, sizeof plain, "%" PRIu64, count), used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) number.text[used++] = ',';
        number.text[used++] = plain[i];
    }
    snprintf(number.text + used, sizeof number.text - (size_t)used, "%s", unit);
    return number;
}

wi__number wi__seconds_text(double seconds) {
    static const struct {
        double scale;
        const char *unit;
    } small[] = {{1e9, " ns"}, {1e6, " us"}, {1e3, " ms"}};
    if (isnan(seconds)) return (wi__number){"-"};
    if (seconds <= 0) return (wi__number){"0 s"};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (seconds * small[i].scale < 999.5)
            return digits(seconds * small[i].scale, 3, small[i].unit);
    if (seconds < 9999.5) return digits(seconds, 4, " s");
    return grouped(seconds < 1e15 ? (uint64_t)(seconds + 0.5) : (uint64_t)1e15, " s");
}

wi__number wi__count_text(uint64_t count) {
    static const struct {
        double scale;
        const char *unit;
    } large[] = {{1e6, "M"}, {1e9, "G"}, {1e12, "T"}, {1e15, "P"}, {1e18, "E"}};
    if (count < 10000000) return grouped(count, "");
    size_t i = 0;
    while (i < 4 && (double)count / large[i].scale >= 999.5) i++;
    return digits((double)count / large[i].scale, 3, large[i].unit);
}

wi__number wi__bytes_text(uint64_t bytes) {
    static const char *const units[] = {" kB", " MB", " GB", " TB", " PB", " EB"};
    if (bytes < 1000) return grouped(bytes, " B");
    double value = (double)bytes / 1000;
    size_t i = 0;
    for (; i < 5 && value >= 999.5; i++) value /= 1000;
    return digits(value, 3, units[i]);
}

wi__number wi__signed_bytes_text(double bytes) {
    if (isnan(bytes)) return (wi__number){"-"};
    wi__number size = wi__bytes_text((uint64_t)fabs(bytes)), number;
    snprintf(number.text, sizeof number.text, "%s%.24s", bytes < 0 ? "-" : "+", size.text);
    return number;
}

wi__number wi__percent_text(double percent) {
    wi__number number;
    if (isnan(percent)) return (wi__number){"-"};
    snprintf(number.text, sizeof number.text, "%.1f", percent);
    return number;
}

/* Years that do not fit are of a damaged record. */
static wi__number moment(uint64_t realtime_ns, const char *format, int utc, const char *after) {
    wi__number number = {"?"};
    time_t seconds = (time_t)(realtime_ns / 1000000000u);
    struct tm parts;
    if (!(utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts))) return number;
    size_t used = strftime(number.text, sizeof number.text, format, &parts);
    if (used) snprintf(number.text + used, sizeof number.text - used, "%s", after);
    return number;
}

wi__number wi__moment_text(uint64_t realtime_ns) {
    return moment(realtime_ns, "%Y-%m-%d %H:%M:%S", 0, "");
}

wi__number wi__time_of_day_text(uint64_t realtime_ns) {
    char part[8];
    snprintf(part, sizeof part, ".%03u", (unsigned)(realtime_ns / 1000000u % 1000u));
    return moment(realtime_ns, "%H:%M:%S", 0, part);
}

wi__number wi__moment_utc_text(uint64_t realtime_ns) {
    char part[12];
    snprintf(part, sizeof part, ".%06uZ", (unsigned)(realtime_ns / 1000u % 1000000u));
    return moment(realtime_ns, "%Y-%m-%dT%H:%M:%S", 1, part);
}
