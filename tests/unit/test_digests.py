"""What two things must share to have one digest, and what must tell them apart."""

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.formats import digests

CODE = '''"""Says what it does."""
import math

LIMIT = 3


class Thing:
    """A thing."""

    def grow(self, by: int) -> int:
        """Grow."""
        return LIMIT + by  # a reason


async def later(x):
    """Later."""
    return {"a": math.pi, "b": x[1:2]}
'''


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str], ModuleType]:
    """Makes a real module of source code."""
    made = []

    def make(source: str) -> ModuleType:
        path = tmp_path / f"code_{len(made)}.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = loaded
        spec.loader.exec_module(loaded)
        made.append(path.stem)
        return loaded

    yield make
    for name in made:
        del sys.modules[name]


def test_of_bytes_and_of_file_are_sha256(tmp_path: Path) -> None:
    """FIPS 180-4's own example, "abc"; and a file larger than one piece, against sha256 of it all."""
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digests.of_bytes(b"abc") == abc
    (tmp_path / "abc").write_bytes(b"abc")
    assert digests.of_file(tmp_path / "abc") == abc
    large = bytes(range(256)) * 5000
    (tmp_path / "large").write_bytes(large)
    assert digests.of_file(tmp_path / "large") == hashlib.sha256(large).hexdigest()
    with pytest.raises(FileNotFoundError):
        digests.of_file(tmp_path / "none")


def test_of_array_tells_shape_and_type_apart() -> None:
    """The same bytes as another shape, type or order of bytes are another picture; a copy or a view is the same."""
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    alike = [pixels.copy(), np.asfortranarray(pixels), np.stack([pixels, pixels], axis=-1)[..., 1]]
    assert {digests.of_array(array) for array in alike} == {digests.of_array(pixels)}
    others = [
        pixels.reshape(6, 4),
        pixels.reshape(24),
        pixels.view(np.int8),
        pixels.view("<u2"),
        pixels.view(">u2"),
        pixels.astype(bool),
        pixels[:, :5],
        np.zeros((0, 6), np.uint8),
    ]
    assert len({digests.of_array(array) for array in [pixels, *others]}) == len(others) + 1


def test_of_array_is_the_same_on_every_machine() -> None:
    """`printf '<f4(2,)\\0\\0\\200\\77\\0\\0\\0\\100' | sha256sum`: dtype, shape, then 1.0 and 2.0."""
    wanted = hashlib.sha256(b"<f4(2,)\x00\x00\x80\x3f\x00\x00\x00\x40").hexdigest()
    assert digests.of_array(np.array([1, 2], "<f4")) == wanted


def test_of_values_is_of_canonical_json() -> None:
    """Worked out by hand: keys sorted, no spaces, UTF-8; the order of a dict's keys does not count."""
    assert (
        digests.of_values("é", {"b": [1, 2.5, None], "a": True})
        == hashlib.sha256('["é",{"a":true,"b":[1,2.5,null]}]'.encode()).hexdigest()
    )
    assert digests.of_values({"b": 1, "a": 2}) == digests.of_values({"a": 2, "b": 1})
    assert digests.of_values((1, 2)) == digests.of_values([1, 2])


def test_of_values_does_not_run_values_together() -> None:
    """Parts that would read the same side by side are told apart."""
    groups = [
        ("ab", "c"),
        ("a", "bc"),
        ("abc",),
        ("abc", ""),
        (["ab", "c"],),
        ("1",),
        (1,),
        (1.0,),
        (True,),
        (None,),
        (),
    ]
    assert len({digests.of_values(*group) for group in groups}) == len(groups)


def test_of_values_takes_what_shops_write() -> None:
    """A lone surrogate from a feed has a digest; what JSON has no word for is refused."""
    assert len(digests.of_values("\ud800")) == 64
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            digests.of_values(value)
    with pytest.raises(TypeError, match="not JSON serializable"):
        digests.of_values(np.float32(1))


@settings(deadline=None, max_examples=50)
@given(first=st.lists(st.text(), max_size=4), second=st.lists(st.text(), max_size=4))
def test_of_values_of_any_texts(first: list[str], second: list[str]) -> None:
    """Equal where they are equal, and only there."""
    assert (digests.of_values(*first) == digests.of_values(*second)) == (first == second)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # a reason", "  # another, longer reason"),
        ('"""Says what it does."""\n', ""),
        ('"""Says what it does."""', '"""Says\n\nmore."""'),
        ('    """A thing."""\n\n', ""),
        ('        """Grow."""\n', ""),
        ('    """Later."""\n', '    """Sooner."""\n'),
        ("\n\n\n", "\n"),
        ("LIMIT + by", "(LIMIT\n            + by)"),
        ("LIMIT = 3", "LIMIT = 0x3"),
        ('"a"', "'a'"),
    ],
)
def test_of_code_ignores_words_and_layout(module: Callable[[str], ModuleType], old: str, new: str) -> None:
    """Comments, docstrings, blank lines, brackets and quotes: nothing that runs."""
    assert old in CODE
    assert digests.of_code(module(CODE)) == digests.of_code(module(CODE.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT + by", "LIMIT - by"),
        ("LIMIT + by", "by + LIMIT"),
        ("x[1:2]", "x[1:3]"),
        ('"a": math.pi', '"c": math.pi'),
        ("async def", "def"),
        ("class Thing", "class Other"),
        ("by: int", "by: float"),
        ("import math\n", "import math\nimport os\n"),
    ],
)
def test_of_code_notices_change(module: Callable[[str], ModuleType], old: str, new: str) -> None:
    """Anything that runs, or may run, differently."""
    assert old in CODE
    assert digests.of_code(module(CODE)) != digests.of_code(module(CODE.replace(old, new)))


def test_of_code_knows_a_docstring_from_a_string(module: Callable[[str], ModuleType]) -> None:
    """Only the first string of a body is a docstring; a returned or assigned one is code."""
    returned = 'def f():\n    return "{}"\n'
    assert digests.of_code(module(returned.format("a"))) != digests.of_code(module(returned.format("b")))
    only = 'def f():\n    """{}"""\n'
    assert digests.of_code(module(only.format("a"))) == digests.of_code(module(only.format("b")))


def test_of_code_of_several(module: Callable[[str], ModuleType]) -> None:
    """Each counts, and so does their order."""
    first, second = module("A = 1\n"), module("A = 2\n")
    found = {digests.of_code(*chosen) for chosen in ([first], [second], [first, second], [second, first])}
    assert len(found) == 4
