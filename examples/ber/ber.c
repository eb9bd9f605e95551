/*
 * The bit error rate of BPSK over an AWGN channel, by Monte Carlo, held against the closed form.
 *
 * A bit is sent as +1 or -1 and received with Gaussian noise of variance N0/2 on top; the detector takes
 * the sign. With Eb/N0 the signal-to-noise ratio per bit, errors occur at the rate ½·erfc(√(Eb/N0))
 * (Proakis & Salehi, Digital Communications, 5th ed., 2008, eq. 4.3-13).
 */
#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <within.h>

#include "logbook.h"
#include "options.h"
#include "samples.h"
#include "sweep.h"

typedef struct radio_link {
    wi_rng *rng;
    double noise; /* standard deviation of the noise on a symbol of energy 1 */
    unsigned char sent[BLOCK], detected[BLOCK];
    double symbols[BLOCK], normals[BLOCK];
} radio_link;

static void draw_bits(wi_rng *rng, unsigned char *bits) {
    for (int i = 0; i < BLOCK; i += 64) {
        uint64_t word = wi_rng_uint64(rng);
        for (int k = 0; k < 64; k++) bits[i + k] = word >> k & 1;
    }
}

/* One block of bits through transmitter, channel and detector. */
static void simulate_block(radio_link *link, bit_count *count) {
    within (wi_section("generate")) {
        draw_bits(link->rng, link->sent);
    }
    within (wi_section("modulate")) {
        for (int i = 0; i < BLOCK; i++) link->symbols[i] = link->sent[i] ? -1.0 : 1.0;
    }
    within (wi_section("channel")) {
        wi_rng_fill_normal(link->rng, link->normals, BLOCK);
        for (int i = 0; i < BLOCK; i++) link->symbols[i] += link->noise * link->normals[i];
    }
    within (wi_section("detect")) {
        for (int i = 0; i < BLOCK; i++) link->detected[i] = link->symbols[i] < 0;
        for (int i = 0; i < BLOCK; i++) count->errors += link->detected[i] != link->sent[i];
        count->bits += BLOCK;
    }
}

static double energy_ratio(double snr_db) { return pow(10, snr_db / 10); }

static double closed_form(double snr_db) { return 0.5 * erfc(sqrt(energy_ratio(snr_db))); }

static void show_progress(const ber_setting *setting, double snr_db, double done) {
    if (!isatty(STDERR_FILENO)) return;
    double whole = (snr_db - setting->snr_min_db + done * setting->snr_step_db) /
                   (setting->snr_max_db - setting->snr_min_db + setting->snr_step_db);
    fprintf(stderr, "\rEb/N0 %5.1f dB  %3.0f %%", snr_db, 100 * whole);
    if (whole >= 1) fputs("\r                       \r", stderr);
}

static double snr_of(const ber_setting *setting, int point) {
    return setting->snr_min_db + point * setting->snr_step_db;
}

static bit_count measure(radio_link *link, double snr_db, const ber_setting *setting) {
    bit_count count = {0, 0};
    link->noise = sqrt(0.5 / energy_ratio(snr_db));
    within (wi_section("snr")) {
        for (long block = 0; count.bits < setting->bits; block++) {
            if (block % 1024 == 0)
                show_progress(setting, snr_db, (double)count.bits / (double)setting->bits);
            simulate_block(link, &count);
            if (block == 0) samples_keep(link->symbols);
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

static void print_head(void) {
    puts("Eb/N0        bits     errors   measured  predicted  99.9 % confidence        agree\n"
         "  (dB)");
}

static bool print_line(const sweep_state *sweep, int point) {
    const bit_count *count = &sweep->counts[point];
    double snr_db = snr_of(&sweep->setting, point);
    double measured = (double)count->errors / (double)count->bits, predicted, low, high;
    bool ok = false;
    within (wi_fp_guard(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW)) {
        predicted = closed_form(snr_db);
        ok = agrees(count, predicted, &low, &high);
    }
    printf("%6.1f  %11ld  %9ld  %.3e  %.3e  [%.3e, %.3e]  %s\n", snr_db, count->bits, count->errors,
           measured, predicted, low, high, ok ? "yes" : "NO");
    logbook_point(point, snr_db, measured, predicted);
    return ok;
}

/* Measure a point. Its checkpoint follows its row: a row that no checkpoint knows of is cut by the next start. */
static void measure_point(sweep_state *sweep, radio_link *link, const wi_checkpoints *series,
                          wi_csv *csv) {
    double snr_db = snr_of(&sweep->setting, sweep->done);
    bit_count count = measure(link, snr_db, &sweep->setting);
    sweep->counts[sweep->done++] = count;
    sweep->rng = *link->rng;
    wi_csv_row(csv, snr_db, (double)count.errors / (double)count.bits);
    wi_csv_sync(csv);
    sweep_save(sweep, series);
}

/* Returns how many points disagree with the closed form. */
static int measure_all(sweep_state *sweep, wi_rng *rng, const wi_checkpoints *series, wi_csv *csv) {
    radio_link link = {.rng = rng};
    int disagreements = 0;
    print_head();
    for (int point = 0; point < sweep->setting.points; point++) {
        if (point == sweep->done) measure_point(sweep, &link, series, csv);
        disagreements += !print_line(sweep, point);
    }
    show_progress(&sweep->setting, sweep->setting.snr_max_db, 1);
    return disagreements;
}

/* Go through the sweep, from where its newest checkpoint is. */
static int go_through(sweep_state *sweep, wi_rng *rng, const ber_options *options) {
    int disagreements = 0;
    within (series, wi_checkpoints(options->checkpoints)) {
        sweep_begin(sweep, rng, &options->setting, series);
        within (csv, wi_csv(options->csv, "snr,ber", .fresh = !sweep->done)) {
            wi_csv_truncate(csv, (uint64_t)sweep->done);
            within (stack, wi_exit_stack()) {
                samples_open(stack, options->samples, sweep);
                within (wi_section("sweep")) disagreements = measure_all(sweep, rng, series, csv);
            }
        }
    }
    return disagreements;
}

/* SIGTERM, SIGINT and SIGUSR1 end it between two blocks of bits; the next start goes on from the newest checkpoint. */
static int run(sweep_state *sweep, const ber_options *options) {
    int disagreements = 0;
    within (wi_interrupts()) {
        within (stack, wi_exit_stack()) {
            logbook_open(stack, &options->setting);
            within (seeded, wi_temporary_seed((int64_t)options->setting.seed))
                disagreements = go_through(sweep, seeded->rng, options);
            logbook_result(options->csv, disagreements);
        }
    }
    return disagreements;
}

int main(int argc, char **argv) {
    static sweep_state sweep;
    ber_options options = read_options(argc, argv);
    int disagreements = run(&sweep, &options);
    if (disagreements)
        printf("%d of %d rates lie outside their confidence interval\n", disagreements,
               options.setting.points);
    return disagreements ? EXIT_FAILURE : EXIT_SUCCESS;
}
