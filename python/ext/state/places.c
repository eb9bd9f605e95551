/* Where the main thread stands: names of functions, and what the instructions of with statements look like. */
#include "state/places.h"

#include <frameobject.h>
#include <opcode.h>
#include <stdint.h>

#include "unbroken.h"

__thread within_unbroken within_unbroken_here __attribute__((tls_model("initial-exec")));

/* ---- instructions: two bytes each, the code and its argument ---- */

#ifndef CACHE
#define CACHE 0 /* 3.10 has none: nothing has this code */
#endif

/* Room that an instruction has behind it belongs to it. */
static Py_ssize_t without_caches(const uint8_t *code, Py_ssize_t at) {
    while (at > 0 && code[at] == CACHE) at -= 2;
    return at;
}

static int is(const uint8_t *code, Py_ssize_t at, int operation, int argument) {
    return at >= 0 && code[at] == operation && code[at + 1] == argument;
}

#if PY_VERSION_HEX < 0x030B0000

static int calls_exit(const uint8_t *code, Py_ssize_t at) {
    if (at >= 0 && code[at] == WITH_EXCEPT_START) return 1;
    return at >= 4 && is(code, at, CALL_FUNCTION, 3) && code[at - 2] == DUP_TOP &&
           code[at - 4] == DUP_TOP;
}

static int calls_enter(const uint8_t *code, Py_ssize_t at) {
    return at >= 0 && code[at] == SETUP_WITH;
}

#else

/* The one before; negative if there is none. */
static Py_ssize_t before(const uint8_t *code, Py_ssize_t at) {
    while (at >= 2 && code[at - 2] == EXTENDED_ARG) at -= 2;
    return at < 2 ? -1 : without_caches(code, at - 2);
}

static int loads_constant(int operation) {
#ifdef LOAD_COMMON_CONSTANT
    if (operation == LOAD_COMMON_CONSTANT) return 1;
#endif
    return operation == LOAD_CONST;
}

/* The first of three equal constants that are loaded before a call; negative if there are none. */
static Py_ssize_t three_constants(const uint8_t *code, Py_ssize_t at) {
    int argument = -1;
    for (int i = 0; i < 3; i++) {
        at = before(code, at);
        if (at < 0 || !loads_constant(code[at])) return -1;
        if (argument >= 0 && code[at + 1] != argument) return -1;
        argument = code[at + 1];
    }
    return at;
}

#if PY_VERSION_HEX < 0x030E0000

/* Two arguments and not three: the first None lies where a function would. No other call looks so. */
static int calls_exit(const uint8_t *code, Py_ssize_t at) {
    if (at >= 0 && code[at] == WITH_EXCEPT_START) return 1;
    if (!is(code, at, CALL, 2)) return 0;
#ifdef PRECALL
    at = before(code, at);
#endif
    return three_constants(code, at) >= 0;
}

static int calls_enter(const uint8_t *code, Py_ssize_t at) {
    return at >= 0 && code[at] == BEFORE_WITH;
}

#else

/* Does it load a function for a call of the program's own, f(None, None, None)? */
static int loads_function(const uint8_t *code, Py_ssize_t at) {
    if (at < 0) return 0;
    int with_null = code[at + 1] & 1;
    return code[at] == PUSH_NULL ||
           (with_null &&
            (code[at] == LOAD_GLOBAL || code[at] == LOAD_ATTR || code[at] == LOAD_SUPER_ATTR));
}

static int calls_exit(const uint8_t *code, Py_ssize_t at) {
    if (at >= 0 && code[at] == WITH_EXCEPT_START) return 1;
    Py_ssize_t first = is(code, at, CALL, 3) ? three_constants(code, at) : -1;
    return first >= 0 && !loads_function(code, before(code, first));
}

static int calls_enter(const uint8_t *code, Py_ssize_t at) {
    return is(code, at, CALL, 0) && is(code, before(code, at), LOAD_SPECIAL, 0);
}

#endif
#endif

/* ---- frames ---- */

/* What a frame is at. */
typedef enum standing { ELSEWHERE, IN_ONE, CALLS_EXIT, CALLS_ENTER } standing;

static int is_one_by_name(PyObject *name) {
    static const char *const names[] = {"__exit__",           "__enter__", "__aexit__",
                                        "__aenter__",         "__del__",   "enter_context",
                                        "enter_async_context"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) return 1;
    return 0;
}

static Py_ssize_t instruction_of(PyFrameObject *frame) {
#if PY_VERSION_HEX < 0x030B0000
    return (Py_ssize_t)frame->f_lasti * 2;
#else
    return PyFrame_GetLasti(frame);
#endif
}

