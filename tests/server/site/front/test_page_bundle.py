"""The first load as one module: each of its modules once, in order, and nothing that would be wrong without a word."""

import re

import pytest

from server.site.front.page_bundle import FIRST, LATER, SHEET, bundled, first_load, together
from server.site.front.page_files import bare, sources_in

SHELL = b'<link rel="stylesheet" href="/s/-/style/a.css">\n<link rel="stylesheet" href="/s/-/style/b.css">\n<script></script>'
SMALL = {
    "index.html": SHELL,
    "style/a.css": b"a {}\n",
    "style/b.css": b"b {}\n",
    "style/chat.css": b"c {}\n",
    "style/rest.css": b"d {}\n",
    "style/faces.css": b"e {}\n",
    "app.js": b'import { two, three as drei } from "./parts/two.js";\nimport it from "./it.mjs";\nit(two, drei);\n',
    "it.mjs": b"var n=1;export default function(){return n}\n",
    "one.js": b'const hidden = 1;\nexport const one = () => hidden;\nexport async function later() {\n  return import("./parts/rest.js");\n}\n',
    "parts/two.js": b'import {\n  one as eins,\n} from "../one.js";\nconst hidden = 2;\nexport function two() { return eins() + hidden; }\n'
    b'class three {}\nexport { three, hidden as zwei };\nconst more = () => import("./rest.js");\n',
    "parts/rest.js": b'import { one } from "../one.js";\nimport "../it.mjs";\nimport { other } from "./other.js";\nexport const rest = one;\n',
    "parts/other.js": b"export let other = 1;\n",
}
ASKED = {
    "views/screen.js": b'import { part } from "../parts/part.js";\nimport { one } from "../one.js";\n'
    b'export const Screen = () => [part, one, import("./alone.js")];\n',
    "parts/part.js": b"export const part = 1;\n",
    "views/alone.js": b'import "../parts/part.js";\nimport { two } from "../parts/two.js";\n'
    b'const back = () => import("./screen.js");\nexport const alone = [two, back];\n',
    "one.js": b'const hidden = 1;\nexport const one = () => hidden;\nexport const later = () => import("./views/screen.js");\n',
}


def sources() -> dict[str, bytes]:
    """The page's own, as the site reads them."""
    return {name: bare(name, body) for name, body in sources_in().items()}


def test_a_small_page_is_put_together() -> None:
    found = {name: body.decode() for name, body in bundled(SMALL, {}).items()}
    first = found[FIRST]
    assert re.findall(r"^const (\$\w+) = \(\(\) => \{", first, re.M) == ["$one", "$parts_two", "$it"]
    assert "const { one: eins } = $one;" in first
    assert "return { two, three, zwei: hidden };" in first
    assert "const $default = function(){return n}\nreturn { default: $default };" in first
    assert first.count('import("./parts/rest.js")') == 2
    assert first.endswith("export { $one, $parts_two, $it };\n")
    assert found["app.js"].startswith(
        'import { $parts_two, $it } from "./first.js";\nconst { two, three: drei } = $parts_two;'
    )
    assert "const it = $it.default;" in found["app.js"]
    assert found["parts/rest.js"].startswith('import { $one, $it } from "../first.js";\nconst { one } = $one;')
    assert 'import { other } from "./other.js";' in found["parts/rest.js"]
    assert found["parts/other.js"] == SMALL["parts/other.js"].decode()


def test_the_address_of_a_module_answers_with_what_it_exports() -> None:
    found = bundled(SMALL, {})
    assert found["parts/two.js"] == (
        b'import { $parts_two } from "../first.js";\nexport const { two, three, zwei } = $parts_two;\n'
    )
    assert found["it.mjs"] == b'import { $it } from "./first.js";\nexport default $it.default;\n'


def test_what_is_asked_for_together_becomes_a_file_that_takes_from_the_first() -> None:
    found = {name: body.decode() for name, body in bundled(SMALL | ASKED, {"second.js": ["views/screen.js"]}).items()}
    second = found["second.js"]
    assert second.startswith('import { $one } from "./first.js";\nconst $parts_part = (() => {')
    assert "const { part } = $parts_part;\nconst { one } = $one;" in second
    assert 'import("./views/alone.js")' in second
    assert second.endswith("export { $parts_part, $views_screen };\n")
    assert 'import("./second.js").then((all) => all.$views_screen)' in found[FIRST]
    assert found["views/screen.js"] == (
        'import { $views_screen } from "../second.js";\nexport const { Screen } = $views_screen;\n'
    )
    assert found["views/alone.js"].startswith(
        'import { $parts_part } from "../second.js";\nimport { $parts_two } from "../first.js";\n'
    )
    assert 'import("../second.js").then((all) => all.$views_screen)' in found["views/alone.js"]


def test_the_styles_of_the_shell_become_one_in_their_order() -> None:
    found = bundled(SMALL, {})
    assert found[SHEET] == b"a {}\nb {}\n"
    assert found["style/second.css"] == b"c {}\nd {}\ne {}\n"
    assert found["index.html"] == b'<link rel="stylesheet" href="/s/-/style/first.css">\n<script></script>'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "one.js",
            'import { two } from "./parts/two.js";\nexport const one = 1;\nexport const later = 1;',
            "import each other",
        ),
        ("one.js", "export let one = 1;\nexport const later = 1;", "imports what"),
        ("one.js", "export const one = 1;\nexport let two = 1;", "export let two"),
        ("one.js", 'export const one = 1;\nexport * from "./parts/other.js";', r"export \*"),
        ("one.js", 'export const one = 1;\nexport { other } from "./parts/other.js";', "export { other }"),
        ("one.js", 'import * as all from "./parts/other.js";\nexport const one = 1;', r"import \* as all"),
        ("one.js", "export const one = 1;\nawait one;", "await one"),
        ("it.mjs", "export const it = 1;", "app.js imports what ./it.mjs has not: default"),
        ("parts/two.js", "export const two = import.meta.url;\nexport const three = 1;", "import.meta"),
    ],
)
def test_what_cannot_be_put_together_is_said_at_the_start(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bundled(SMALL | {name: text.encode()}, {})


def test_each_module_stands_behind_all_that_it_imports_and_in_one_file() -> None:
    found = sources()
    files = together(found)
    assert {"store.js", "reduce/talk.js", "vendor/preact.mjs", "views/waiting.js"} <= set(files[FIRST])
    assert "app.js" not in files[FIRST]
    assert files[FIRST] == first_load(found)
    assert all(set(starts) <= set(files[file]) for file, starts in LATER.items())
    put = bundled(found)
    known: list[str] = []
    for file, inside in files.items():
        assert not [name for name in inside if name.startswith("video/")]
        text = put[file].decode()
        begun = re.findall(r"^const (\$\w+) = \(\(\) => \{", text, re.M)
        assert len(begun) == len(inside)
        for place, body in enumerate(re.split(r"^const \$\w+ = \(\(\) => \{", text, flags=re.M)[1:]):
            assert set(re.findall(r"^const .* = (\$\w+)(?:\.default)?;$", body, re.M)) <= {*known, *begun[:place]}
        assert not re.search(r"^(?:import(?!\(| \{ \$)|export (?!\{ \$))", text, re.M)
        known += begun
    assert len(known) == len(set(known))
