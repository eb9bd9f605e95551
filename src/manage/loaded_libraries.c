/* Libraries that were loaded, counted by the dynamic loader. */
#include "manage/loaded_libraries.h"

#include <link.h>
#include <stddef.h>

static int count_loaded(struct dl_phdr_info *object, size_t size, void *loaded) {
    if (size >= offsetof(struct dl_phdr_info, dlpi_subs))
        *(unsigned long long *)loaded = object->dlpi_adds;
    return 1;
}

unsigned long long wi__libraries_loaded(void) {
    unsigned long long loaded = 1;
    dl_iterate_phdr(count_loaded, &loaded);
    return loaded;
}
