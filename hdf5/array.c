/* Arrays: datasets that are written and read as a whole. */
#include "file.h"
#include "trouble.h"
#include "types.h"

/* Is there something at this path? H5Lexists wants each part of a path to be there. */
static int is_there(const wi_h5_file *file, const char *name) {
    return H5Oexists_by_name(file->id, name, H5P_DEFAULT) > 0;
}

static void require_rank(const wi_h5_file *file, const char *name, const wi_shape *shape) {
    if (shape->rank > WI_H5_RANK_MAX)
        wi_raise(WI_VALUE_ERROR, "%s: %s: %zu dimensions, and %d is the most", file->path, name,
                 shape->rank, WI_H5_RANK_MAX);
}

static hid_t open_dataset(const wi_h5_file *file, const char *name) {
    hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (dataset < 0 && !file->open->disk->read_error && !is_there(file, name))
        wi_raise(WI_LOOKUP_ERROR, "%s: %s: there is no such dataset", file->path, name);
    return wi_h5_check(file, dataset, "open dataset %s", name);
}

/* Raise `kind` if the dataset is not of this type and shape. */
static void require_fit(const wi_h5_file *file, const char *name, hid_t dataset, wi_h5_type type,
                        const wi_shape *shape, const wi_error_type *kind) {
    wi_use(its_type,
           wi__h5_hold(wi_h5_check(file, H5Dget_type(dataset), "%s: ask for its type", name)));
    wi_use(space,
           wi__h5_hold(wi_h5_check(file, H5Dget_space(dataset), "%s: ask for its shape", name)));
    wi_shape its_shape = wi__h5_shape_of_space(space->id);
    char its[WI__H5_TEXT_MAX], wanted[WI__H5_TEXT_MAX];
    if (!wi__h5_is_type(its_type->id, type)) {
        wi__h5_describe_type(its_type->id, its);
        wi_raise(kind, "%s: %s: is %s, not %s", file->path, name, its, wi__h5_type_name(type));
    }
    if (!wi__h5_same_shape(&its_shape, shape)) {
        wi__h5_describe_shape(&its_shape, its);
        wi__h5_describe_shape(shape, wanted);
        wi_raise(kind, "%s: %s: is %s, not %s", file->path, name, its, wanted);
    }
}

static hid_t create_dataset(const wi_h5_file *file, const char *name, wi_h5_type type,
                            const wi_shape *shape) {
    wi__h5_require_creating(file, "create dataset", name);
    wi_use(space, wi__h5_hold(wi_h5_check(file, wi__h5_space_of_shape(shape), "%s: shape", name)));
    wi_use(links, wi__h5_hold(wi__h5_links_with_groups(file)));
    return wi_h5_check(file,
                       H5Dcreate2(file->id, name, wi__h5_file_type(type), space->id, links->id,
                                  H5P_DEFAULT, H5P_DEFAULT),
                       "create dataset %s", name);
}

hid_t wi__h5_links_with_groups(const wi_h5_file *file) {
    hid_t links = wi_h5_check(file, H5Pcreate(H5P_LINK_CREATE), "make a list of properties");
    wi_h5_check(file, H5Pset_create_intermediate_group(links, 1), "choose to make groups");
    wi_h5_check(file, H5Pset_char_encoding(links, H5T_CSET_UTF8), "choose UTF-8");
    return links;
}

void wi__h5_write(wi_h5_file *file, const char *name, const void *data, wi_h5_type type,
                  wi_shape shape) {
    wi__h5_require_writing(file);
    require_rank(file, name, &shape);
    wi_use(wi__h5_silent());
    int is_new = !is_there(file, name);
    wi_use(dataset, wi__h5_hold(is_new ? create_dataset(file, name, type, &shape)
                                       : open_dataset(file, name)));
    if (!is_new) require_fit(file, name, dataset->id, type, &shape, WI_VALUE_ERROR);
    wi_h5_check(
        file, H5Dwrite(dataset->id, wi__h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data),
        "write dataset %s", name);
}

void wi__h5_read(wi_h5_file *file, const char *name, void *buffer, wi_h5_type type,
                 wi_shape shape) {
    wi__h5_require_open(file);
    require_rank(file, name, &shape);
    wi_use(wi__h5_silent());
    wi_use(dataset, wi__h5_hold(open_dataset(file, name)));
    require_fit(file, name, dataset->id, type, &shape, WI_DATA_ERROR);
    wi_h5_check(
        file, H5Dread(dataset->id, wi__h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer),
        "read dataset %s", name);
}

wi_shape wi_h5_shape(wi_h5_file *file, const char *name) {
    wi__h5_require_open(file);
    wi_use(wi__h5_silent());
    wi_use(dataset, wi__h5_hold(open_dataset(file, name)));
    wi_use(space, wi__h5_hold(wi_h5_check(file, H5Dget_space(dataset->id), "%s: shape", name)));
    wi_shape shape = wi__h5_shape_of_space(space->id);
    if (shape.rank > WI_H5_RANK_MAX)
        wi_raise(WI_DATA_ERROR, "%s: %s: has %zu dimensions, and %d is the most", file->path, name,
                 shape.rank, WI_H5_RANK_MAX);
    return shape;
}
