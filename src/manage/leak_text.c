/* Verdicts, written. */
#include "manage/leak_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

wi__number_text wi__whole_text(double value) {
    wi__number_text number;
    char digits[40];
    int length = snprintf(digits, sizeof digits, "%.0f", value), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) number.text[at++] = ',';
        number.text[at++] = digits[i];
    }
    number.text[at] = '\0';
    return number;
}

wi__number_text wi__memory_text(double value) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    wi__number_text number;
    int unit = 0;
    for (; value >= 1000 && unit < 4; unit++) value /= 1000;
    snprintf(number.text, sizeof number.text, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return number;
}

void wi__duration_text(char *text, size_t size, double seconds) {
    double minutes = floor(seconds / 60 + 0.5), hours = floor(minutes / 60);
    text[0] = '\0';
    if (!(seconds < 10000. * 86400)) return;
    if (seconds < 90)
        snprintf(text, size, "%.0f s", seconds);
    else if (minutes < 60)
        snprintf(text, size, "%.0f min", minutes);
    else if (hours < 48)
        snprintf(text, size, "%.0f h %.0f min", hours, minutes - 60 * hours);
    else
        snprintf(text, size, "%s days", wi__whole_text(seconds / 86400).text);
}

/* "+3.0 descriptors a call", "+1 descriptor every 25 calls", "+1.2 MB a call of resident memory". */
static int rate_text(char *text, size_t size, const wi__counter *counter, double per_call) {
    if (counter->is_bytes)
        return snprintf(text, size, "+%s a call of %s", wi__memory_text(per_call).text,
                        counter->many);
    if (per_call < 0.1)
        return snprintf(text, size, "+1 %s every %s calls", counter->one,
                        wi__whole_text(1 / per_call).text);
    if (per_call < 1000) return snprintf(text, size, "+%.1f %s a call", per_call, counter->many);
    return snprintf(text, size, "+%s %s a call", wi__whole_text(per_call).text, counter->many);
}

static void wall_text(char *text, size_t size, const wi__counter *counter,
                      const wi__leak_growth *growth, int64_t limit) {
    char time[48];
    double call = (double)growth->call + wi__leak_calls_left(growth, limit);
    wi__duration_text(time, sizeof time, wi__leak_seconds_left(growth, limit));
    text[0] = '\0';
    if (!*time) return;
    wi__number_text of =
        counter->is_bytes ? wi__memory_text((double)limit) : wi__whole_text((double)limit);
    snprintf(text, size, "; limit %s reached in about %s (call %s)", of.text, time,
             wi__whole_text(call).text);
}

void wi__leak_text(char *text, size_t size, const wi__counter *counter,
                   const wi__leak_growth *growth, int64_t limit) {
    char rate[160], wall[192] = "";
    rate_text(rate, sizeof rate, counter, growth->per_call);
    if (limit != WI__ABSENT) wall_text(wall, sizeof wall, counter, growth, limit);
    snprintf(text, size, "%s since call %s%s", rate,
             wi__whole_text((double)growth->since_call).text, wall);
}
