/* All that is in a file, copied into another. */
#include "objects.h"

#include <stdlib.h>

#include "file.h"
#include "trouble.h"
#include "types.h"

typedef struct copying {
    wi_h5_file *from, *to;
    wi_error *error; /* HDF5 walks between here and who can raise it */
} copying;

/* ---- links of the root group ---- */

static void copy_soft_link(const copying *copy, const char *name, const H5L_info_t *info) {
    char *target = malloc(info->u.val_size);
    if (!target) wi_raise(WI_MEMORY_ERROR, "%s: link %s", copy->from->path, name);
    herr_t done = H5Lget_val(copy->from->id, name, target, info->u.val_size, H5P_DEFAULT);
    if (done >= 0) done = H5Lcreate_soft(target, copy->to->id, name, H5P_DEFAULT, H5P_DEFAULT);
    free(target);
    wi_h5_check(copy->from, done, "copy link %s", name);
}

static void copy_external_link(const copying *copy, const char *name, const H5L_info_t *info) {
    const char *path, *object;
    char *packed = malloc(info->u.val_size);
    if (!packed) wi_raise(WI_MEMORY_ERROR, "%s: link %s", copy->from->path, name);
    herr_t done = H5Lget_val(copy->from->id, name, packed, info->u.val_size, H5P_DEFAULT);
    if (done >= 0) done = H5Lunpack_elink_val(packed, info->u.val_size, NULL, &path, &object);
    if (done >= 0)
        done = H5Lcreate_external(path, object, copy->to->id, name, H5P_DEFAULT, H5P_DEFAULT);
    free(packed);
    wi_h5_check(copy->from, done, "copy link %s", name);
}

typedef struct link {
    const copying *copy;
    const char *name;
    const H5L_info_t *info;
} link;

static void copy_link(void *arg) {
    const link *it = arg;
    const copying *copy = it->copy;
    if (it->info->type == H5L_TYPE_SOFT)
        copy_soft_link(copy, it->name, it->info);
    else if (it->info->type == H5L_TYPE_EXTERNAL)
        copy_external_link(copy, it->name, it->info);
    else {
        herr_t done =
            H5Ocopy(copy->from->id, it->name, copy->to->id, it->name, H5P_DEFAULT, H5P_DEFAULT);
        wi_h5_check(copy->to, 0, "copy %s", it->name);
        wi_h5_check(copy->from, done, "copy %s", it->name);
    }
}

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *arg) {
    copying *copy = arg;
    link it = {copy, name, info};
    (void)group;
    return wi_call(copy_link, &it, &copy->error) ? 0 : -1;
}

/* ---- attributes of the root group ---- */

static void copy_value(const copying *copy, const char *name, hid_t from, hid_t type, hid_t space,
                       hid_t to) {
    size_t count = (size_t)H5Sget_simple_extent_npoints(space), size = H5Tget_size(type);
    void *value = calloc(count ? count : 1, size);
    if (!value) wi_raise(WI_MEMORY_ERROR, "%s: attribute %s", copy->from->path, name);
    herr_t done = H5Aread(from, type, value);
    if (done >= 0) done = H5Awrite(to, type, value);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
    free(value);
    wi_h5_check(copy->from, done, "copy attribute %s", name);
}

static void copy_attribute(const copying *copy, const char *name) {
    const wi_h5_file *from = copy->from, *to = copy->to;
    wi_use(old, wi__h5_hold(wi_h5_check(from, H5Aopen(from->id, name, H5P_DEFAULT),
                                        "open attribute %s", name)));
    wi_use(type, wi__h5_hold(wi_h5_check(from, H5Aget_type(old->id), "attribute %s", name)));
    wi_use(space, wi__h5_hold(wi_h5_check(from, H5Aget_space(old->id), "attribute %s", name)));
    wi_use(new, wi__h5_hold(wi_h5_check(
                    to, H5Acreate2(to->id, name, type->id, space->id, H5P_DEFAULT, H5P_DEFAULT),
                    "create attribute %s", name)));
    copy_value(copy, name, old->id, type->id, space->id, new->id);
}

typedef struct attribute {
    const copying *copy;
    const char *name;
} attribute;

static void copy_named(void *arg) {
    const attribute *it = arg;
    copy_attribute(it->copy, it->name);
}

static herr_t visit_attribute(hid_t group, const char *name, const H5A_info_t *info, void *arg) {
    copying *copy = arg;
    attribute it = {copy, name};
    (void)group, (void)info;
    return wi_call(copy_named, &it, &copy->error) ? 0 : -1;
}

void wi__h5_copy_objects(wi_h5_file *from, wi_h5_file *to) {
    copying copy = {from, to, NULL};
    wi_use(wi__h5_silent());
    hsize_t at = 0;
    herr_t done = H5Aiterate2(from->id, H5_INDEX_NAME, H5_ITER_NATIVE, &at, visit_attribute, &copy);
    at = 0;
    if (done >= 0)
        done = H5Literate(from->id, H5_INDEX_NAME, H5_ITER_NATIVE, &at, visit_link, &copy);
    if (copy.error) wi_reraise(copy.error);
    wi_h5_check(from, done, "list what is in it");
}

/* ---- what was found ---- */

typedef struct counting {
    wi_h5_file *file;
    FILE *listing;
    size_t count;
} counting;

static void list_dataset(const counting *found, hid_t dataset, const char *name) {
    char shape_text[WI__H5_TEXT_MAX], type_text[WI__H5_TEXT_MAX];
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    wi_shape shape = wi__h5_shape_of_space(space);
    wi__h5_describe_shape(&shape, shape_text);
    wi__h5_describe_type(type, type_text);
    fprintf(found->listing, "%s: %s of %s\n", name, shape_text, type_text);
    H5Sclose(space);
    H5Tclose(type);
}

static herr_t visit_object(hid_t root, const char *name, const H5O_info_t *info, void *arg) {
    counting *found = arg;
    if (info->type != H5O_TYPE_DATASET) return 0;
    found->count++;
    hid_t dataset = found->listing ? H5Dopen2(root, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (dataset < 0) return 0;
    list_dataset(found, dataset, name);
    H5Dclose(dataset);
    return 0;
}

size_t wi__h5_list_datasets(wi_h5_file *file, FILE *listing) {
    counting found = {file, listing, 0};
    wi_use(wi__h5_silent());
    wi_h5_check(file, H5Ovisit(file->id, H5_INDEX_NAME, H5_ITER_INC, visit_object, &found),
                "list what is in it");
    return found.count;
}