static standing stands_at(PyCodeObject *of, Py_ssize_t at) {
#if PY_VERSION_HEX < 0x030B0000
    PyObject *bytes = Py_NewRef(of->co_code);
#else
    PyObject *bytes = PyCode_GetCode(of);
#endif
    standing stand = ELSEWHERE;
    if (!bytes) {
        PyErr_Clear();
        return ELSEWHERE;
    }
    const uint8_t *code = (const uint8_t *)PyBytes_AS_STRING(bytes);
    at = without_caches(code, at);
    if (calls_exit(code, at)) stand = CALLS_EXIT;
    if (calls_enter(code, at)) stand = CALLS_ENTER;
    Py_DECREF(bytes);
    return stand;
}

static standing standing_of(PyFrameObject *frame) {
    PyCodeObject *code = PyFrame_GetCode(frame);
    standing stand =
        is_one_by_name(code->co_name) ? IN_ONE : stands_at(code, instruction_of(frame));
    Py_DECREF(code);
    return stand;
}

/* What is compared: a function is the same one wherever in it its frame is. */
static PyObject *mark_of(PyFrameObject *frame, standing stand) {
    return Py_BuildValue("(On)", frame, stand == IN_ONE ? (Py_ssize_t)-1 : instruction_of(frame));
}

int within_note_surroundings(within_surroundings *surroundings) {
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    *surroundings = (within_surroundings){PyList_New(0), within_unbroken_here.last};
    int failed = !surroundings->frames, depth = 0;
    for (PyFrameObject *outer; frame && !failed; frame = outer, depth++) {
        standing stand = depth == 0 ? ELSEWHERE : standing_of(frame);
        /* The with statement of the block itself is over with its enter soon. */
        if (stand == IN_ONE || stand == CALLS_EXIT || (stand == CALLS_ENTER && depth > 1)) {
            PyObject *mark = mark_of(frame, stand);
            failed = !mark || PyList_Append(surroundings->frames, mark);
            Py_XDECREF(mark);
        }
        outer = PyFrame_GetBack(frame);
        Py_DECREF(frame);
    }
    Py_XDECREF(frame);
    if (failed) Py_CLEAR(surroundings->frames);
    return failed ? -1 : 0;
}

static int surrounds(const within_surroundings *surroundings, PyFrameObject *frame,
                     standing stand) {
    if (!surroundings->frames || !PyList_GET_SIZE(surroundings->frames)) return 0;
    PyObject *mark = mark_of(frame, stand);
    int found = mark ? PySequence_Contains(surroundings->frames, mark) : -1;
    Py_XDECREF(mark);
    if (found < 0) PyErr_Clear();
    return found > 0;
}

/* The same for all frames but the innermost: whatever they are at is not over. */
static int is_held(PyFrameObject *innermost, const within_surroundings *surroundings) {
    PyFrameObject *frame = PyFrame_GetBack(innermost);
    int held = 0;
    while (frame && !held) {
        standing stand = standing_of(frame);
        held = stand != ELSEWHERE && !surrounds(surroundings, frame, stand);
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
    Py_XDECREF(frame);
    return held;
}

within_place within_place_of(PyObject *object, const within_surroundings *surroundings,
                             Py_ssize_t *instruction) {
    *instruction = -1;
    if (within_unbroken_here.running > surroundings->unbroken) return WITHIN_HELD;
    if (!PyFrame_Check(object)) return WITHIN_FREE;
    PyFrameObject *frame = (PyFrameObject *)object;
    standing stand = standing_of(frame);
    *instruction = instruction_of(frame);
    if (is_held(frame, surroundings)) return WITHIN_HELD;
    if (stand == ELSEWHERE || surrounds(surroundings, frame, stand)) return WITHIN_FREE;
    if (stand == CALLS_EXIT) return WITHIN_AT_EXIT;
    /* Up to 3.13 nothing is delivered between the end of an enter and the block's first instruction. */
    if (stand == CALLS_ENTER) return PY_VERSION_HEX < 0x030E0000 ? WITHIN_FREE : WITHIN_AT_ENTER;
    return WITHIN_HELD;
}

int within_exit_may_raise(const within_surroundings *surroundings) {
    if (within_unbroken_here.running > surroundings->unbroken) return 0;
    PyFrameObject *exit = PyThreadState_GetFrame(PyThreadState_Get());
    PyFrameObject *caller = exit ? PyFrame_GetBack(exit) : NULL;
    int may = 1;
    if (caller) {
        PyCodeObject *code = PyFrame_GetCode(caller);
        may = !is_one_by_name(code->co_name) || surrounds(surroundings, caller, IN_ONE);
        Py_DECREF(code);
    }
    if (may && caller) may = !is_held(caller, surroundings);
    Py_XDECREF(caller);
    Py_XDECREF(exit);
    return may;
}
