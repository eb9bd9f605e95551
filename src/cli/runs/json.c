/* Values in JSON. */
#include "cli/runs/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "manage/shortest.h"
#include "report/units.h"
#include "report/utf8.h"

void wi__json_text(FILE *out, const char *text) {
    fputc('"', out);
    while (*text) {
        size_t bytes = wi__character_bytes(text);
        unsigned char byte = (unsigned char)*text;
        if (!bytes)
            fprintf(out, "\\\\x%02x", byte);
        else if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7F)
            fprintf(out, "\\u%04x", byte);
        else
            fwrite(text, 1, bytes, out);
        text += bytes ? bytes : 1;
    }
    fputc('"', out);
}

void wi__json_number(FILE *out, double number) {
    char text[WI__NUMBER_MOST];
    if (isnan(number))
        fputs("null", out);
    else if (isinf(number))
        fputs(number > 0 ? "1e999" : "-1e999", out);
    else
        fwrite(text, 1, (size_t)(wi__write_double(text, number) - text), out);
}

void wi__json_key(FILE *out, int is_first, const char *key) {
    if (!is_first) fputs(", ", out);
    wi__json_text(out, key);
    fputs(": ", out);
}

void wi__json_text_member(FILE *out, const char *key, const char *text) {
    wi__json_key(out, 0, key);
    if (*text)
        wi__json_text(out, text);
    else
        fputs("null", out);
}

void wi__json_number_member(FILE *out, const char *key, double number) {
    wi__json_key(out, 0, key);
    wi__json_number(out, number);
}

void wi__json_integer_member(FILE *out, const char *key, int64_t number) {
    wi__json_key(out, 0, key);
    fprintf(out, "%" PRId64, number);
}

void wi__json_moment_member(FILE *out, const char *key, int64_t ms) {
    char text[40];
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    wi__json_key(out, 0, key);
    if (ms < 0 || !gmtime_r(&seconds, &parts)) {
        fputs("null", out);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    fprintf(out, "\"%s.%03dZ\"", text, (int)(ms % 1000));
}
