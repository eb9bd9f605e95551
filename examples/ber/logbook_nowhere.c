/* No run, in a build without SQLite. */
#include "logbook.h"

void logbook_open(wi_exit_stack *stack, const ber_setting *setting) { (void)stack, (void)setting; }

void logbook_point(int point, double snr_db, double measured, double predicted) {
    (void)point, (void)snr_db, (void)measured, (void)predicted;
}

void logbook_result(const char *csv, int disagreements) { (void)csv, (void)disagreements; }
