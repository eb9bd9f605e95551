/*
 * The bit error rate of BPSK over an AWGN channel, by Monte Carlo, held against the closed form.
 *
 * A bit is sent as +1 or -1 and received with Gaussian noise of variance N0/2 on top; the detector takes
 * the sign. With Eb/N0 the signal-to-noise ratio per bit, errors occur at the rate ½·erfc(√(Eb/N0))
 * (Proakis & Salehi, Digital Communications, 5th ed., 2008, eq. 4.3-13).
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <within.h>

#include "options.h"
#include "random.h"

enum { BLOCK = 4096 }; /* symbols that are simulated at a time */

typedef struct radio_link {
    random_state random;
    double noise; /* standard deviation of the noise on a symbol of energy 1 */
    unsigned char sent[BLOCK], detected[BLOCK];
    double symbols[BLOCK];
} radio_link;

typedef struct bit_count {
    long bits;
    long errors;
} bit_count;

/* A CSV file as a block: closed on every way out, its write errors noticed. */
wi_generator(csv_file, const char *path; FILE *stream; wi_holding holding) {
    wi_begin;
    self->stream = wi_check_null(fopen(self->path, "w"), "open %s", self->path);
    self->holding = wi_hold("file", "%s", self->path);
    fputs("snr,ber\n", self->stream);
    wi_yield;
    wi_let_go(self->holding);
    bool failed = ferror(self->stream);
    if (fclose(self->stream) || failed) wi_raise_errno(errno, "write %s", self->path);
}

/* One block of bits through transmitter, channel and detector. */
static void simulate_block(radio_link *link, bit_count *count) {
    within (wi_section("generate")) {
        for (int i = 0; i < BLOCK; i++) link->sent[i] = random_bit(&link->random);
    }
    within (wi_section("modulate")) {
        for (int i = 0; i < BLOCK; i++) link->symbols[i] = link->sent[i] ? -1.0 : 1.0;
    }
    within (wi_section("channel")) {
        for (int i = 0; i < BLOCK; i++)
            link->symbols[i] += link->noise * random_normal(&link->random);
    }
    within (wi_section("detect")) {
        for (int i = 0; i < BLOCK; i++) link->detected[i] = link->symbols[i] < 0;
        for (int i = 0; i < BLOCK; i++) count->errors += link->detected[i] != link->sent[i];
        count->bits += BLOCK;
    }
}

static double energy_ratio(double snr_db) { return pow(10, snr_db / 10); }

static double closed_form(double snr_db) { return 0.5 * erfc(sqrt(energy_ratio(snr_db))); }

static void show_progress(const ber_options *options, double snr_db, double done) {
    if (!isatty(STDERR_FILENO)) return;
    double whole = (snr_db - options->snr_min_db + done * options->snr_step_db) /
                   (options->snr_max_db - options->snr_min_db + options->snr_step_db);
    fprintf(stderr, "\rEb/N0 %5.1f dB  %3.0f %%", snr_db, 100 * whole);
    if (whole >= 1) fputs("\r                       \r", stderr);
}

static bit_count measure(radio_link *link, double snr_db, const ber_options *options) {
    bit_count count = {0, 0};
    link->noise = sqrt(0.5 / energy_ratio(snr_db));
    within (wi_section("snr")) {
        for (long block = 0; count.bits < options->bits; block++) {
            if (block % 1024 == 0)
                show_progress(options, snr_db, (double)count.bits / (double)options->bits);
            simulate_block(link, &count);
        }
    }
    return count;
}

/*
 * Is the count of errors what the closed form predicts, within a confidence of 99.9 %? By Wilson's score
 * interval (J. Am. Stat. Assoc. 22, 1927, 209-212), which holds for few errors too.
 */
static bool agrees(const bit_count *count, double predicted, double *low, double *high) {
    const double z = 3.2905; /* the normal distribution's two-sided 99.9 % point */
    double n = (double)count->bits, rate = (double)count->errors / n;
    double middle = (rate + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
    *low = fmax(middle - half, 0);
    *high = middle + half;
    return *low <= predicted && predicted <= *high;
}

static bool report_line(double snr_db, const bit_count *count) {
    double low, high, predicted = closed_form(snr_db);
    bool ok = agrees(count, predicted, &low, &high);
    printf("%6.1f  %11ld  %9ld  %.3e  %.3e  [%.3e, %.3e]  %s\n", snr_db, count->bits, count->errors,
           (double)count->errors / (double)count->bits, predicted, low, high, ok ? "yes" : "NO");
    return ok;
}

static int sweep(const ber_options *options) {
    radio_link link;
    int disagreements = 0;
    random_seed(&link.random, options->seed);
    puts("Eb/N0        bits     errors   measured  predicted  99.9 % confidence        agree\n"
         "  (dB)");
    within (csv, wi_make(csv_file, .path = options->csv)) {
        within (wi_section("sweep")) {
            for (int i = 0; i < options->points; i++) {
                double snr_db = options->snr_min_db + i * options->snr_step_db;
                bit_count count = measure(&link, snr_db, options);
                fprintf(csv->stream, "%g,%.9g\n", snr_db,
                        (double)count.errors / (double)count.bits);
                disagreements += !report_line(snr_db, &count);
            }
        }
    }
    show_progress(options, options->snr_max_db, 1);
    return disagreements;
}

int main(int argc, char **argv) {
    ber_options options = read_options(argc, argv);
    int disagreements = sweep(&options);
    if (disagreements)
        printf("%d of %d rates lie outside their confidence interval\n", disagreements,
               options.points);
    return disagreements ? EXIT_FAILURE : EXIT_SUCCESS;
}
