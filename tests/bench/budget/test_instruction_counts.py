"""Instructions are put together from what callgrind writes."""

import asyncio
import subprocess
import sys

from bench.budget import instruction_counts

CALLGRIND = """\
# callgrind format
events: Ir

ob=(1) /tree/engine/chats/search.cpython-311-x86_64-linux-gnu.so
fl=(1) ???
fn=(1) __pyx_pw_6engine_5chats_6search_6Search_1find'PyObject_Vectorcall
0 100
+3 20
cob=(2) /lib/libpython3.11.so.1.0
cfn=(2) PyDict_GetItem'__pyx_pw_6engine_5chats_6search_6Search_1find'PyObject_Vectorcall
calls=4 0
* 8000

ob=(2)
fn=(2)
0 800
- 5

fn=(3) start_thread
0 7
"""


def test_a_function_is_counted_once_and_what_it_calls_with_the_callee() -> None:
    found = instruction_counts.by_function(CALLGRIND.splitlines(keepends=True), "/tree")
    assert [(part, count) for (part, _), count in found.items()] == [("pairing", 120), ("pairing", 805), ("rest", 7)]
    window = instruction_counts.Counted({"pairing": 925, "rest": 7}, dict(found), 5.0, 0.0)
    assert instruction_counts.dearest(window, "pairing", 1) == [
        f"{161:10}  PyDict_GetItem < __pyx_pw_6engine_5chats_6search_6Search_1find < PyObject_Vectorcall"
    ]


def test_frames_evaluates_python_as_ever_and_refuses_a_part_that_is_none() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import frames\n"
        "frames.apart([('/json/', 3), ('/asyncio/', 4)])\n"
        "import asyncio, json\n"
        "async def twice(x): await asyncio.sleep(0); return json.loads(json.dumps([x, x]))\n"
        "assert asyncio.run(twice(4)) == [4, 4]\n"
        "try: frames.apart([('/json/', 99)])\n"
        "except ValueError: print('refused')\n"
    )
    command = [sys.executable, "-c", script, str(instruction_counts.frames())]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "refused\n"
    assert asyncio.sleep.__module__ == "asyncio.tasks"  # what `start` slows down is in the process under callgrind only
