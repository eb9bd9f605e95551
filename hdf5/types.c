/* Types and shapes: those of C, those of HDF5, and how messages name them. */
#include "types.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct type_row {
    const char *name;
    size_t size;
    H5T_class_t class;
    H5T_sign_t sign;
} type_row;

static const type_row rows[] = {
    [WI_H5_FLOAT64] = {"float64", 8, H5T_FLOAT, H5T_SGN_ERROR},
    [WI_H5_FLOAT32] = {"float32", 4, H5T_FLOAT, H5T_SGN_ERROR},
    [WI_H5_INT8] = {"int8", 1, H5T_INTEGER, H5T_SGN_2},
    [WI_H5_INT16] = {"int16", 2, H5T_INTEGER, H5T_SGN_2},
    [WI_H5_INT32] = {"int32", 4, H5T_INTEGER, H5T_SGN_2},
    [WI_H5_INT64] = {"int64", 8, H5T_INTEGER, H5T_SGN_2},
    [WI_H5_UINT8] = {"uint8", 1, H5T_INTEGER, H5T_SGN_NONE},
    [WI_H5_UINT16] = {"uint16", 2, H5T_INTEGER, H5T_SGN_NONE},
    [WI_H5_UINT32] = {"uint32", 4, H5T_INTEGER, H5T_SGN_NONE},
    [WI_H5_UINT64] = {"uint64", 8, H5T_INTEGER, H5T_SGN_NONE},
    [WI_H5_TEXT] = {"text", 0, H5T_STRING, H5T_SGN_ERROR},
};

const char *wi__h5_type_name(wi_h5_type type) { return rows[type].name; }
size_t wi__h5_size(wi_h5_type type) { return rows[type].size; }

/* HDF5's names of types are calls: no table can hold them. */
hid_t wi__h5_memory_type(wi_h5_type type) {
    switch (type) {
    case WI_H5_FLOAT64: return H5T_NATIVE_DOUBLE;
    case WI_H5_FLOAT32: return H5T_NATIVE_FLOAT;
    case WI_H5_INT8: return H5T_NATIVE_INT8;
    case WI_H5_INT16: return H5T_NATIVE_INT16;
    case WI_H5_INT32: return H5T_NATIVE_INT32;
    case WI_H5_INT64: return H5T_NATIVE_INT64;
    case WI_H5_UINT8: return H5T_NATIVE_UINT8;
    case WI_H5_UINT16: return H5T_NATIVE_UINT16;
    case WI_H5_UINT32: return H5T_NATIVE_UINT32;
    case WI_H5_UINT64: return H5T_NATIVE_UINT64;
    default: return H5I_INVALID_HID;
    }
}

hid_t wi__h5_file_type(wi_h5_type type) {
    switch (type) {
    case WI_H5_FLOAT64: return H5T_IEEE_F64LE;
    case WI_H5_FLOAT32: return H5T_IEEE_F32LE;
    case WI_H5_INT8: return H5T_STD_I8LE;
    case WI_H5_INT16: return H5T_STD_I16LE;
    case WI_H5_INT32: return H5T_STD_I32LE;
    case WI_H5_INT64: return H5T_STD_I64LE;
    case WI_H5_UINT8: return H5T_STD_U8LE;
    case WI_H5_UINT16: return H5T_STD_U16LE;
    case WI_H5_UINT32: return H5T_STD_U32LE;
    case WI_H5_UINT64: return H5T_STD_U64LE;
    default: return H5I_INVALID_HID;
    }
}

int wi__h5_is_type(hid_t type, wi_h5_type wanted) {
    const type_row *row = &rows[wanted];
    if (H5Tget_class(type) != row->class) return 0;
    if (row->class == H5T_STRING) return 1;
    if (H5Tget_size(type) != row->size) return 0;
    return row->class == H5T_FLOAT || H5Tget_sign(type) == row->sign;
}

void wi__h5_describe_type(hid_t type, char text[WI__H5_TEXT_MAX]) {
    static const char *const classes[H5T_NCLASSES] = {
        [H5T_INTEGER] = "an integer",  [H5T_FLOAT] = "a floating-point number",
        [H5T_TIME] = "a time",         [H5T_STRING] = "text",
        [H5T_BITFIELD] = "bits",       [H5T_OPAQUE] = "opaque bytes",
        [H5T_COMPOUND] = "a compound", [H5T_REFERENCE] = "a reference",
        [H5T_ENUM] = "an enumeration", [H5T_VLEN] = "of variable length",
        [H5T_ARRAY] = "an array"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (wi__h5_is_type(type, (wi_h5_type)i)) {
            snprintf(text, WI__H5_TEXT_MAX, "%s", rows[i].name);
            return;
        }
    H5T_class_t class = H5Tget_class(type);
    int is_known = class >= 0 && class < H5T_NCLASSES;
    snprintf(text, WI__H5_TEXT_MAX, "%s of %zu bytes", is_known ? classes[class] : "something",
             H5Tget_size(type));
}

/* ---- shapes ---- */

void wi__h5_describe_shape(const wi_shape *shape, char text[WI__H5_TEXT_MAX]) {
    size_t length = 0;
    snprintf(text, WI__H5_TEXT_MAX, "one element");
    if (shape->rank > WI_H5_RANK_MAX)
        snprintf(text, WI__H5_TEXT_MAX, "of %zu dimensions", shape->rank);
    else
        for (size_t i = 0; i < shape->rank; i++)
            length += (size_t)snprintf(text + length, WI__H5_TEXT_MAX - length, "%s%" PRIu64,
                                       i ? " x " : "", shape->length[i]);
}

int wi__h5_same_shape(const wi_shape *a, const wi_shape *b) {
    return a->rank == b->rank && a->rank <= WI_H5_RANK_MAX &&
           memcmp(a->length, b->length, a->rank * sizeof *a->length) == 0;
}

wi_shape wi__h5_shape_of_space(hid_t space) {
    wi_shape shape = {0, {0}};
    hsize_t lengths[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, lengths, NULL);
    shape.rank = rank < 0 ? 0 : (size_t)rank;
    for (size_t i = 0; i < shape.rank && shape.rank <= WI_H5_RANK_MAX; i++)
        shape.length[i] = lengths[i];
    return shape;
}

hid_t wi__h5_space_of_shape(const wi_shape *shape) {
    hsize_t lengths[WI_H5_RANK_MAX];
    for (size_t i = 0; i < shape->rank; i++) lengths[i] = shape->length[i];
    return shape->rank ? H5Screate_simple((int)shape->rank, lengths, NULL) : H5Screate(H5S_SCALAR);
}
