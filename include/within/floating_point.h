/*
 * Floating-point arithmetic for a block: its errors raised, its rounding chosen, its denormal numbers flushed.
 *
 *     within (wi_fp_guard(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW)) { average(samples, n); }
 *     within (wi_rounding(FE_UPWARD)) { upper = sum(terms, n); }
 *     within (wi_flush_denormals(1)) { filter(samples, n); }
 *
 * Flags and modes belong to the thread, and a thread that is started inside such a block inherits them. Each
 * manager puts back the bits that it has changed and no others, so that they may be left in any order.
 */
#ifndef WITHIN_FLOATING_POINT_H
#define WITHIN_FLOATING_POINT_H

#include <fenv.h>
#include <stdint.h>

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

/* Bits of the thread's control registers that an open block has changed. */
typedef struct wi__fp_layer {
    uint32_t bits;   /* which */
    uint32_t before; /* what they were, or will be */
    struct wi__fp_layer *below, *above;
    struct wi_fp_guard *guard; /* whose it is; NULL: of a mode */
    const void *thread;        /* on which its block was entered; NULL: it is not open */
} wi__fp_layer;

typedef struct wi_fp_guard_options {
    int trap;   /* nonzero: raise at the instruction */
    int locate; /* nonzero: raise at the block's end, and tell where it happened first */
} wi_fp_guard_options;

typedef struct wi_fp_guard {
    const wi_protocol *protocol;
    const wi_place *place; /* of the block; the error's */
    int excepts;
    wi_fp_guard_options options;
    int marked; /* nonzero: flags count only if nobody clears any in the block, as NumPy does */
    int seen;   /* what blocks inside could not report */
    uint32_t outside;  /* the flags before the block */
    const void *first; /* the instruction that .locate has found */
    wi__fp_layer traps;
    wi_holding holding;
} wi_fp_guard;

/**
 * Raise an error if the block's arithmetic has: wi_fp_guard(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW), or
 * wi_fp_guard(FE_INVALID, .trap = 1).
 *
 * The flags are saved and cleared when the block begins. At its end those that its arithmetic raised become an
 * error, and all are what they were before, on every way out. A block that is left early raises nothing: the
 * guard around it reports what it raised, and where there is none a line on stderr does. An error that
 * passes goes on, whatever the flags. Of nested guards the innermost that looks for a flag reports it.
 *
 * With .trap the processor interrupts the instruction, and the error is raised there, out of a handler of
 * SIGFPE: what the block was calculating is lost, and no C++ destructor may be in between. Only the first is:
 * after an error that was handled inside the block, flags are reported at its end. With .locate the first
 * instruction is only noted, the calculation goes on, and the error at the block's end names it; in
 * x87 arithmetic (long double) it is not found. .trap goes before .locate.
 *
 * SIGFPE: the handler is the process's, while there are such blocks and until no other thread lives. What is not
 * a guard's, integer division by zero for one, goes to the handler that was there before.
 *
 * @param excepts  FE_INVALID, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW, FE_INEXACT, joined by |.
 * @raise on enter WI_VALUE_ERROR if `excepts` is none of these; WI_USAGE_ERROR if the guard is in a block already;
 *        with .trap or .locate WI_OS_ERROR where the processor cannot trap, as most of aarch64.
 * @raise on exit WI_FLOATING_POINT_ERROR, which names the flags and has the block's place; WI_USAGE_ERROR on
 *        another thread than that of enter, where nothing is put back.
 *
 * Compilers move arithmetic across calls: docs/state/floating_point.md tells how to be sure of what is inside.
 * Threads: it sees the arithmetic of the thread that entered it. Cost: that of feclearexcept and
 * fetestexcept or less, and the line in the ledger, some 100 ns; with .trap and .locate four system calls.
 * Source: IEEE 754-2019, section 7.
 */
#define wi_fp_guard(...) WI__FP_GUARD(__VA_ARGS__, )
#define WI__FP_GUARD(excepts, ...)                                                                 \
    wi__fp_guard(WI__HERE, excepts, WI__FIELDS_MAY_BE_MISSING(wi_fp_guard_options, {__VA_ARGS__}))

typedef struct wi__fp_mode {
    const wi_protocol *protocol;
    int mode;
    wi__fp_layer layer;
    wi_holding holding;
} wi__fp_mode;

typedef wi__fp_mode wi_rounding;
typedef wi__fp_mode wi_flush_denormals;

/**
 * Round in one direction: wi_rounding(FE_UPWARD). On x86-64 both SSE and x87 arithmetic do, and each is put back
 * as it was.
 *
 * @param mode  FE_TONEAREST, FE_UPWARD, FE_DOWNWARD or FE_TOWARDZERO.
 * @raise on enter WI_VALUE_ERROR for any other; WI_USAGE_ERROR if the manager is in a block already.
 * @raise on exit WI_USAGE_ERROR on another thread than that of enter, where nothing is put back.
 *
 * Compile what is calculated in the block with -frounding-math; the C library's functions (exp, printf) are
 * right to nearest only. Threads: of the thread that entered it. Cost: that of fesetround twice or less, and
 * the line in the ledger, some 100 ns. Source: IEEE 754-2019, section 4.3.
 */
#define wi_rounding(mode) wi__rounding(mode)

/**
 * Take denormal numbers for zero, as operands and as results, or with 0 calculate with them:
 * wi_flush_denormals(1). Numbers below 2.2e-308 (double) or 1.2e-38 (float) cost a hundred cycles each on many
 * processors. On x86-64 it is FTZ and DAZ of SSE arithmetic, on aarch64 FZ.
 *
 * @raise on enter WI_OS_ERROR on other processors; WI_USAGE_ERROR if the manager is in a block already.
 * @raise on exit WI_USAGE_ERROR on another thread than that of enter, where nothing is put back.
 *
 * Threads and cost: as wi_rounding. Source: Intel 64 and IA-32 Software Developer's Manual, volume 1, section
 * 10.2.3; Arm Architecture Reference Manual, FPCR.
 */
#define wi_flush_denormals(on) wi__flush_denormals(on)

/* ---- behind the macros ---- */

WI_API wi_fp_guard wi__fp_guard(const wi_place *place, int excepts, wi_fp_guard_options options);
WI_API wi__fp_mode wi__rounding(int mode);
WI_API wi__fp_mode wi__flush_denormals(int on);

WI__END_DECLS

#endif
