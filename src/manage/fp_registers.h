/*
 * The thread's floating-point flags and control bits, as words that are the same to handle on every processor.
 *
 * On x86-64 there are two units, and their registers lie side by side in each word: that of SSE below, that of
 * x87 above. Registers are written only where something changes: that takes longer than to read them.
 */
#ifndef WITHIN_MANAGE_FP_REGISTERS_H
#define WITHIN_MANAGE_FP_REGISTERS_H

#include <fenv.h>
#include <stdint.h>

enum { WI__FP_EXCEPTS = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INEXACT };

/*
 * What each processor has here:
 *
 * wi__fp_flags, wi__fp_set_flags        the flags that arithmetic raises, and leaves raised
 * wi__fp_excepts_of(flags)              as fetestexcept has them
 * wi__fp_mark(excepts)                  a flag that calculations leave alone, but who clears flags does not;
 *                                       0 if all are in use
 * wi__fp_control, wi__fp_set_control    the control bits, of which are
 * WI__FP_ROUNDING, wi__fp_rounding      the rounding mode, by its FE_ name
 * WI__FP_FLUSH                          those that flush denormals; 0: it has none
 * wi__fp_trap_bits(excepts)             those that make flags trap; 0: it has none
 * wi__fp_trapping(excepts, all)         what they are when they do; without `all` only where the interrupted
 *                                       instruction can be done again
 * wi__fp_masked(excepts)                what they are when they do not
 * wi__fp_trapping_now()                 the flags that trap at this moment
 */

#if defined(__x86_64__)

enum {
    WI__FP_UNIT_FLAGS = 0x3f, /* FE_ALL_EXCEPT and that of denormal operands, in both units */
    WI__FP_X87 = 16           /* where its part of a word begins */
};
#define WI__FP_ROUNDING ((uint32_t)0x6000 | (uint32_t)0x0c00 << WI__FP_X87)
#define WI__FP_FLUSH ((uint32_t)0x8040)

static inline uint32_t wi__fp_mxcsr(void) {
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr) : : "memory");
    return mxcsr;
}

static inline void wi__fp_set_mxcsr(uint32_t mxcsr) {
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr) : "memory");
}

static inline uint16_t wi__fp_x87_status(void) {
    uint16_t status;
    __asm__ volatile("fnstsw %0" : "=a"(status) : : "memory");
    return status;
}

static inline uint16_t wi__fp_x87_control(void) {
    uint16_t control;
    __asm__ volatile("fnstcw %0" : "=m"(control) : : "memory");
    return control;
}

static inline void wi__fp_set_x87_control(uint16_t control) {
    __asm__ volatile("fldcw %0" : : "m"(control) : "memory");
}

static inline uint32_t wi__fp_flags(void) {
    return (wi__fp_mxcsr() & WI__FP_UNIT_FLAGS) |
           (uint32_t)(wi__fp_x87_status() & WI__FP_UNIT_FLAGS) << WI__FP_X87;
}

/* x87 can clear its flags fast, but set them only together with all else that it knows. */
static inline void wi__fp_set_x87_flags(uint16_t flags) {
    uint16_t status = wi__fp_x87_status();
    if ((status & WI__FP_UNIT_FLAGS) == flags) return;
    if (!flags) {
        __asm__ volatile("fnclex" : : : "memory");
        return;
    }
    struct {
        uint32_t control, status, others[5];
    } environment;
    __asm__ volatile("fnstenv %0" : "=m"(environment) : : "memory");
    environment.status = (environment.status & ~(uint32_t)WI__FP_UNIT_FLAGS) | flags;
    __asm__ volatile("fldenv %0" : : "m"(environment) : "memory");
}

static inline void wi__fp_set_flags(uint32_t flags) {
    uint32_t mxcsr = wi__fp_mxcsr(), sse = flags & WI__FP_UNIT_FLAGS;
    if ((mxcsr & WI__FP_UNIT_FLAGS) != sse)
        wi__fp_set_mxcsr((mxcsr & ~(uint32_t)WI__FP_UNIT_FLAGS) | sse);
    wi__fp_set_x87_flags((uint16_t)(flags >> WI__FP_X87));
}

static inline int wi__fp_excepts_of(uint32_t flags) {
    return (int)((flags | flags >> WI__FP_X87) & WI__FP_EXCEPTS);
}

/* SSE arithmetic does not touch x87's flags. */
static inline uint32_t wi__fp_mark(int excepts) {
    (void)excepts;
    return (uint32_t)FE_UNDERFLOW << WI__FP_X87;
}

static inline uint32_t wi__fp_control(void) {
    return (wi__fp_mxcsr() & 0xffc0) | (uint32_t)wi__fp_x87_control() << WI__FP_X87;
}

