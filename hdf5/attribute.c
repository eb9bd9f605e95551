/* Attributes: numbers and texts that say what a dataset, a group or the file is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "trouble.h"
#include "types.h"

static hid_t open_object(const wi_h5_file *file, const char *where) {
    if (H5Oexists_by_name(file->id, where, H5P_DEFAULT) <= 0 && !file->open->disk->read_error)
        wi_raise(WI_LOOKUP_ERROR, "%s: %s: there is nothing of this name", file->path, where);
    return wi_h5_check(file, H5Oopen(file->id, where, H5P_DEFAULT), "open %s", where);
}

/* h5py gives texts of variable length as str, those of fixed length as bytes. */
static hid_t type_in_file(const wi_h5_file *file, wi_h5_type type) {
    if (type != WI_H5_TEXT)
        return wi_h5_check(file, H5Tcopy(wi__h5_file_type(type)), "choose a type");
    hid_t text = wi_h5_check(file, H5Tcopy(H5T_C_S1), "choose a type");
    wi_h5_check(file, H5Tset_size(text, H5T_VARIABLE), "choose a length");
    wi_h5_check(file, H5Tset_cset(text, H5T_CSET_UTF8), "choose UTF-8");
    return text;
}

void wi__h5_attribute(wi_h5_file *file, const char *where, const char *name, const void *value,
                      wi_h5_type type) {
    wi__h5_require_creating(file, "set attribute", name);
    wi_use(wi__h5_silent());
    wi_use(object, wi__h5_hold(open_object(file, where)));
    wi_use(its_type, wi__h5_hold(type_in_file(file, type)));
    wi_use(space, wi__h5_hold(wi_h5_check(file, H5Screate(H5S_SCALAR), "choose a shape")));
    if (H5Aexists(object->id, name) > 0)
        wi_h5_check(file, H5Adelete(object->id, name), "replace attribute %s of %s", name, where);
    wi_use(attribute, wi__h5_hold(wi_h5_check(file,
                                              H5Acreate2(object->id, name, its_type->id, space->id,
                                                         H5P_DEFAULT, H5P_DEFAULT),
                                              "create attribute %s of %s", name, where)));
    hid_t memory = type == WI_H5_TEXT ? its_type->id : wi__h5_memory_type(type);
    wi_h5_check(file, H5Awrite(attribute->id, memory, value), "write attribute %s of %s", name,
                where);
}

/* ---- reading ---- */

static hid_t open_attribute(const wi_h5_file *file, hid_t object, const char *where,
                            const char *name) {
    if (H5Aexists(object, name) == 0)
        wi_raise(WI_LOOKUP_ERROR, "%s: %s: has no attribute %s", file->path, where, name);
    return wi_h5_check(file, H5Aopen(object, name, H5P_DEFAULT), "open attribute %s of %s", name,
                       where);
}

/* Raise if it is not one value of this type. */
static void require_one(const wi_h5_file *file, const char *where, const char *name,
                        hid_t attribute, hid_t its_type, wi_h5_type type) {
    char its[WI__H5_TEXT_MAX];
    wi_use(space, wi__h5_hold(wi_h5_check(file, H5Aget_space(attribute), "%s: shape", name)));
    if (!wi__h5_is_type(its_type, type)) {
        wi__h5_describe_type(its_type, its);
        wi_raise(WI_DATA_ERROR, "%s: attribute %s of %s: is %s, not %s", file->path, name, where,
                 its, wi__h5_type_name(type));
    }
    hssize_t count = H5Sget_simple_extent_npoints(space->id);
    if (count != 1)
        wi_raise(WI_DATA_ERROR, "%s: attribute %s of %s: has %lld values, not one", file->path,
                 name, where, (long long)count);
}

void wi__h5_read_attribute(wi_h5_file *file, const char *where, const char *name, void *number,
                           wi_h5_type type) {
    wi__h5_require_open(file);
    wi_use(wi__h5_silent());
    wi_use(object, wi__h5_hold(open_object(file, where)));
    wi_use(attribute, wi__h5_hold(open_attribute(file, object->id, where, name)));
    wi_use(its_type, wi__h5_hold(wi_h5_check(file, H5Aget_type(attribute->id), "%s: type", name)));
    require_one(file, where, name, attribute->id, its_type->id, type);
    wi_h5_check(file, H5Aread(attribute->id, wi__h5_memory_type(type), number),
                "read attribute %s of %s", name, where);
}

/* Of variable length HDF5 gives a pointer, which it wants back; NULL is an empty text. */
static size_t read_variable(const wi_h5_file *file, hid_t attribute, hid_t type, char *buffer,
                            size_t size) {
    char *text = NULL;
    wi_h5_check(file, H5Aread(attribute, type, (void *)&text), "read a text");
    int length = snprintf(buffer, size, "%s", text ? text : "");
    H5free_memory(text);
    return (size_t)length;
}

static size_t read_fixed(const wi_h5_file *file, hid_t attribute, hid_t type, char *buffer,
                         size_t size) {
    size_t length = H5Tget_size(type);
    char *text = calloc(1, length + 1);
    if (!text) wi_raise(WI_MEMORY_ERROR, "%s: a text of %zu bytes", file->path, length);
    herr_t read = H5Aread(attribute, type, text);
    if (read >= 0) {
        if (H5Tget_strpad(type) == H5T_STR_SPACEPAD)
            while (length > 0 && text[length - 1] == ' ') text[--length] = '\0';
        length = (size_t)snprintf(buffer, size, "%s", text);
    }
    free(text);
    wi_h5_check(file, read, "read a text");
    return length;
}

size_t wi_h5_read_text(wi_h5_file *file, const char *where, const char *name, char *buffer,
                       size_t size) {
    wi__h5_require_open(file);
    wi_use(wi__h5_silent());
    wi_use(object, wi__h5_hold(open_object(file, where)));
    wi_use(attribute, wi__h5_hold(open_attribute(file, object->id, where, name)));
    wi_use(its_type, wi__h5_hold(wi_h5_check(file, H5Aget_type(attribute->id), "%s: type", name)));
    require_one(file, where, name, attribute->id, its_type->id, WI_H5_TEXT);
    return H5Tis_variable_str(its_type->id) > 0
               ? read_variable(file, attribute->id, its_type->id, buffer, size)
               : read_fixed(file, attribute->id, its_type->id, buffer, size);
}
