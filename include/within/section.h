/*
 * Sections: blocks that measure themselves.
 *
 *     within (wi_section("sweep")) {
 *         within (wi_section("snr")) { … }
 *     }
 *
 * Each path of nested sections has one line in the report: calls, total, self, mean, std, min,
 * percentiles, max, errors. Memory grows with the number of paths, never with the number of calls.
 * A section never fails and never changes the program: what cannot be recorded is dropped and counted.
 */
#ifndef WITHIN_SECTION_H
#define WITHIN_SECTION_H

#include <within/block.h>
#include <within/record.h>

WI__BEGIN_DECLS

/* Bytes of a section's name; a longer one is cut, and marked with "…". */
typedef struct wi_section {
    const wi_protocol *protocol;
    const char *name;
    wi__opened opened;
} wi_section;

/**
 * A manager that measures its block under `name`.
 *
 * @param name  text, cut at WI_NAME_MAX bytes; read when the block is entered, not kept. A literal is
 *              found again by its place in the source; any other string by its contents, which costs
 *              some more.
 *
 * Threads: each measures into a tree of its own; reports merge them. Cost: little more than two reads
 * of the clock; the first call on a path allocates in the record.
 */
#define wi_section(name) wi__section(WI__SECTION_PROTOCOL(name), WI__SITE, name)

/* ---- behind the macros ---- */

WI_API void wi__section_enter(void *section);       /* looks its path up by site */
WI_API void wi__named_section_enter(void *section); /* looks its path up by name */
WI_API wi_verdict wi__section_exit(void *section, wi_reason reason, const wi_error *error);
WI_API void wi__section_describe(const void *section, char *buffer, size_t size);

/* Here and not in the library, so that blocks call the functions directly. */
static const wi_protocol wi__section_protocol = {"section", wi__section_enter, wi__section_exit,
                                                 wi__section_describe};
static const wi_protocol wi__named_section_protocol = {"section", wi__named_section_enter,
                                                       wi__section_exit, wi__section_describe};

#define WI__SECTION_PROTOCOL(name)                                                                 \
    (WI__IS_LITERAL(name) ? &wi__section_protocol : &wi__named_section_protocol)

WI__INLINE wi_section wi__section(const wi_protocol *protocol, const wi_place *site,
                                  const char *name) {
    wi_section section;
    section.protocol = protocol;
    section.opened.site = site;
    section.name = name;
    return section;
}

WI__END_DECLS

#endif
