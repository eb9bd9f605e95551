/* Open HDF5 handles, asked of the HDF5 library that the process has loaded, if it has. */
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "manage/listings.h"
#include "manage/loaded_libraries.h"
#include "manage/system_counters.h"

/* What is asked of it. Handles are 64 bits wide since HDF5 1.10; before that the upper half is not looked at. */
typedef ssize_t (*count_function)(int64_t file, unsigned kinds);
typedef int (*safety_function)(unsigned char *is_safe);

static struct {
    unsigned long long loaded; /* how many libraries had been loaded when it was looked for */
    count_function count;
    unsigned char is_threadsafe;
} library;

/* "libhdf5.so.200", "libhdf5_serial.so.103", "libhdf5-3bef7e1c.so.310"; also those that are built on it, for a
 * function is found in what a library needs too. */
static int is_hdf5(const char *path) {
    const char *slash = strrchr(path, '/');
    return strncmp(slash ? slash + 1 : path, "libhdf5", 7) == 0;
}

static void bind(void *handle) {
    library.count = (count_function)dlsym(handle, "H5Fget_obj_count");
    safety_function is_threadsafe = (safety_function)dlsym(handle, "H5is_library_threadsafe");
    if (is_threadsafe && is_threadsafe(&library.is_threadsafe) < 0) library.is_threadsafe = 0;
}

static int find(struct dl_phdr_info *object, size_t size, void *found) {
    (void)size;
    if (!is_hdf5(object->dlpi_name)) return 0;
    *(const char **)found = object->dlpi_name;
    return 1;
}

/* Looked for again only when another library was loaded since. */
static void look(void) {
    if (library.count) return;
    unsigned long long loaded = wi__libraries_loaded();
    if (loaded == library.loaded) return;
    library.loaded = loaded;
    const char *path = NULL;
    dl_iterate_phdr(find, (void *)&path);
    void *handle = path ? dlopen(path, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (handle) bind(handle); /* and kept: it is not unloaded while its function is used */
}

/* A library that is not made for threads is asked only while no other thread can be inside of it. */
static int64_t count_handles(unsigned kinds) {
    enum { ALL_FILES = 0x1f };
    look();
    if (!library.count || (!library.is_threadsafe && wi__thread_counter.read() != 1))
        return WI__ABSENT;
    ssize_t count = library.count(ALL_FILES, kinds);
    return count >= 0 ? count : WI__ABSENT;
}

static int64_t read_handles(void) {
    enum { ALL = 0x1f }; /* H5F_OBJ_ALL: files, datasets, groups, types, attributes */
    return count_handles(ALL);
}

const wi__counter wi__hdf5_handle_counter = {
    .one = "HDF5 handle",
    .many = "HDF5 handles",
    .growth = WI__IS_LEAK,
    .least = 8,
    .read = read_handles,
};

/* ---- by kind ---- */

/* H5F_OBJ_FILE and so on. */
static int take_kinds(wi__inventory *inventory) {
    static const struct {
        unsigned kind;
        const char *name;
    } kinds[] = {{1, "files"}, {2, "datasets"}, {4, "groups"}, {8, "types"}, {16, "attributes"}};
    int are_counted = 1;
    wi__counters_lock();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int64_t count = count_handles(kinds[i].kind);
        are_counted &= count != WI__ABSENT;
        wi__inventory_count(inventory, kinds[i].name, are_counted ? count : 0, 0);
    }
    wi__counters_unlock();
    return are_counted;
}

const wi__listing wi__hdf5_listing = {
    .title = "HDF5 handles",
    .counters = (const char *const[]){"HDF5 handles", NULL},
    .take = take_kinds,
};
