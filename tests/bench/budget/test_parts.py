"""Every module that a chat may enter is under one part of its budget."""

import pytest

from bench.budget import parts
from tests.house.sources import modules

PACKAGES = ("engine", "ext", "server.realtime.worker")


def ours() -> set[str]:
    """The modules of the control path."""
    found = modules(("engine", "ext", "server"))
    return {module for module in found if module.startswith(tuple(f"{one}." for one in PACKAGES)) or module in PACKAGES}


def test_every_module_of_the_control_path_is_under_one_part_and_none_that_is_not_there() -> None:
    listed = [module for part in parts.PARTS.values() for module in part.modules]
    assert len(listed) == len(set(listed)), "twice in the table"
    whole = {module for module in listed if not module.endswith(".*")}
    assert ours() - whole == set(), "put these under a part of bench/budget/parts.py"
    assert whole - ours() == set(), "these are gone: take them out of bench/budget/parts.py"


def test_every_part_says_what_bounds_it_and_frames_has_room_for_it() -> None:
    assert all(part.bounds for name, part in parts.PARTS.items() if name != parts.ASKED)
    assert len(parts.PARTS) <= 24  # PARTS of frames.c
    assert len(parts.rows()) <= 512  # ROWS of it


@pytest.mark.parametrize(
    ("chain", "library", "part"),
    [
        ("__pyx_f_6engine_8matching_5lobby_5Lobby_submit'x", "/tree/engine/matching/lobby.cpython-311-x86_64-linux-gnu.so", "lobby"),
        ("dict_lookup'PyDict_GetItem'__pyx_pw_6engine_5chats_6search_6Search_1find'PyObject_Vectorcall", "/lib/libpython3.11.so.1.0", "pairing"),
        ("_PyEval_EvalFrameDefault'budget_part_{records}'budget_frame'_PyEval_Vector'budget_part_{turn}", "/lib/libpython3.11.so.1.0", "records"),
        ("p'__pyx_f_6server_3ops_8security_13resume_tokens_6Tokens_seal'__pyx_f_6server_8realtime_6worker_11worker_loop_6Worker__tell",
         "/lib/libpython3.11.so.1.0", "connecting"),
        ("static_helper", "/tree/ext/net/relay.cpython-311-x86_64-linux-gnu.so", "reactor"),
        ("memcpy'static_helper'__pyx_f_3ext_7reactor_15new_connections_enter", "/lib/libc.so.6", "connecting"),
        ("0x1234'sqlite3_step", "/lib/libsqlite3.so.0.8.6", "records"),
        ("free'sqlite3_finalize'pysqlite_step", "/lib/libc.so.6", "records"),
        ("dict_traverse'gc_collect_main'__pyx_pw_6engine_5chats_6search_6Search_1find", "/lib/libpython3.11.so.1.0", "garbage"),
        ("__pyx_tp_clear_6engine_4core_4chat_Chat'gc_collect_main", "/tree/engine/core/chat.cpython-311-x86_64-linux-gnu.so", "garbage"),
        ("budget_part_of'budget_frame'_PyEval_Vector", "/tree/build/bench/frames.so", "asked"),
        ("malloc'start_thread", "/lib/libc.so.6", "rest"),
    ],
)  # fmt: skip
def test_a_function_is_under_the_part_of_the_nearest_that_has_one(chain: str, library: str, part: str) -> None:
    places = {name: parts.NAMES.index(name) for name in ("records", "turn")}
    assert parts.owner(chain.format(**places), library, "/tree") == part


def test_a_package_of_others_is_under_the_part_that_uses_it() -> None:
    assert parts.part_of_module("sqlalchemy.engine.base") == "records"
    assert parts.part_of_module("server.data.store.writer") == "records"
    assert (
        parts.part_of_object("/v/lib/python3.11/site-packages/uvloop/loop.cpython-311-x86_64-linux-gnu.so", "/tree")
        == "turn"
    )
    assert parts.part_of_module("json.decoder") == ""
