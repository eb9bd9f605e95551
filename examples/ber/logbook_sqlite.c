/* The sweep as a run, in the database that WITHIN_DATABASE names, else in runs.db. */
#include "logbook.h"

#include <inttypes.h>
#include <within/run.h>

static wi_run *run;

void logbook_open(wi_exit_stack *stack, const ber_setting *setting) {
    run = wi_stack_enter(stack, wi_run("ber"));
    wi_run_param(run, "snr_min_db", "%g", setting->snr_min_db);
    wi_run_param(run, "snr_max_db", "%g", setting->snr_max_db);
    wi_run_param(run, "snr_step_db", "%g", setting->snr_step_db);
    wi_run_param(run, "bits", "%ld", setting->bits);
    wi_run_param(run, "seed", "%" PRIu64, setting->seed);
}

void logbook_point(int point, double snr_db, double measured, double predicted) {
    wi_run_metric(run, "snr_db", point, snr_db);
    wi_run_metric(run, "ber", point, measured);
    wi_run_metric(run, "predicted", point, predicted);
}

void logbook_result(const char *csv, int disagreements) {
    wi_run_artifact(run, csv, "ber.csv");
    if (disagreements)
        wi_run_tag(run, "verdict", "%d rates disagree", disagreements);
    else
        wi_run_tag(run, "verdict", "agrees");
}
