/*
 * The bytes of a record, checked: every number is looked at before it is used.
 *
 * Invariant: what these functions hand out lies inside the bytes, and no two nodes or regions overlap. A
 * reading of a live process's record is a copy; a node that changed while it was copied is read again, a
 * few times at most.
 */
#ifndef WITHIN_RECORD_READER_H
#define WITHIN_RECORD_READER_H

#include <stddef.h>

#include "record/format.h"

/** Where the bytes were copied from, to read torn nodes again. */
typedef struct wi__source {
    int file; /* or -1 */
    int own;  /* this process's own record */
} wi__source;

typedef struct wi__reader {
    const unsigned char *bytes;
    size_t length;
    uint32_t cells;     /* in use, and inside the bytes */
    uint32_t lost_from; /* cells from here on were in the process's memory only; 0: none */
    wi__source source;
    unsigned char *visited; /* a bit a cell */
    uint32_t damaged, torn;
} wi__reader;

/** Check the header. 0, with the reason in `why`, if the bytes are no record of this version. */
int wi__reader_begin(wi__reader *reader, const void *bytes, size_t length, wi__source source,
                     char *why, size_t size);
void wi__reader_end(wi__reader *reader);
/** The header, its texts ended by '\0'. */
wi__header wi__reader_header(const wi__reader *reader);
/** Was what is at this cell never in the file, because that could not grow? */
int wi__reader_is_lost(const wi__reader *reader, uint32_t cell);
/** The region at a cell, or NULL. Each is handed out once, which cuts cycles. */
const wi__region *wi__reader_region(wi__reader *reader, uint32_t cell);
/** The node at a cell, copied; 0 if there is none, or it was handed out before. */
int wi__reader_node(wi__reader *reader, uint32_t cell, wi__node *node);
/** What a node did on a GPU, at a cell: copied; 0 if there is nothing, or it was handed out before. */
int wi__reader_gpu_counts(wi__reader *reader, uint32_t cell, wi__gpu_counts *counts);
/** A node's name as printable UTF-8, ended by '\0', "…" added if it was cut. */
void wi__reader_name(wi__reader *reader, const wi__node *node, char *buffer, size_t size);
/** The lines that explain a finding, as printable UTF-8 with '\n' between; "" if there are none. */
void wi__reader_explanation(wi__reader *reader, const wi__tally *finding, char *buffer,
                            size_t size);
/** How many spans are open in a node: 0 if that makes no sense, or it is not one of spans. */
uint32_t wi__reader_spans(const wi__node *node);
/** How many calls are in a bucket of a node's histogram, the pending call included. */
uint64_t wi__reader_bucket(const wi__reader *reader, const wi__node *node, uint32_t bucket);

#endif
