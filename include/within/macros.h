/* What the public macros are made of: attributes, unique names and the differences between C and C++. */
#ifndef WITHIN_MACROS_H
#define WITHIN_MACROS_H

#if !defined(__GNUC__)
#error "within needs gcc or clang: it uses __attribute__((cleanup)) and statement expressions"
#endif

#ifdef __cplusplus
#define WI__BEGIN_DECLS extern "C" {
#define WI__END_DECLS }
#define WI__NORETURN [[noreturn]]
#define WI__THREAD_LOCAL __thread
#else
#define WI__BEGIN_DECLS
#define WI__END_DECLS
#define WI__NORETURN _Noreturn
#define WI__THREAD_LOCAL __thread
#endif

#define WI_API __attribute__((visibility("default")))
#define WI__UNUSED __attribute__((unused))
#define WI__INLINE static inline __attribute__((always_inline, unused))
#define WI__LIKELY(x) __builtin_expect(!!(x), 1)
#define WI__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WI__PRINTF(string, first) __attribute__((format(printf, string, first)))

#define WI__JOIN_(a, b) a##b
#define WI__JOIN(a, b) WI__JOIN_(a, b)

/* WI__PICK(one, two, args...) is `one` for one argument and `two` for two. */
#define WI__PICK(one, two, ...) WI__PICK_(__VA_ARGS__, two, one, )
#define WI__PICK_(a, b, chosen, ...) chosen

/* The place in the source where a macro stands: a constant of its own, made once at compile time. */
#define WI__HERE                                                                                   \
    (__extension__({                                                                               \
        static const wi_place wi__here = {__FILE__, __func__, __LINE__};                           \
        &wi__here;                                                                                 \
    }))

/* A struct in which what is not named is zero: C says so without a warning, C++ needs to be told. */
#ifdef __cplusplus
/* clang-format off */
#define WI__FIELDS_MAY_BE_MISSING(type, ...)                                                       \
    (__extension__({                                                                               \
        _Pragma("GCC diagnostic push")                                                             \
        _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")                         \
        type wi__value = __VA_ARGS__;                                                              \
        _Pragma("GCC diagnostic pop") wi__value;                                                   \
    }))
/* clang-format on */
#else
#define WI__FIELDS_MAY_BE_MISSING(type, ...) ((type)__VA_ARGS__)
#endif

#endif
