/* Whether it is worth looking for a library again among those that the process has loaded. */
#ifndef WITHIN_MANAGE_LOADED_LIBRARIES_H
#define WITHIN_MANAGE_LOADED_LIBRARIES_H

/** How many libraries the process has loaded so far, from 1 on: as long as it stays, there is no new one. */
unsigned long long wi__libraries_loaded(void);

#endif
