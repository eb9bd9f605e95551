/* An axis and its ticks. */
#include "cli/runs/ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double wi__axis_place(const wi__axis *axis, double value) {
    if (axis->is_log)
        return (log10(value) - log10(axis->low)) / (log10(axis->high) - log10(axis->low));
    return (value - axis->low) / (axis->high - axis->low);
}

/* ---- labels ---- */

/* "1e-05" is shorter as "1e-5". */
static void shorten_exponent(char *label) {
    char *e = strchr(label, 'e');
    if (!e) return;
    char *to = e + 1, *from = e + 1;
    if (*from == '-') *to++ = *from++;
    while (*from == '+' || (*from == '0' && from[1])) from++;
    memmove(to, from, strlen(from) + 1);
}

/* As many digits as tell a tick from the next one. */
static void write_label(wi__tick *tick, double step, double largest) {
    int digits = (int)ceil(log10(largest / step) - 1e-9) + 1;
    int decimals = (int)ceil(-log10(step) - 1e-9);
    if (fabs(tick->value) < step * 1e-9) tick->value = 0;
    if (largest < 1e6 && step > 0.9e-4)
        snprintf(tick->label, sizeof tick->label, "%.*f", decimals > 0 ? decimals : 0, tick->value);
    else
        snprintf(tick->label, sizeof tick->label, "%.*g", digits < 15 ? digits : 15, tick->value);
    shorten_exponent(tick->label);
}

/* ---- ticks ---- */

static void add_tick(wi__axis *axis, double value, double step, double largest) {
    double slack = 1e-9 * (axis->high - axis->low);
    if (axis->tick_count == WI__TICKS || value < axis->low - slack || value > axis->high + slack)
        return;
    wi__tick *tick = &axis->ticks[axis->tick_count++];
    tick->value = value;
    write_label(tick, step, largest);
}

/* The smallest of 1, 2, 5 times a power of ten that is not below the number. */
static double nice(double number) {
    double power = pow(10, floor(log10(number)));
    double ratio = number / power;
    return power * (ratio <= 1 + 1e-9 ? 1 : ratio <= 2 + 1e-9 ? 2 : ratio <= 5 + 1e-9 ? 5 : 10);
}

static void linear_ticks(wi__axis *axis, int most) {
    double step = nice((axis->high - axis->low) / most);
    double largest = fmax(fabs(axis->low), fabs(axis->high));
    double first = ceil(axis->low / step - 1e-9);
    for (int i = 0; i <= most + 1; i++) add_tick(axis, (first + i) * step, step, largest);
}

static void log_ticks(wi__axis *axis, int most) {
    static const double few[] = {1, 2, 5}, single[] = {1};
    int low = (int)floor(log10(axis->low) + 1e-9), high = (int)ceil(log10(axis->high) - 1e-9);
    int is_short = high - low <= most / 3;
    const double *factors = is_short ? few : single;
    int factor_count = is_short ? 3 : 1, stride = (high - low) / most + 1;
    low -= ((low % stride) + stride) % stride; /* so that 1 is among them */
    for (int power = low; power <= high; power += stride)
        for (int i = 0; i < factor_count; i++) {
            double value = factors[i] * pow(10, power);
            if (value < axis->low * (1 - 1e-9) || value > axis->high * (1 + 1e-9)) continue;
            if (axis->tick_count == WI__TICKS) return;
            wi__tick *tick = &axis->ticks[axis->tick_count++];
            tick->value = value;
            snprintf(tick->label, sizeof tick->label, "%g", value);
            shorten_exponent(tick->label);
        }
}

/* ---- ranges ---- */

static void widen_linear(wi__axis *axis, double margin) {
    double width = axis->high - axis->low;
    if (!(width > fabs(axis->low) * 1e-12)) width = fabs(axis->low) > 0 ? fabs(axis->low) : 1;
    if (!isfinite(width)) return;
    if (!(axis->high > axis->low) && margin <= 0) margin = 0.5;
    axis->low -= margin * width;
    axis->high += margin * width;
}

static void widen_log(wi__axis *axis, double margin) {
    double width = log10(axis->high) - log10(axis->low);
    if (!(width > 1e-12)) {
        width = 1;
        margin = 0.5;
    }
    axis->low = pow(10, log10(axis->low) - margin * width);
    axis->high = pow(10, log10(axis->high) + margin * width);
}

wi__axis wi__axis_for(double low, double high, int is_log, double margin, int most) {
    wi__axis axis = {.low = low, .high = high, .is_log = is_log};
    if (is_log)
        widen_log(&axis, margin);
    else
        widen_linear(&axis, margin);
    if (is_log)
        log_ticks(&axis, most);
    else
        linear_ticks(&axis, most);
    if (is_log && axis.tick_count < 2) { /* less than a decade, and no 1, 2 or 5 in it */
        axis.tick_count = 0;
        linear_ticks(&axis, most);
    }
    return axis;
}
