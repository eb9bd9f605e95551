/*
 * A value of a cell, of the type that it has at compile time: by _Generic in C, by overloads in C++.
 */
#ifndef WITHIN_CSV_VALUE_H
#define WITHIN_CSV_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include <within/macros.h>

WI__BEGIN_DECLS

/** What a cell holds. */
typedef enum wi_csv_kind {
    WI_CSV_INT,
    WI_CSV_UINT,
    WI_CSV_BOOL,
    WI_CSV_FLOAT,
    WI_CSV_DOUBLE,
    WI_CSV_TEXT
} wi_csv_kind;

/** A tagged value, for wi_csv_write. */
typedef struct wi_csv_value {
    wi_csv_kind kind;
    union {
        int64_t i;
        uint64_t u;
        int b; /* 0 or 1 */
        float f;
        double d;
        const char *text; /* ended by a '\0', and borrowed; NULL: an empty cell */
    } as;
} wi_csv_value;

/** An empty cell, in a column of any type. */
#define WI_CSV_EMPTY ((const char *)0)

/*
 * wi_csv_of(value) is the tagged value of an integer, a bool, a floating-point number or a string. A plain char
 * is neither a number nor a text, and a compile error like any other type: cast it, or pass a string.
 */

/* The int makes room for the variadic one below, which takes what these do not. */
#define WI__CSV_OF(name, type, what, member)                                                       \
    WI__INLINE wi_csv_value name(int unused WI__UNUSED, type value) {                              \
        wi_csv_value made;                                                                         \
        made.kind = what;                                                                          \
        made.as.member = value;                                                                    \
        return made;                                                                               \
    }
WI__CSV_OF(wi__csv_of_int, int64_t, WI_CSV_INT, i)
WI__CSV_OF(wi__csv_of_uint, uint64_t, WI_CSV_UINT, u)
WI__CSV_OF(wi__csv_of_bool, int, WI_CSV_BOOL, b)
WI__CSV_OF(wi__csv_of_float, float, WI_CSV_FLOAT, f)
WI__CSV_OF(wi__csv_of_double, double, WI_CSV_DOUBLE, d)
WI__CSV_OF(wi__csv_of_text, const char *, WI_CSV_TEXT, text)
#undef WI__CSV_OF

#define WI__CSV_TAKES                                                                              \
    "a CSV value is an integer, a bool, a floating-point number, a const char * or WI_CSV_EMPTY"

/* X(type, function) of what can be a value; bool, whose name is another in C, is left out. */
#define WI__CSV_TYPES(X)                                                                           \
    X(signed char, wi__csv_of_int)                                                                 \
    X(short, wi__csv_of_int)                                                                       \
    X(int, wi__csv_of_int)                                                                         \
    X(long, wi__csv_of_int)                                                                        \
    X(long long, wi__csv_of_int)                                                                   \
    X(unsigned char, wi__csv_of_uint)                                                              \
    X(unsigned short, wi__csv_of_uint)                                                             \
    X(unsigned, wi__csv_of_uint)                                                                   \
    X(unsigned long, wi__csv_of_uint)                                                              \
    X(unsigned long long, wi__csv_of_uint)                                                         \
    X(float, wi__csv_of_float)                                                                     \
    X(double, wi__csv_of_double)                                                                   \
    X(long double, wi__csv_of_double)                                                              \
    X(char *, wi__csv_of_text)                                                                     \
    X(const char *, wi__csv_of_text)

WI__END_DECLS

#ifdef __cplusplus
#define WI__CSV_OVERLOAD(type, function)                                                           \
    WI__INLINE wi_csv_value wi_csv_of(type value) { return function(0, value); }
WI__CSV_TYPES(WI__CSV_OVERLOAD)
WI__CSV_OVERLOAD(bool, wi__csv_of_bool)
WI__CSV_OVERLOAD(decltype(nullptr), wi__csv_of_text)
#undef WI__CSV_OVERLOAD
/* Enumerations, as in C; all other types too, so that no pointer becomes a bool. */
template <class Type> inline wi_csv_value wi_csv_of(const Type &value) {
    static_assert(__is_enum(Type), WI__CSV_TAKES);
    return wi__csv_of_int(0, (int64_t)value);
}
#else
wi_csv_value wi__csv_of_other(int unused, ...) __attribute__((error(WI__CSV_TAKES)));
/* clang-format off */
#define WI__CSV_CASE(type, function) type: function,
/* clang-format on */
#define wi_csv_of(value)                                                                           \
    _Generic((value),                                                                              \
        WI__CSV_TYPES(WI__CSV_CASE) _Bool: wi__csv_of_bool,                                        \
        default: wi__csv_of_other)(0, value)
#endif

#endif
