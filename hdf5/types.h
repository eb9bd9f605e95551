/* Types and shapes: those of C, those of HDF5, and how messages name them. */
#ifndef WITHIN_HDF5_TYPES_OF_HDF5_H
#define WITHIN_HDF5_TYPES_OF_HDF5_H

#include <hdf5.h>
#include <within/hdf5.h>

enum { WI__H5_TEXT_MAX = 256 };

/** "float64"; "text" for WI_H5_TEXT. */
const char *wi__h5_type_name(wi_h5_type type);
/** How the processor has it; owned by HDF5. */
hid_t wi__h5_memory_type(wi_h5_type type);
/** How files have it, little-endian; owned by HDF5. */
hid_t wi__h5_file_type(wi_h5_type type);
size_t wi__h5_size(wi_h5_type type);
/** Is a type of a file this one, in whichever byte order? */
int wi__h5_is_type(hid_t type, wi_h5_type wanted);
/** What a type of a file is called: "float64", "text", "a compound". */
void wi__h5_describe_type(hid_t type, char text[WI__H5_TEXT_MAX]);

/** "3 x 2", "1 element" for no length. */
void wi__h5_describe_shape(const wi_shape *shape, char text[WI__H5_TEXT_MAX]);
int wi__h5_same_shape(const wi_shape *a, const wi_shape *b);
/** The shape of a dataspace; its rank may be beyond WI_H5_RANK_MAX, and the lengths are 0 then. */
wi_shape wi__h5_shape_of_space(hid_t space);
/** A dataspace; negative if HDF5 cannot. The rank is one that can be. */
hid_t wi__h5_space_of_shape(const wi_shape *shape);

#endif
