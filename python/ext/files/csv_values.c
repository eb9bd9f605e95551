/* Python objects as values of CSV cells, and what Python says of columns as the C library reads it. */
#include "files/csv_values.h"

#include <string.h>

/* ---- values ---- */

static int text_value(PyObject *str, wi_csv_value *value) {
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(str, &length);
    if (!text) return -1;
    if (strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "a text in a CSV file has no null character");
        return -1;
    }
    *value = wi_csv_of(text);
    return 1;
}

static int integer_value(PyObject *integer, wi_csv_value *value) {
    int overflow;
    const long long number = PyLong_AsLongLongAndOverflow(integer, &overflow);
    if (number == -1 && PyErr_Occurred()) return -1;
    *value = wi_csv_of(number);
    if (!overflow) return 1;
    const unsigned long long large = PyLong_AsUnsignedLongLong(integer);
    if (large == (unsigned long long)-1 && PyErr_Occurred()) {
        PyErr_SetString(PyExc_OverflowError, "an int in a CSV log has at most 64 bits");
        return -1;
    }
    *value = wi_csv_of(large);
    return 1;
}

static int double_value(PyObject *number, wi_csv_value *value) {
    const double d = PyFloat_AsDouble(number);
    if (d == -1 && PyErr_Occurred()) return -1;
    *value = wi_csv_of(d);
    return 1;
}

/* The name of one of NumPy's types; "" of any other. Where NumPy is not imported there are none. */
static const char *numpy_name(PyObject *object) {
    const char *name = Py_TYPE(object)->tp_name;
    return strncmp(name, "numpy.", 6) == 0 ? name + 6 : "";
}

/* Those that cannot be told by what they can do. A complex one can be made a float, with half of it lost. */
static int numpy_value(PyObject *object, const char *name, wi_csv_value *value) {
    if (strcmp(name, "bool") == 0 || strcmp(name, "bool_") == 0) {
        const int truth = PyObject_IsTrue(object);
        *value = wi_csv_of((_Bool)(truth > 0));
        return truth < 0 ? -1 : 1;
    }
    if (strcmp(name, "float32") != 0) return 0;
    const int is_double = double_value(object, value);
    if (is_double > 0) *value = wi_csv_of((float)value->as.d);
    return is_double;
}

static int is_complex(const char *numpy) {
    return strncmp(numpy, "complex", 7) == 0 || strcmp(numpy, "clongdouble") == 0;
}

static int path_value(PyObject *path, wi_csv_value *value, PyObject **kept) {
    PyObject *str = PyOS_FSPath(path);
    if (!str) return -1;
    if (!*kept) *kept = PyList_New(0);
    const int failed = !*kept || PyList_Append(*kept, str);
    const int is_value = failed ? -1 : PyUnicode_Check(str) ? text_value(str, value) : 0;
    Py_DECREF(str); /* the list has it */
    return is_value;
}

/* What says of itself that it is none after all: an array, a tensor of several elements. */
static int none_if_it_refused(int is_value) {
    if (is_value >= 0) return is_value;
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_RuntimeError))
        return -1;
    PyErr_Clear();
    return 0;
}

static int index_value(PyObject *object, wi_csv_value *value) {
    PyObject *integer = PyNumber_Index(object);
    const int is_value = integer ? integer_value(integer, value) : none_if_it_refused(-1);
    Py_XDECREF(integer);
    return is_value;
}

static int other_value(PyObject *object, wi_csv_value *value, PyObject **kept) {
    const PyNumberMethods *number = Py_TYPE(object)->tp_as_number;
    const char *numpy = numpy_name(object);
    int is_value = numpy_value(object, numpy, value);
    if (!is_value && number && number->nb_index) is_value = index_value(object, value);
    if (!is_value && number && number->nb_float && !is_complex(numpy))
        is_value = none_if_it_refused(double_value(object, value));
    if (!is_value && PyObject_HasAttrString((PyObject *)Py_TYPE(object), "__fspath__"))
        is_value = path_value(object, value, kept);
    return is_value;
}

int within_csv_value(PyObject *object, wi_csv_value *value, PyObject **kept) {
    if (PyFloat_Check(object)) return double_value(object, value);
    if (PyBool_Check(object)) {
        *value = wi_csv_of((_Bool)(object == Py_True));
        return 1;
    }
    if (PyLong_Check(object)) return integer_value(object, value);
    if (PyUnicode_Check(object)) return text_value(object, value);
    if (object == Py_None) {
        *value = wi_csv_of(WI_CSV_EMPTY);
        return 1;
    }
    return other_value(object, value, kept);
}

/* ---- columns ---- */

static const char *type_name(PyObject *type) {
    if (type == (PyObject *)&PyLong_Type) return ":int";
    if (type == (PyObject *)&PyFloat_Type) return ":float";
    if (type == (PyObject *)&PyUnicode_Type) return ":text";
    if (type == (PyObject *)&PyBool_Type) return ":bool";
    PyErr_Format(PyExc_TypeError, "a column's type is int, float, str or bool, not %R", type);
    return NULL;
}

/* "name":type, with the name's quotes doubled. */
static PyObject *declaration(PyObject *name, const char *type) {
    PyObject *quote = PyUnicode_FromString("\""), *quotes = PyUnicode_FromString("\"\"");
    PyObject *inside = quote && quotes ? PyUnicode_Replace(name, quote, quotes, -1) : NULL;
    PyObject *whole = inside ? PyUnicode_FromFormat("\"%U\"%s", inside, type) : NULL;
    Py_XDECREF(inside);
    Py_XDECREF(quotes);
    Py_XDECREF(quote);
    return whole;
}

static PyObject *declaration_of(PyObject *column) {
    if (PyUnicode_Check(column)) return declaration(column, "");
    if (!PyTuple_Check(column) || PyTuple_GET_SIZE(column) != 2 ||
        !PyUnicode_Check(PyTuple_GET_ITEM(column, 0)))
        return PyErr_Format(PyExc_TypeError, "a column is a name or a (name, type) pair, not %R",
                            column);
    const char *type = type_name(PyTuple_GET_ITEM(column, 1));
    return type ? declaration(PyTuple_GET_ITEM(column, 0), type) : NULL;
}

/* In place of each column, its declaration. */
static int declare_all(PyObject *columns) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(columns); i++) {
        PyObject *whole = declaration_of(PyList_GET_ITEM(columns, i));
        if (!whole || PyList_SetItem(columns, i, whole)) return -1;
    }
    return 0;
}

static PyObject *joined(PyObject *columns) {
    PyObject *list = PyDict_Check(columns) ? PyDict_Items(columns) : PySequence_List(columns);
    PyObject *comma = PyUnicode_FromString(",");
    const int failed = !list || !comma || declare_all(list);
    PyObject *text = failed ? NULL : PyUnicode_Join(comma, list);
    Py_XDECREF(comma);
    Py_XDECREF(list);
    return text;
}

PyObject *within_csv_columns(PyObject *columns) {
    PyObject *text = PyUnicode_Check(columns) ? Py_NewRef(columns) : joined(columns);
    PyObject *bytes = text ? PyUnicode_AsUTF8String(text) : NULL;
    Py_XDECREF(text);
    if (bytes && strlen(PyBytes_AS_STRING(bytes)) == (size_t)PyBytes_GET_SIZE(bytes)) return bytes;
    if (bytes) PyErr_SetString(PyExc_ValueError, "a column's name has no null character");
    Py_XDECREF(bytes);
    return NULL;
}
