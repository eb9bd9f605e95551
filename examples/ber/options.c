/* Options of the simulation. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: ber [OPTION]...\n"
    "The bit error rate of BPSK over an AWGN channel, by Monte Carlo.\n"
    "\n"
    "  --snr-min DB    first Eb/N0 of the sweep (default 0)\n"
    "  --snr-max DB    last Eb/N0 of the sweep (default 10)\n"
    "  --snr-step DB   step of the sweep (default 1)\n"
    "  --bits N        bits per point, at least (default 100000000)\n"
    "  --seed N        seed of the random numbers (default 1)\n"
    "  --csv PATH      where the rates go, as snr,ber (default ber.csv)\n"
    "  --checkpoints FOLDER\n"
    "                  where it writes down how far it is (default ber.checkpoints)\n"
    "  --samples PATH  where a block of received symbols of each point goes, as HDF5 (default\n"
    "                  ber.h5; \"\" for nowhere); nowhere if it was built without HDF5\n"
    "  --help          show this help\n"
    "\n"
    "A sweep that was ended early, by SIGTERM, Ctrl-C or kill -9, goes on when it is started again "
    "with the same\n"
    "options, and gives the same numbers as if it had not been. One that is over starts anew.\n"
    "\n"
    "Each start is a run in the database that WITHIN_DATABASE names, by default runs.db, if it was "
    "built with\n"
    "SQLite: within runs lists them.\n"
    "\n"
    "Ends with status 1 if a rate lies outside the 99.9 % confidence interval of the closed form\n"
    "0.5 erfc(sqrt(Eb/N0)).\n";

static _Noreturn void refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("ber: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\nber: try ber --help\n", stderr);
    va_end(arguments);
    exit(2);
}

static double read_db(const char *option, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end) refuse("--%s: \"%s\" is not a number", option, text);
    if (!(fabs(value) <= 100)) refuse("--%s: %s dB is not between -100 and 100", option, text);
    return value;
}

static unsigned long long read_count(const char *option, const char *text, unsigned long long least,
                                     unsigned long long most) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end || strchr(text, '-'))
        refuse("--%s: \"%s\" is not a whole number", option, text);
    if (errno || value < least || value > most)
        refuse("--%s: %s is not between %llu and %llu", option, text, least, most);
    return value;
}

static void check_range(ber_setting *setting) {
    if (setting->snr_step_db <= 0) refuse("--snr-step: %g dB is not above 0", setting->snr_step_db);
    if (setting->snr_max_db < setting->snr_min_db)
        refuse("--snr-max: %g dB is below --snr-min, %g dB", setting->snr_max_db,
               setting->snr_min_db);
    double steps = floor((setting->snr_max_db - setting->snr_min_db) / setting->snr_step_db + 1e-9);
    if (steps >= MOST_POINTS)
        refuse("--snr-step: %g dB makes more than %d points", setting->snr_step_db, MOST_POINTS);
    setting->points = (int)steps + 1;
}

ber_options read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"snr-min", 1, NULL, 'm'},     {"snr-max", 1, NULL, 'M'},
        {"snr-step", 1, NULL, 's'},    {"bits", 1, NULL, 'b'},
        {"seed", 1, NULL, 'r'},        {"csv", 1, NULL, 'c'},
        {"checkpoints", 1, NULL, 'k'}, {"samples", 1, NULL, 'x'},
        {"help", 0, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    ber_options options = {{0, 10, 1, 0, 100000000, 1}, "ber.csv", "ber.checkpoints", "ber.h5"};
    ber_setting *setting = &options.setting;
    for (int letter; (letter = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (letter) {
        case 'm': setting->snr_min_db = read_db("snr-min", optarg); break;
        case 'M': setting->snr_max_db = read_db("snr-max", optarg); break;
        case 's': setting->snr_step_db = read_db("snr-step", optarg); break;
        case 'b': setting->bits = (long)read_count("bits", optarg, 1, 1000000000000); break;
        case 'r': setting->seed = read_count("seed", optarg, 0, UINT32_MAX); break;
        case 'c': options.csv = optarg; break;
        case 'k': options.checkpoints = optarg; break;
        case 'x': options.samples = optarg; break;
        case 'h': fputs(help, stdout); exit(EXIT_SUCCESS);
        default: fputs("ber: try ber --help\n", stderr); exit(2);
        }
    }
    if (optind < argc) refuse("\"%s\" is no option", argv[optind]);
    check_range(setting);
    return options;
}
