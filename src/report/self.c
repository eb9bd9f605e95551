/* wi_report: the report of the calling process on itself. */
#include <within/record.h>

#include "report/report.h"

void wi_report(FILE *stream) {
    wi__profile profile;
    if (!stream) stream = stderr;
    if (!wi__profile_of_self(&profile)) {
        fputs("within: nothing has been measured so far\n", stream);
        return;
    }
    if (!wi__report_print(stream, &profile, &(wi__report_options){.record = wi_record_path()}))
        fputs("within: there is no memory for a report\n", stream);
    wi__profile_release(&profile);
}
