/* What the managers of a series and of a save share. */
#ifndef WITHIN_MANAGE_CHECKPOINTS_H
#define WITHIN_MANAGE_CHECKPOINTS_H

#include <within/checkpoints.h>

#include "manage/failure.h"

/** Can a series be so? @return 0, or -1 and the failure. */
int wi__series_validate(const wi_checkpoints *series, wi__failure *failure);

/** Open a series' folder; make it, and those above it, if it is not there. @return a descriptor, or -1 and the failure. */
int wi__series_make(const char *path, wi__failure *failure);

#endif