static inline void wi__fp_set_control(uint32_t control) {
    uint32_t mxcsr = wi__fp_mxcsr(), sse = control & 0xffc0;
    uint16_t x87 = (uint16_t)(control >> WI__FP_X87);
    if ((mxcsr & 0xffc0) != sse) wi__fp_set_mxcsr((mxcsr & ~(uint32_t)0xffc0) | sse);
    if (wi__fp_x87_control() != x87) wi__fp_set_x87_control(x87);
}

static inline uint32_t wi__fp_rounding(int mode) {
    return (uint32_t)mode << 3 | (uint32_t)mode << WI__FP_X87;
}

static inline uint32_t wi__fp_masked(int excepts) {
    return (uint32_t)excepts << 7 | (uint32_t)excepts << WI__FP_X87;
}

static inline uint32_t wi__fp_trap_bits(int excepts) { return wi__fp_masked(excepts); }

/* x87 tells of an exception at its next instruction: what was in between has seen no result. */
static inline uint32_t wi__fp_trapping(int excepts, int all) {
    return all ? 0 : (uint32_t)excepts << WI__FP_X87;
}

static inline int wi__fp_trapping_now(void) {
    return (int)(~(wi__fp_mxcsr() >> 7) & WI__FP_EXCEPTS);
}

#elif defined(__aarch64__)

enum {
    WI__FP_ALL_FLAGS = 0x9f /* FE_ALL_EXCEPT and that of denormal operands */
};
#define WI__FP_ROUNDING ((uint32_t)0xc00000)
#define WI__FP_FLUSH ((uint32_t)1 << 24)

static inline uint64_t wi__fp_fpsr(void) {
    uint64_t fpsr;
    __asm__ volatile("mrs %0, fpsr" : "=r"(fpsr) : : "memory");
    return fpsr;
}

static inline uint32_t wi__fp_flags(void) { return (uint32_t)wi__fp_fpsr() & WI__FP_ALL_FLAGS; }

static inline void wi__fp_set_flags(uint32_t flags) {
    uint64_t fpsr = wi__fp_fpsr(), wanted = (fpsr & ~(uint64_t)WI__FP_ALL_FLAGS) | flags;
    if (wanted != fpsr) __asm__ volatile("msr fpsr, %0" : : "r"(wanted) : "memory");
}

static inline int wi__fp_excepts_of(uint32_t flags) { return (int)flags & WI__FP_EXCEPTS; }

static inline uint32_t wi__fp_mark(int excepts) { return FE_UNDERFLOW & ~(uint32_t)excepts; }

static inline uint32_t wi__fp_control(void) {
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr) : : "memory");
    return (uint32_t)fpcr;
}

static inline void wi__fp_set_control(uint32_t control) {
    if (control != wi__fp_control())
        __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)control) : "memory");
}

static inline uint32_t wi__fp_rounding(int mode) { return (uint32_t)mode; }
static inline uint32_t wi__fp_trap_bits(int excepts) { return (uint32_t)excepts << 8; }

static inline uint32_t wi__fp_trapping(int excepts, int all) {
    (void)all;
    return wi__fp_trap_bits(excepts);
}

static inline uint32_t wi__fp_masked(int excepts) {
    (void)excepts;
    return 0;
}

static inline int wi__fp_trapping_now(void) {
    return (int)(wi__fp_control() >> 8 & WI__FP_EXCEPTS);
}

#else /* what C itself offers */

#define WI__FP_ROUNDING ((uint32_t)(FE_TONEAREST | FE_UPWARD | FE_DOWNWARD | FE_TOWARDZERO))
#define WI__FP_FLUSH ((uint32_t)0)

static inline uint32_t wi__fp_flags(void) { return (uint32_t)fetestexcept(WI__FP_EXCEPTS); }

static inline void wi__fp_set_flags(uint32_t flags) {
    feclearexcept(WI__FP_EXCEPTS);
    if (flags) feraiseexcept((int)flags);
}

static inline int wi__fp_excepts_of(uint32_t flags) { return (int)flags; }
static inline uint32_t wi__fp_mark(int excepts) { return FE_UNDERFLOW & ~(uint32_t)excepts; }
static inline uint32_t wi__fp_control(void) { return (uint32_t)fegetround(); }
static inline void wi__fp_set_control(uint32_t control) { fesetround((int)control); }
static inline uint32_t wi__fp_rounding(int mode) { return (uint32_t)mode; }

static inline uint32_t wi__fp_trap_bits(int excepts) {
    (void)excepts;
    return 0;
}

static inline uint32_t wi__fp_trapping(int excepts, int all) {
    (void)excepts, (void)all;
    return 0;
}

static inline uint32_t wi__fp_masked(int excepts) {
    (void)excepts;
    return 0;
}

static inline int wi__fp_trapping_now(void) { return 0; }

#endif

#endif
