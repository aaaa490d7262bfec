/* Python's frames as functions that callgrind can tell apart: each is evaluated under a C function of the part that its file is under.
 *
 * Rule: nothing is counted here; `apart(rows)` takes (piece of a path, number of a part) and sets the frame evaluator (PEP 523).
 * A file that no row names is evaluated as ever: what it takes is its caller's. */
#define Py_BUILD_CORE_MODULE 1
#include <Python.h>
#if PY_VERSION_HEX < 0x030C0000
#include <internal/pycore_frame.h>
#else
#include <internal/pycore_interp.h>
#endif
#include <string.h>

typedef struct _PyInterpreterFrame frame_t;
enum { PARTS = 24, ROWS = 512, PATH = 160, CODES = 1 << 16 };
static struct { char path[PATH]; int part; } rows[ROWS];
static struct { PyObject *code; int part; } seen[CODES];  // codes are held, so that no other comes to their place
static int known, held;

#define PART(n) __attribute__((noinline, noclone, used)) static PyObject *budget_part_##n(PyThreadState *t, frame_t *f, int thrown) \
    { PyObject *r = _PyEval_EvalFrameDefault(t, f, thrown); __asm__ volatile(""); return r; }
PART(0) PART(1) PART(2) PART(3) PART(4) PART(5) PART(6) PART(7) PART(8) PART(9) PART(10) PART(11) PART(12) PART(13) PART(14) PART(15)
PART(16) PART(17) PART(18) PART(19) PART(20) PART(21) PART(22) PART(23)
#define AT(n) budget_part_##n
static PyObject *(*const parts[PARTS])(PyThreadState *, frame_t *, int) = {
    AT(0), AT(1), AT(2), AT(3), AT(4), AT(5), AT(6), AT(7), AT(8), AT(9), AT(10), AT(11), AT(12), AT(13), AT(14), AT(15),
    AT(16), AT(17), AT(18), AT(19), AT(20), AT(21), AT(22), AT(23)};

static int looked_up(PyObject *code) {
    const char *path = PyUnicode_AsUTF8(((PyCodeObject *)code)->co_filename);
    if (path == NULL) { PyErr_Clear(); return -1; }
    for (int i = 0; i < known; i++) if (strstr(path, rows[i].path) != NULL) return rows[i].part;
    return -1;
}

static int budget_part_of(PyObject *code) {
    size_t at = ((size_t)code >> 4) % CODES;
    for (; seen[at].code != NULL; at = (at + 1) % CODES) if (seen[at].code == code) return seen[at].part;
    if (held > CODES / 2) return looked_up(code);
    held++;
    Py_INCREF(code);
    seen[at].code = code;
    return seen[at].part = looked_up(code);
}

static PyObject *budget_frame(PyThreadState *t, frame_t *f, int thrown) {
#if PY_VERSION_HEX < 0x030C0000
    int part = budget_part_of((PyObject *)f->f_code);
#else
    PyObject *code = PyUnstable_InterpreterFrame_GetCode(f);
    int part = budget_part_of(code);
    Py_DECREF(code);
#endif
    return part < 0 ? _PyEval_EvalFrameDefault(t, f, thrown) : parts[part](t, f, thrown);
}

static PyObject *apart(PyObject *self, PyObject *list) {
    (void)self;
    PyObject *all = PySequence_Fast(list, "a list of (piece of a path, part)");
    if (all == NULL) return NULL;
    known = 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(all); i++) {
        const char *path; int part;
        if (!PyArg_ParseTuple(PySequence_Fast_GET_ITEM(all, i), "si", &path, &part)) { Py_DECREF(all); return NULL; }
        if (known == ROWS || part < 0 || part >= PARTS || strlen(path) >= PATH) {
            Py_DECREF(all);
            PyErr_SetString(PyExc_ValueError, "too many rows, no such part, or too long a path");
            return NULL;
        }
        strcpy(rows[known].path, path);
        rows[known++].part = part;
    }
    Py_DECREF(all);
    _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), budget_frame);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"apart", apart, METH_O, "Evaluate frames of these files apart."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "frames", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_frames(void) { return PyModule_Create(&module); }
