"""One file of data/ that was broken by hand: told where it is needed, and all else is answered."""

import shutil

import pytest

from helpers.facts import forms, hearing, pictures, sounds, tables
from helpers.local_api import answers
from helpers.local_api.computed import seen
from helpers.local_api.tuning import candidates
from tests.asking import ask, chat, envelope, words

CACHED = (
    forms.load,
    seen._known,
    seen._by_hash,
    seen._like,
    candidates.shipped,
    sounds.clips,
    sounds._clip,
    sounds._file,
    hearing._known,
)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """folder(module, its name): a copy of the folder that a module reads, in that one's place."""

    def forget():
        for cached in CACHED:
            cached.cache_clear()

    def copied(module, name="FOLDER"):
        copy = shutil.copytree(getattr(module, name), tmp_path / getattr(module, name).name)
        monkeypatch.setattr(module, name, copy)
        forget()
        return copy

    yield copied
    monkeypatch.undo()
    forget()


def about(name):
    """A question on a whole form that no recording has: its answer is worked out."""
    shown = [
        {"type": "image_url", "image_url": {"url": pictures.data_url(page.read_bytes())}}
        for page in forms.pictures()
        if page.stem.startswith(name)
    ]
    return chat([{"type": "text", "text": "What is the filing status?"}, *shown])


@pytest.mark.parametrize(
    ("old", "new"),
    [('status = "single"', 'status = "lonely"'), ("year = 2024", "year = = 2024")],
    ids=["a value", "no TOML"],
)
def test_a_form_whose_truth_is_broken_is_told_and_the_others_are_answered(folder, old, new):
    file = folder(forms) / "single.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    api = answers.Answers()
    assert "Married filing jointly" in words(ask(api, about("joint")))
    assert "data/forms/single.toml" in envelope(ask(api, about("single")), 424)["message"]


def test_a_page_that_is_no_picture_is_told_and_the_others_are_answered(folder):
    (folder(forms) / "single-1.jpg").write_bytes(b"no picture")
    api = answers.Answers()
    assert "Married filing jointly" in words(ask(api, about("joint")))
    with pytest.raises(ValueError, match="no png"):
        about("single")


@pytest.mark.parametrize(
    "line", ["{", "5", '{"input": 5}', '{"messages": []}', '{"messages": [5]}']
)
def test_a_line_of_the_shipped_pairs_that_is_none_is_left_out(folder, line):
    whole = candidates.shipped()
    file = folder(candidates, "SHIPPED") / "weather.jsonl"
    file.write_text(line + "\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert candidates.shipped() == whole


def test_a_sound_that_is_none_is_told_and_the_others_are_heard(folder):
    file = folder(sounds) / sounds.clips()["user-christmas"]["file"]
    file.write_bytes(b"no sound")
    assert "user-christmas" not in hearing._known() and len(hearing._known()) > 5
    sounds.all_clips()
    with pytest.raises(ValueError, match=f"{file.name} cannot be read as sound"):
        sounds.clip("user-christmas")


def test_a_clip_whose_row_is_broken_is_told(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "DATA", tmp_path)
    file = folder(sounds) / "clips.csv"
    name, start = "user-christmas", sounds.clips()["user-christmas"]["start_ms"]
    text = file.read_text(encoding="utf-8")
    [row] = [line for line in text.splitlines() if line.startswith(f"{name},")]
    file.write_text(text.replace(row, row.replace(f",{start},", ",soon,", 1)), encoding="utf-8")
    sounds.clips.cache_clear()
    with pytest.raises(ValueError, match="data/audio/clips.csv, line .*: start_ms: 'soon'"):
        sounds.clip(name)
    sounds.all_clips()
