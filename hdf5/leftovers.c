/* What a program has left open in a file: named on stderr, and closed. */
#include <stdio.h>
#include <stdlib.h>

#include "file.h"

enum { NAMED = 8, NAME_SIZE = 128 };

static const char *kind_of(hid_t id) {
    switch (H5Iget_type(id)) {
    case H5I_GROUP: return "group";
    case H5I_DATATYPE: return "datatype";
    case H5I_DATASET: return "dataset";
    case H5I_ATTR: return "attribute";
    default: return "object";
    }
}

/* "dataset /spectrum", "attribute unit"; HDF5 does not know of each attribute whose it is. */
static int describe(hid_t id, char *text, size_t size) {
    char name[NAME_SIZE] = "";
    if (H5Iget_type(id) == H5I_FILE) return snprintf(text, size, "the file itself, once more");
    if (H5Iget_type(id) == H5I_ATTR)
        H5Aget_name(id, sizeof name, name);
    else
        H5Iget_name(id, name, sizeof name);
    return snprintf(text, size, "%s %s", kind_of(id), name);
}

static void list(const wi_h5_file *file, const hid_t *ids, size_t count) {
    char text[NAMED * (NAME_SIZE + 32)] = "";
    size_t length = 0;
    for (size_t i = 0; i < count && i < NAMED; i++) {
        if (i) length += (size_t)snprintf(text + length, sizeof text - length, ", ");
        length += (size_t)describe(ids[i], text + length, sizeof text - length);
    }
    fprintf(stderr, "within: %s: left open in it, and closed with it: %s%s\n", file->path, text,
            count > NAMED ? ", …" : "");
}

/* A program may hold one several times. */
static void close_all(const hid_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++)
        while (H5Iis_valid(ids[i]) > 0 && H5Idec_ref(ids[i]) > 0) continue;
}

static size_t without(hid_t *ids, size_t count, hid_t unwanted) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (ids[i] != unwanted) ids[kept++] = ids[i];
    return kept;
}

/* What others in this process have opened of a file that is read is theirs; who writes is alone. */
static unsigned kinds(const wi_h5_file *file) {
    return file->open->writes ? H5F_OBJ_ALL : H5F_OBJ_ALL | H5F_OBJ_LOCAL;
}

void wi__h5_close_leftovers(const wi_h5_file *file) {
    ssize_t count = H5Fget_obj_count(file->id, kinds(file));
    hid_t *ids = count > 1 ? malloc((size_t)count * sizeof *ids) : NULL;
    if (!ids) return; /* the file alone; or without memory HDF5 closes them unnamed */
    count = H5Fget_obj_ids(file->id, kinds(file), (size_t)count, ids);
    size_t left = count > 0 ? without(ids, (size_t)count, file->id) : 0;
    /* Where a write failed it may be what an error was raised about in place of giving it to the program. */
    if (left && !file->open->disk->write_error) list(file, ids, left);
    close_all(ids, left);
    free(ids);
}
