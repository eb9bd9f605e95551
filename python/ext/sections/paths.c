/* The lines of a report, read from this process's own record. */
#include "sections/paths.h"

#include <math.h>
#include <string.h>

#include "record/profile.h"

/* Where a path's text begins once the root of its tree is left out; -1 if that is another than `top`. */
static Py_ssize_t text_begin(const wi__profile *profile, uint32_t path, const char *top) {
    uint32_t above = profile->paths[path].parent;
    if (above == WI__NO_PATH || above == WI__ROOT) return -1;
    while (profile->paths[above].parent != WI__ROOT) above = profile->paths[above].parent;
    if (!profile->paths[above].apart || strcmp(profile->paths[above].name, top) != 0) return -1;
    return (Py_ssize_t)(strlen(top) + strlen(" > "));
}

static PyObject *text_of(const wi__profile *profile, uint32_t path, Py_ssize_t begin) {
    size_t length = wi__path_text(profile, path, NULL, 0);
    char *text = PyMem_Malloc(length + 1);
    if (!text) return PyErr_NoMemory();
    wi__path_text(profile, path, text, length + 1);
    PyObject *string = PyUnicode_DecodeUTF8(text + begin, (Py_ssize_t)length - begin, "replace");
    PyMem_Free(text);
    return string;
}

static PyObject *bytes_or_none(double bytes) {
    return isnan(bytes) ? Py_NewRef(Py_None) : PyLong_FromDouble(bytes);
}

static PyObject *line_of(const wi__profile *profile, uint32_t path, Py_ssize_t begin) {
    PyObject *text = text_of(profile, path, begin);
    if (!text) return NULL;
    wi__figures f = wi__path_figures(profile, path);
    return Py_BuildValue("(NKddddddddKNNN)", text, (unsigned long long)f.calls, f.total_s, f.self_s,
                         f.mean_s, f.std_s, f.min_s, f.p50_s, f.p99_s, f.max_s,
                         (unsigned long long)f.errors,
                         isnan(f.gpu_s) ? Py_NewRef(Py_None) : PyFloat_FromDouble(f.gpu_s),
                         bytes_or_none(f.gpu_delta), bytes_or_none(f.gpu_peak));
}

static int append_line(PyObject *lines, const wi__profile *profile, uint32_t path,
                       const char *top) {
    Py_ssize_t begin = text_begin(profile, path, top);
    if (begin < 0 || profile->paths[path].calls + profile->paths[path].open_calls == 0) return 0;
    PyObject *line = line_of(profile, path, begin);
    int failed = line ? PyList_Append(lines, line) : -1;
    Py_XDECREF(line);
    return failed;
}

static PyObject *lines_of(const wi__profile *profile, const char *top) {
    PyObject *lines = PyList_New(0);
    for (uint32_t path = WI__ROOT + 1; lines && path < profile->path_count; path++)
        if (append_line(lines, profile, path, top)) Py_CLEAR(lines);
    return lines;
}

PyObject *within_paths(const char *top) {
    wi__profile profile;
    int read;
    Py_BEGIN_ALLOW_THREADS read = wi__profile_of_self(&profile);
    Py_END_ALLOW_THREADS if (!read) return PyErr_NoMemory();
    PyObject *lines = lines_of(&profile, top);
    wi__profile_release(&profile);
    return lines;
}
