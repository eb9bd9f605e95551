/* Frames, as each version of CPython keeps them: the only file that looks inside the interpreter. */
#define Py_BUILD_CORE
#include "sections/frames.h"

#if PY_VERSION_HEX < 0x030B0000

#include <frameobject.h>

static PyFrameObject *object_of(const within_frame *frame) { return (PyFrameObject *)frame; }

within_running within_frame_running(void) {
    PyFrameObject *frame = _PyThreadState_UncheckedGet()->frame;
    if (!frame) return (within_running){NULL, NULL, 0};
    return (within_running){(within_frame *)frame, frame->f_globals, frame->f_gen != NULL};
}

within_frame *within_frame_outer(within_frame *frame) {
    return (within_frame *)object_of(frame)->f_back;
}

int within_frame_can_wait(const within_frame *frame) { return object_of(frame)->f_gen != NULL; }

PyObject *within_frame_generator(const within_frame *frame) { return object_of(frame)->f_gen; }

PyObject *within_frame_globals(const within_frame *frame) { return object_of(frame)->f_globals; }

PyObject *within_frame_name(const within_frame *frame) { return object_of(frame)->f_code->co_name; }

#elif PY_VERSION_HEX < 0x03100000

#include <stddef.h>

#if PY_VERSION_HEX < 0x030E0000
#include <internal/pycore_frame.h>
#else
#include <internal/pycore_interpframe_structs.h>
#include <internal/pycore_stackref.h>
#endif

/* Those that the interpreter puts between two of Python's code, and whose fields are not filled. */
enum { FIRST_OWNER_OF_SHIMS = 3 };

static const _PyInterpreterFrame *data_of(const within_frame *frame) {
    return (const _PyInterpreterFrame *)frame;
}

static inline _PyInterpreterFrame *without_shims(_PyInterpreterFrame *frame) {
    while (frame && frame->owner >= FIRST_OWNER_OF_SHIMS) frame = frame->previous;
    return frame;
}

static inline _PyInterpreterFrame *current(void) {
#if PY_VERSION_HEX < 0x030D0000
    return _PyThreadState_UncheckedGet()->cframe->current_frame;
#else
    return PyThreadState_GetUnchecked()->current_frame;
#endif
}

within_running within_frame_running(void) {
    _PyInterpreterFrame *frame = without_shims(current());
    if (!frame) return (within_running){NULL, NULL, 0};
    return (within_running){(within_frame *)frame, frame->f_globals,
                            frame->owner == FRAME_OWNED_BY_GENERATOR};
}

within_frame *within_frame_outer(within_frame *frame) {
    return (within_frame *)without_shims(data_of(frame)->previous);
}

int within_frame_can_wait(const within_frame *frame) {
    return data_of(frame)->owner == FRAME_OWNED_BY_GENERATOR;
}

PyObject *within_frame_generator(const within_frame *frame) {
    return (PyObject *)((char *)frame - offsetof(PyGenObject, gi_iframe));
}

PyObject *within_frame_globals(const within_frame *frame) { return data_of(frame)->f_globals; }

PyObject *within_frame_name(const within_frame *frame) {
#if PY_VERSION_HEX < 0x030D0000
    return data_of(frame)->f_code->co_name;
#elif PY_VERSION_HEX < 0x030E0000
    return ((PyCodeObject *)data_of(frame)->f_executable)->co_name;
#else
    return ((PyCodeObject *)PyStackRef_AsPyObjectBorrow(data_of(frame)->f_executable))->co_name;
#endif
}

#else
#error "python/ext/frames.c does not know the frames of this version of CPython"
#endif
