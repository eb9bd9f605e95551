/* wi_section: a block that measures itself. */
#include <within/section.h>

#include <stdio.h>

#include <within/interrupts.h>

#include "manage/safe_point.h"
#include "record/scope.h"

/* The rare cases are calls of their own, so that the usual one keeps nothing across a call. */
WI__RARE static void enter_when_due(wi_section *section) {
    wi__safe_point(section->opened.site);
    wi__scope_begin(&section->opened, section->name);
}

void wi__section_enter(void *self) {
    wi_section *section = self;
    if (wi__safe_point_is_due())
        enter_when_due(section);
    else
        wi__scope_begin(&section->opened, section->name);
}

void wi__named_section_enter(void *self) {
    wi_section *section = self;
    wi__poll(section->opened.site);
    wi__scope_begin_by_name(&section->opened, section->name);
}

WI__RARE static wi_verdict exit_when_due(const wi_section *section) {
    wi__scope_end(&section->opened, WI_END);
    wi__safe_point_of_exit(section->opened.site);
    return WI_PROPAGATE;
}

wi_verdict wi__section_exit(void *self, wi_reason reason, const wi_error *error) {
    (void)error;
    wi_section *section = self;
    if (wi__safe_point_is_due() && reason == WI_END) return exit_when_due(section);
    return wi__scope_end(&section->opened, reason);
}

void wi__section_describe(const void *self, char *buffer, size_t size) {
    const wi_section *section = self;
    snprintf(buffer, size, "%s", section->name ? section->name : "(null)");
}
