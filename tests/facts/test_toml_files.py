"""A TOML file of data/ that was edited by hand is read, or the message names its file and line."""

import re

import pytest

from helpers.facts import forms, toml_files
from helpers.local_api.realtime import scenarios

FILES = [f"{name}.toml" for name in forms.FORMS + forms.SHAFTS]


@pytest.fixture
def load(monkeypatch, tmp_path):
    """load(text of a form's file, its name) as if it stood in data/forms."""
    monkeypatch.setattr(forms, "FOLDER", tmp_path / "forms")
    (tmp_path / "forms").mkdir()
    monkeypatch.setattr(forms, "drawn", dict)

    def load(text, file):
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "forms" / file).write_bytes(raw)
        return forms.load.__wrapped__(file.removesuffix(".toml"))

    return load


def lines_of(file):
    return (forms.DATA / "forms" / file).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:.*no longer fit")
def test_each_line_that_is_missing_or_of_another_kind_is_told(load, file):
    lines = lines_of(file)
    keys = [n for n, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    assert len(keys) >= 4
    for n in keys:
        key, _, value = lines[n].partition(" = ")
        block = next((m for m in range(n, -1, -1) if lines[m].startswith("[[")), 0)
        odd = "5" if value.startswith('"') else '"abc"'
        if not value.endswith("["):  # a list over several lines
            with pytest.raises(ValueError, match=rf"^data/forms/{file}, line {n + 1}: .*{key}: "):
                load("\n".join([*lines[:n], f"{key} = {odd}", *lines[n + 1 :]]), file)
            with pytest.raises(ValueError, match=rf"^data/forms/{file}, line {block + 1}: .*{key}"):
                load("\n".join([*lines[:n], "", *lines[n + 1 :]]), file)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('status = "single"', 'status = "lonely"', 'line 5: status: "lonely" is not one of'),
        ("9 = 28375", '9 = "28,375"', 'line 8: written: 9: "28,375" is not of type'),
        ("9 = 28375, ", "", 'line 8: written: "9" is a required property'),
        ("line = 14", "line = 8", "line 25: corrections: line: 8 is not one of"),
        ("person =", "persona =", "line 1: "),
        ("year = 2024", "year == 2024", "is not TOML: "),
    ],
)
def test_a_wrong_value_is_told_with_what_may_stand_there(load, old, new, said):
    text = "\n".join(lines_of("single.toml"))
    assert old in text
    with pytest.raises(ValueError) as told:
        load(text.replace(old, new), "single.toml")
    assert said in str(told.value)


def test_another_encoding_and_a_mark_at_the_start(load):
    text = "\n".join(lines_of("single.toml"))
    with pytest.raises(ValueError, match="single.toml, line 3 is not UTF-8"):
        load(text.replace("Rosa", "Rosé").encode("cp1252"), "single.toml")
    with pytest.warns(UserWarning, match="no longer fit"):
        assert load(text.encode("utf-8-sig"), "single.toml")["person"] == "Rosa Ames"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[scene]]\nclip = "x"', 'line 1: scene: "name" is a required property'),
        (
            '[[scene]]\nname = "a"\nclip = "x"\n\n[[scene]]\nname = "b"\nclip = 5',
            "line 7: .*clip: 5",
        ),
        ('[[scene]]\nname = "a"\nclip = "x"\nslots = "easter"', "line 4: .*slots: "),
        ("", 'line 1: "scene" is a required property'),
    ],
)
def test_a_scene_that_is_none_is_told(tmp_path, text, said):
    (tmp_path / "scenes.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^data/.+/scenes.toml, {said}"):
        toml_files.read(tmp_path / "scenes.toml", scenarios.SCENES)
