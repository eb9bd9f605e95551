/* What the macros of hdf5.h are made of: types and shapes found at compile time, and the functions behind. */
#ifndef WITHIN_HDF5_TYPES_H
#define WITHIN_HDF5_TYPES_H

#include <within/hdf5.h>

/* X(the type in C, its name among wi_h5_type) */
#define WI__H5_TYPES(X)                                                                            \
    X(double, WI_H5_FLOAT64)                                                                       \
    X(float, WI_H5_FLOAT32)                                                                        \
    X(signed char, WI_H5_INT8)                                                                     \
    X(short, WI_H5_INT16)                                                                          \
    X(int, WI_H5_INT32)                                                                            \
    X(long, (sizeof(long) == 8 ? WI_H5_INT64 : WI_H5_INT32))                                       \
    X(long long, WI_H5_INT64)                                                                      \
    X(unsigned char, WI_H5_UINT8)                                                                  \
    X(unsigned short, WI_H5_UINT16)                                                                \
    X(unsigned int, WI_H5_UINT32)                                                                  \
    X(unsigned long, (sizeof(long) == 8 ? WI_H5_UINT64 : WI_H5_UINT32))                            \
    X(unsigned long long, WI_H5_UINT64)

/* The type that a pointer points to, and the type of a value. Another is a compile error. */
#ifdef __cplusplus
#define WI__H5_OF_POINTER(type, name)                                                              \
    inline wi_h5_type wi__h5_type_of(const type *) { return name; }
#define WI__H5_OF_VALUE(type, name)                                                                \
    inline wi_h5_type wi__h5_value_type(type) { return name; }
WI__H5_TYPES(WI__H5_OF_POINTER)
WI__H5_TYPES(WI__H5_OF_VALUE)
inline wi_h5_type wi__h5_value_type(const char *) { return WI_H5_TEXT; }
#define WI__H5_TYPE(pointer) wi__h5_type_of(pointer)
#define WI__H5_VALUE_TYPE(value) wi__h5_value_type(value)
#else
#define WI__H5_OF_POINTER(type, name) , type * : name, const type * : name
#define WI__H5_OF_VALUE(type, name) , type : name
#define WI__H5_TYPE(pointer) _Generic((pointer)WI__H5_TYPES(WI__H5_OF_POINTER))
#define WI__H5_VALUE_TYPE(value)                                                                   \
    _Generic((value)WI__H5_TYPES(WI__H5_OF_VALUE), char *: WI_H5_TEXT, const char *: WI_H5_TEXT)
#endif

/* A zero before the lengths: a list may be empty, an array may not. */
#ifdef __cplusplus
template <class... Lengths> wi_shape wi__shape(Lengths... lengths) {
    wi_shape shape = {sizeof...(lengths), {}};
    uint64_t all[] = {0, static_cast<uint64_t>(lengths)...};
    for (size_t i = 0; i < sizeof...(lengths) && i < WI_H5_RANK_MAX; i++)
        shape.length[i] = all[i + 1];
    return shape;
}
#define WI__SHAPE(...) wi__shape(__VA_ARGS__)
#else
#define WI__SHAPE(...)                                                                             \
    ((wi_shape){sizeof((uint64_t[]){0, ##__VA_ARGS__}) / sizeof(uint64_t) - 1, {__VA_ARGS__}})
#endif

#define WI__H5_CHECK(value, file, answer, ...)                                                     \
    (__extension__({                                                                               \
        __typeof__(answer) value = (answer);                                                       \
        wi__h5_check(WI__HERE, file, value < 0, __VA_ARGS__);                                      \
        value;                                                                                     \
    }))

WI__BEGIN_DECLS

WI_API wi_h5_file wi__h5_file(const char *path, const char *mode, wi_h5_file_options options);
WI_API wi_h5_file wi__h5_stream(const char *path, wi_h5_stream_options options);
WI_API void wi__h5_write(wi_h5_file *file, const char *name, const void *data, wi_h5_type type,
                         wi_shape shape);
WI_API void wi__h5_read(wi_h5_file *file, const char *name, void *buffer, wi_h5_type type,
                        wi_shape shape);
WI_API void wi__h5_attribute(wi_h5_file *file, const char *where, const char *name,
                             const void *value, wi_h5_type type);
WI_API void wi__h5_read_attribute(wi_h5_file *file, const char *where, const char *name,
                                  void *number, wi_h5_type type);
WI_API wi_h5_dataset *wi__h5_stream_dataset(wi_h5_file *file, const char *name,
                                            wi_h5_dataset_options options);
WI_API void wi__h5_append(wi_h5_dataset *dataset, const void *data, wi_h5_type type,
                          uint64_t count);
/* Raises if it failed, or if a write has failed of which HDF5 knows nothing. */
WI_API void wi__h5_check(const wi_place *place, const wi_h5_file *file, int failed,
                         const char *format, ...) WI__PRINTF(4, 5);

WI__END_DECLS

#endif
