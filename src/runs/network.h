/* File systems over a network, which cannot be trusted with shared maps, nor with SQLite's write-ahead log. */
#ifndef WITHIN_RUNS_NETWORK_H
#define WITHIN_RUNS_NETWORK_H

/** Is the file or folder of this descriptor on one? Where it cannot be told: no. */
int wi__is_on_a_network(int descriptor);

#endif
