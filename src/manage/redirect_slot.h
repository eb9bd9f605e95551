/*
 * A descriptor that leads elsewhere for a while, and what it led to before.
 *
 *     wi__slot_keep(&slot, fd);         what it leads to is remembered
 *     wi__slot_lead(&slot, target);     it leads to what target does
 *     wi__slot_put_back(&slot);         and again to what it did
 *
 * Slots of one descriptor may be put back in any order: the newest that is left says where it leads, and the last
 * puts back what the first has found.
 */
#ifndef WITHIN_MANAGE_REDIRECT_SLOT_H
#define WITHIN_MANAGE_REDIRECT_SLOT_H

typedef struct wi__slot {
    int fd;
    int kept;               /* what it led to; -1: it was closed */
    int cloexec;            /* O_CLOEXEC if it had it */
    struct wi__slot *older; /* of those that lead elsewhere, of any descriptor */
} wi__slot;

/** Remember what a descriptor leads to. @return 0 or an errno value; then nothing is open. */
int wi__slot_keep(wi__slot *slot, int fd);
/** Undo wi__slot_keep. */
void wi__slot_drop(wi__slot *slot);
/** Let it lead to what target does. @return 0 or an errno value; then it is as it was, and kept still. */
int wi__slot_lead(wi__slot *slot, int target);
/** Let it lead to what it did, and forget that. @return 0 or an errno value. */
int wi__slot_put_back(wi__slot *slot);

/** The same open file with a number out of the way of 0, 1, 2 and fd; `own` is closed if it is another. -1: errno. */
int wi__out_of_the_way(int own, int fd);

/** Do two descriptors lead to one file, pipe or terminal? */
int wi__same_place(int one, int other);

#endif
