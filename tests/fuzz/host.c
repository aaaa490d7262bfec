/* One fuzz target as a program: libFuzzer with an embedded CPython, or around a target in C (-DTARGET_IN_C).
 *
 * An input is passed to the target's entry, and in one of FUZZ_EVERY executions to its oracle too. Steps are counted while the entry runs: a
 * basic block of instrumented C is one, a line of Python LINE_STEPS, since it takes about as long. An input that reaches a new order of steps,
 * or of steps a byte, is kept like one that reaches new code, so that a search climbs towards cost.
 *
 *     FUZZ_TARGET  name in tests/fuzz/targets.py; by default this program's own name
 *     FUZZ_PYTHON  the interpreter whose packages are used; without it they lie beside this program
 *     FUZZ_EVERY   the oracle runs for one input in so many; 1: for each
 *     FUZZ_STEPS   bound of an input's steps; an input above it is a fault. 0: no bound; without it the target's own holds
 *     FUZZ_COST    1: keep inputs for their cost, and the dearest one in FUZZ_WORST
 *     FUZZ_SAY     1: print the steps of each input
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 16384
#define ORDERS 1024
#define LINE_STEPS 32

unsigned long serendip_steps; /* of the running input (steps.h) */
static uint64_t most_steps, bound;
static long every = 1, count;
static int costs, says;
static const char *worst;
/* libFuzzer reads this section after each input as it reads the counters of code */
__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t lines[LINES + 2 * ORDERS];

/* The order of a number: 16 to each doubling. */
static uint32_t order(uint64_t n) {
    if (n < 16) return (uint32_t)n;
    uint32_t high = 63 - (uint32_t)__builtin_clzll(n);
    return (high - 3) * 16 + (uint32_t)(n >> (high - 4) & 15);
}

static void keep(const uint8_t *data, size_t size) {
    static char fresh[4096]; /* renamed when it is whole: a search may be ended at any time */
    if (!worst) return;
    snprintf(fresh, sizeof fresh, "%s.new", worst);
    FILE *file = fopen(fresh, "wb");
    if (!file) return;
    fwrite(data, 1, size, file);
    if (!fclose(file)) rename(fresh, worst);
}

static void judge(uint64_t taken, const uint8_t *data, size_t size) {
    if (says) printf("%zu bytes, %llu steps\n", size, (unsigned long long)taken);
    if (bound && taken > bound) {
        fprintf(stderr, "too costly: %llu steps, %llu are the most\n", (unsigned long long)taken, (unsigned long long)bound);
        abort();
    }
    if (!costs) return;
    lines[LINES + order(taken) % ORDERS] = 1;
    lines[LINES + ORDERS + order(taken * 16 / (size + 16)) % ORDERS] = 1;
    if (taken <= most_steps) return;
    most_steps = taken;
    keep(data, size);
}

static long setting(const char *name, long usual) {
    const char *text = getenv(name);
    return text && *text ? strtol(text, NULL, 10) : usual;
}

static void read_settings(long steps) {
    every = setting("FUZZ_EVERY", 1);
    bound = (uint64_t)setting("FUZZ_STEPS", steps);
    costs = (int)setting("FUZZ_COST", 0);
    says = (int)setting("FUZZ_SAY", 0);
    worst = getenv("FUZZ_WORST");
}

#ifdef TARGET_IN_C /* TARGET_STEPS: its bound */

int target_input(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    read_settings(TARGET_STEPS);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    serendip_steps = 0;
    target_input(data, size);
    judge(serendip_steps, data, size);
    return 0;
}

#else
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The interpreter keeps what it likes until the end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0:allocator_may_return_null=1"; }

typedef int (*entry_t)(const uint8_t *data, size_t size);

static entry_t native;
static PyObject *entry, *oracle, *unwatched;

static void died(void) {
    PyErr_Print();
    fflush(NULL);
    abort();
}

/* Called by sys.monitoring for each line of Python: (code, line). Lines of tests and of installed packages are reported once. */
static PyObject *on_line(PyObject *self, PyObject *const *given, Py_ssize_t n) {
    (void)self;
    static struct {
        PyObject *code;
        uint32_t base;
        int watched;
    } known[1024];
    if (n != 2 || !unwatched) Py_RETURN_NONE;
    PyObject *code = given[0];
    uint32_t at = (uint32_t)((uintptr_t)code >> 5) % 1024;
    if (known[at].code != code) {
        PyObject *name = ((PyCodeObject *)code)->co_filename;
        const char *text = PyUnicode_AsUTF8(name);
        known[at].code = code;
        known[at].watched = text && !strstr(text, "/tests/") && !strstr(text, "-packages/") && text[0] != '<';
        known[at].base = (uint32_t)((uint64_t)PyObject_Hash(name) * 0x9E3779B97F4A7C15ull >> 40);
    }
    if (!known[at].watched) return Py_NewRef(unwatched);
    long line = PyLong_AsLong(given[1]);
    uint8_t *counter = &lines[(known[at].base + (uint32_t)line) % LINES];
    *counter += *counter < 255;
    serendip_steps += LINE_STEPS;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"on_line", (PyCFunction)(void (*)(void))on_line, METH_FASTCALL, NULL}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "fuzz_host", .m_size = -1, .m_methods = methods};

static PyObject *made(void) { return PyModule_Create(&module); }

/* Without an interpreter's name all that is needed lies beside the program: lib/pythonX.Y, and the sources in serendip/. */
static void started(const char *python, char *folder) {
    PyConfig config;
    setenv("PYTHONHASHSEED", "0", 1);
    if (!python) {
        char path[9000];
        snprintf(path, sizeof path, "%s/serendip:%s/lib/python%d.%d/site-packages", folder, folder, PY_MAJOR_VERSION, PY_MINOR_VERSION);
        setenv("PYTHONPATH", path, 1);
        setenv("PYTHONMALLOC", "malloc", 1);
    }
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    PyStatus status =
        python ? PyConfig_SetBytesString(&config, &config.program_name, python) : PyConfig_SetBytesString(&config, &config.home, folder);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash = size > 0 ? strrchr(path, '/') : NULL;
    const char *wanted = getenv("FUZZ_TARGET"), *name = strrchr((*argv)[0], '/');
    if (!slash) abort();
    *slash = 0;
    name = wanted ? wanted : name ? name + 1 : (*argv)[0];
    signal(SIGPIPE, SIG_IGN); /* as Python's own start does */
    PyImport_AppendInittab("fuzz_host", made);
    started(getenv("FUZZ_PYTHON"), path);
    PyObject *home = PyImport_ImportModule("tests.fuzz.entry");
    PyObject *found = home ? PyObject_CallMethod(home, "find", "s", name) : NULL;
    PyObject *capsule = NULL;
    long steps = 0;
    if (!found || !PyArg_ParseTuple(found, "OOOOl", &entry, &oracle, &capsule, &unwatched, &steps)) died();
    read_settings(steps);
    if (capsule != Py_None) {
        native = (entry_t)PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
        if (!native) died();
    }
    return 0; /* `found` stays referenced for ever, and with it what it holds */
}

static void call(PyObject *function, const uint8_t *data, size_t size) {
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    PyObject *said = bytes ? PyObject_CallOneArg(function, bytes) : NULL;
    if (!said) died();
    Py_DECREF(said);
    Py_DECREF(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    serendip_steps = 0;
    if (native) native(data, size);
    else call(entry, data, size);
    judge(serendip_steps, data, size);
    if (oracle != Py_None && ++count % every == 0) call(oracle, data, size);
    return 0;
}
#endif
