/* wi_rounding, wi_flush_denormals: how a block's arithmetic is done. */
#include <errno.h>
#include <stdio.h>

#include "manage/fp_layer.h"
#include "manage/fp_registers.h"

static const char *rounding_name(int mode) {
    switch (mode) {
    case FE_TONEAREST: return "nearest";
    case FE_UPWARD: return "upward";
    case FE_DOWNWARD: return "downward";
    case FE_TOWARDZERO: return "towardzero";
    default: return NULL;
    }
}

static const char *flush_name(int on) { return on ? "on" : "off"; }

static void rounding_enter(void *self) {
    wi__fp_mode *rounding = self;
    const char *name = rounding_name(rounding->mode);
    if (!name)
        wi_raise(WI_VALUE_ERROR,
                 "rounding: %d is none of FE_TONEAREST, FE_UPWARD, FE_DOWNWARD and FE_TOWARDZERO",
                 rounding->mode);
    wi__fp_layer_check_closed(&rounding->layer, "rounding");
    rounding->holding = wi_hold("rounding", "%s", name);
    wi__fp_layer_open(&rounding->layer, WI__FP_ROUNDING, wi__fp_rounding(rounding->mode));
}

static void flush_enter(void *self) {
    wi__fp_mode *flush = self;
    if (!WI__FP_FLUSH) wi_raise_errno(ENOTSUP, "flush_denormals: this processor has no such mode");
    wi__fp_layer_check_closed(&flush->layer, "flush_denormals");
    flush->holding = wi_hold("flush_denormals", "%s", flush_name(flush->mode));
    wi__fp_layer_open(&flush->layer, WI__FP_FLUSH, flush->mode ? WI__FP_FLUSH : 0);
}

static wi_verdict mode_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)reason, (void)error;
    wi__fp_mode *mode = self;
    wi__fp_layer_check_open_here(&mode->layer, mode->protocol->name);
    wi__fp_layer_close(&mode->layer);
    wi_let_go(mode->holding);
    return WI_PROPAGATE;
}

static void rounding_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", rounding_name(((const wi__fp_mode *)self)->mode));
}

static void flush_describe(const void *self, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", flush_name(((const wi__fp_mode *)self)->mode));
}

static const wi_protocol rounding_protocol = {"rounding", rounding_enter, mode_exit,
                                              rounding_describe};
static const wi_protocol flush_protocol = {"flush_denormals", flush_enter, mode_exit,
                                           flush_describe};

static wi__fp_mode make(const wi_protocol *protocol, int mode) {
    wi__fp_mode made = {protocol, mode, {0, 0, NULL, NULL, NULL, NULL}, {NULL, 0}};
    return made;
}

wi__fp_mode wi__rounding(int mode) { return make(&rounding_protocol, mode); }
wi__fp_mode wi__flush_denormals(int on) { return make(&flush_protocol, on != 0); }
