"""The practice forms: their truth derived again, their pictures drawn again, read by an OCR, and
met by their boxes.
"""

import difflib
import io
import json
import re
import shutil
import subprocess
import warnings
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from helpers.facts import forms
from helpers.local_api import answers
from helpers.local_api import pictures as requested
from helpers.o1 import pictures
from tests.asking import CHAT, RESPONSES, ask, chat, envelope
from tests.conftest import needs
from tests.facts.test_tax import reference_schedule
from tests.tools import make_forms

API = answers.Answers()
SHIPPED = {r.name: r for r in API.library.recordings}
# The standard deduction by boxes ticked, 0 and up: typed once more, from the two years' published
# figures.
DEDUCTION = {
    2024: {
        "single": "14,600 16,550 18,500",
        "married_jointly": "29,200 30,750 32,300 33,850 35,400",
        "surviving_spouse": "29,200 30,750 32,300",
        "head_of_household": "21,900 23,850 25,800",
        "married_separately": "14,600 16,150 17,700 19,250 20,800",
    },
    2023: {
        "single": "13,850 15,700 17,550",
        "married_jointly": "27,700 29,200 30,700 32,200 33,700",
        "surviving_spouse": "27,700 29,200 30,700",
        "head_of_household": "20,800 22,650 24,500",
        "married_separately": "13,850 15,350 16,850 18,350 19,850",
    },
}


def deduction(year, status, boxes):
    return int(DEDUCTION[year][status].split()[boxes].replace(",", ""))


def table_tax(year, status, taxable):
    """The tax table's tax, for amounts of the bands of 25 and of 50 dollars."""
    if taxable < 25:
        return 0 if taxable < 5 else 1 if taxable < 15 else 2
    wide = 25 if taxable < 3000 else 50
    middle = taxable // wide * wide + wide / 2
    return int(reference_schedule(year, status, middle) + Fraction(1, 2))


def rules(form):
    """{line: how it follows from other lines}, from the words printed on the form."""
    year, status = form["year"], form["status"]
    return {
        11: lambda a: a[9] - a[10],
        12: lambda a: deduction(year, status, len(form["boxes"])),
        14: lambda a: a[12] + a[13],
        15: lambda a: max(0, a[11] - a[14]),
        16: lambda a: table_tax(year, status, a[15]),
    }


def right(form):
    amounts = dict(form["written"])
    for line, rule in rules(form).items():
        amounts[line] = rule(amounts)
    return amounts


# --- the truth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", forms.FORMS)
def test_corrections_follow_from_the_raw_lines(name):
    form = forms.load(name)
    written, true = form["written"], right(form)
    assert sum(form["income"].values()) == written[9] and sorted(written) == list(range(9, 17))
    assert {c["line"]: (c["old"], c["new"]) for c in form["corrections"]} == {
        n: (written[n], true[n]) for n in written if written[n] != true[n]
    }
    assert forms.corrected(form) == true
    # planted is what does not even follow from the person's own lines
    assert [c["line"] for c in form["corrections"] if c["planted"]] == [
        n for n, rule in rules(form).items() if written[n] != rule(written)
    ]
    assert form["status"] in forms.STATUS and set(form["boxes"]) <= set(forms.TICKS)


def test_the_forms_are_the_ones_promised():
    planted = {
        name: sum(c["planted"] for c in forms.load(name)["corrections"]) for name in forms.FORMS
    }
    assert planted == {"single": 2, "joint": 1, "correct": 0, "three": 3, "widow": 1}
    assert len({forms.load(name)["status"] for name in forms.FORMS}) == 5
    rosa = forms.load("single")
    assert (rosa["year"], rosa["status"], rosa["boxes"]) == (2024, "single", ["you_65"])
    assert rosa["written"][11] == rosa["written"][9] + rosa["written"][10]
    assert rosa["written"][12] in [
        deduction(2024, s, n) for s in DEDUCTION[2024] for n in range(1, 3)
    ]  # another cell of the chart
    assert (right(rosa)[15], right(rosa)[16]) == (9325, 933)


@pytest.mark.parametrize("name", forms.FORMS)
def test_reasons_have_the_numbers_and_no_others(name):
    form = forms.load(name)
    known = (
        {*form["written"].values(), *right(form).values(), *form["written"]}
        | {deduction(form["year"], s, n) for s in DEDUCTION[2024] for n in (1, 2)}
        | {1, 2, 4}
    )
    for c in form["corrections"]:
        assert {
            int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?<!,)", c["reason"])
        } <= known, c["reason"]


def test_the_shafts_follow_from_their_tolerances():
    for name in forms.SHAFTS:
        part = forms.load(name)
        cents = lambda text: int(text.replace(".", ""))
        off = {
            f["name"]: abs(cents(f["measured"]) - cents(f["nominal"])) - cents(f["tolerance"])
            for f in part["features"]
        }
        assert part["out"] == [n for n, d in off.items() if d > 0] and part["on_the_limit"] == [
            n for n, d in off.items() if d == 0
        ]
    assert forms.load("shaft-a")["out"] == ["C"] and forms.load("shaft-b")["out"] == []
    assert forms.limits({"nominal": "12.50", "tolerance": "0.05"}) == ("12.45", "12.55")


def test_an_unknown_form_is_named():
    with pytest.raises(LookupError, match="There is no form 'nobody'. There are: single, joint"):
        forms.load("nobody")


# --- what the recordings say ----------------------------------------------------------------------


def said(name):
    body = SHIPPED[name].responses[-1]["body"]
    return (
        body["choices"][0]["message"]["content"]
        if "choices" in body
        else body["output"][-1]["content"][0]["text"]
    )


@pytest.mark.parametrize("name", forms.FORMS)
def test_answers_have_every_planted_mistake_and_the_right_amounts(name):
    form, true = forms.load(name), right(forms.load(name))
    planted = [n for n, rule in rules(form).items() if form["written"][n] != rule(form["written"])]
    for answer in (said(f"o1/vision/form-{name}"), said(f"o1/vision/today-{name}")):
        found = re.findall(
            r"^\d\. Page (\d), line (\d+): ([\d,]+) should be ([\d,]+)\.", answer, re.M
        )
        assert found == [
            (str(2 if n < 12 else 3), str(n), f"{form['written'][n]:,}", f"{true[n]:,}")
            for n in planted
        ]
        assert (
            re.search(r"taxable income on line 15 is (?:then )?([\d,]+)\.", answer)[1]
            == f"{true[15]:,}"
        )
        assert "I was not given the tax table" in answer
    for missing in (1, 4):
        answer = said(f"o1/vision/form-without-{missing}-{name}")
        found = [int(n) for n in re.findall(r"^\d\. Page \d, line (\d+)", answer, re.M)]
        assert (
            found == [n for n in planted if n != 12]
            and f"page {missing}, which I was not given" in answer
        )
        assert f"{true[12]:,}" not in answer or true[12] == form["written"][12]
        assert "taxable income on line 15" not in answer
    assert not re.search(r"\d", said(f"o1/vision/form-low-{name}"))


@pytest.mark.parametrize("name", forms.SHAFTS)
def test_the_inspection_names_what_is_out(name):
    part, answer = forms.load(name), said(f"o1/vision/part-{name}")
    assert re.findall(r"^(\w) is out of tolerance", answer, re.M) == part["out"]
    assert ("reject" in answer) == bool(part["out"]) and re.findall(
        r"^(\w) lies exactly", answer, re.M
    ) == part["on_the_limit"]


def test_recordings_refer_to_the_committed_pictures():
    known = {requested.reference(f) for f in forms.FOLDER.glob("*.jpg")}
    used = {
        url
        for name, r in SHIPPED.items()
        if name.startswith("o1/vision/")
        for _, url, _ in requested.parts(r.path, r.sent)
    }
    assert used == known and len(known) == 4 * len(forms.FORMS) + len(forms.SHAFTS)


# --- the pictures ---------------------------------------------------------------------------------

PLACES = forms.boxes()


def opened(file):
    return Image.open(forms.FOLDER / file)


def test_pictures_are_small_grey_and_as_large_as_they_say():
    files = sorted(f.name for f in forms.FOLDER.glob("*.jpg"))
    assert files == sorted(PLACES)
    for file in files:
        raw = (forms.FOLDER / file).read_bytes()
        with opened(file) as picture:
            assert picture.mode == "L" and list(picture.size) == PLACES[file]["size"] == list(
                pictures.size(raw)
            )
        assert 20_000 < len(raw) < 200_000
        assert (forms.FOLDER / "small" / file).stat().st_size < 40_000
    assert sum(f.stat().st_size for f in forms.FOLDER.rglob("*")) < 3_000_000


def test_sizes_are_read_from_any_kind_of_picture():
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        for more in (
            ({}, {"lossless": True})
            if kind == "WEBP"
            else ({"progressive": True}, {})
            if kind == "JPEG"
            else ({},)
        ):
            made = io.BytesIO()
            Image.new("RGB", (321, 45)).save(made, kind, **more)
            assert (
                pictures.size(made.getvalue()) == (321, 45)
                and pictures.kind(made.getvalue()) == kind.lower()
            )
            assert pictures.data_url(made.getvalue()).startswith(
                f"data:image/{kind.lower()};base64,"
            )
    for bad in (b"", b"%PDF-1.7", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP"):
        with pytest.raises(ValueError):
            pictures.size(bad)


@pytest.mark.parametrize("name", ["single", "shaft-a"])
def test_drawn_again_it_is_the_same(name):
    for file, (picture, boxes) in make_forms.drawn([name]).items():
        assert boxes == PLACES[file]["boxes"]
        # JPEG is lossy, and its makers differ in the last bit: the same picture, not the same bytes
        drift = np.abs(np.asarray(picture, float) - np.asarray(opened(file), float))
        assert drift.mean() < 3, file
        other = np.asarray(opened("joint-2.jpg" if name == "single" else "shaft-b.jpg"), float)
        assert (
            other.shape != drift.shape
            or np.abs(np.asarray(picture, float) - other).mean() > drift.mean() * 1.2
        )


def dark(file, box):
    left, top, right, bottom = box
    return np.asarray(opened(file))[top:bottom, left:right] < 110


@pytest.mark.parametrize("file", sorted(PLACES))
def test_boxes_lie_where_the_ink_is(file):
    width, height = PLACES[file]["size"]
    name = file.removesuffix(".jpg")
    form = forms.load(name.rsplit("-", 1)[0] if name not in forms.SHAFTS else name)
    for field, box in PLACES[file]["boxes"].items():
        left, top, right_, bottom = box
        assert 0 <= left < right_ <= width and 0 <= top < bottom <= height, field
        ink = dark(file, box)
        # a frame always, and a tick where there is one
        if field.startswith("status_") or field in forms.TICKS:
            ticked = field == f"status_{form['status']}" or field in form["boxes"]
            # a tick reaches above its frame
            assert (ink[:8].mean() > 0.02) == ticked and ink.mean() > 0.04, field
        else:
            assert ink.mean() > 0.04, field
            rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
            # the ink fills its box
            assert rows[-1] - rows[0] > 0.45 * ink.shape[0] or forms_zero(form, field), field
            assert columns[-1] - columns[0] > (0.6 if len(columns) > 12 else 0.2) * ink.shape[1], (
                field
            )


def forms_zero(form, field):
    """-0- is flat, and so is a small signature's box."""
    number = field.removeprefix("line_")
    return 0 in (
        form.get("income", {}).get(number),
        form.get("written", {}).get(int(number) if number.isdigit() else None),
    )


# --- legible? -------------------------------------------------------------------------------------


def as_the_model_gets_it(file, width):
    picture = opened(file)
    return picture.resize(
        (width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS
    )


def ocr(picture, *options):
    raw = io.BytesIO()
    picture.save(raw, "PNG")
    run = subprocess.run(
        ["tesseract", "-", "-", *options],
        input=raw.getvalue(),
        capture_output=True,
        env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    return run.stdout.decode()


def numbers_by_field(name):
    """{(file, field): what stands there by hand}"""
    form = forms.load(name)
    if name in forms.SHAFTS:
        return {(f"{name}.jpg", f"measured_{f['name']}"): f["measured"] for f in form["features"]}
    return {
        (f"{name}-{forms.PAGE_OF_LINE[line]}.jpg", f"line_{line}"): f"{amount:,}"
        if amount
        else "-0-"
        for line, amount in form["written"].items()
    }


def read_field(file, field, width):
    """The digits that an OCR finds in one field of a page of this width, by several ways of
    looking.
    """
    page, scale = as_the_model_gets_it(file, width), width / opened(file).width
    left, top, right_, bottom = (v * scale for v in PLACES[file]["boxes"][field])
    crop = page.crop((int(left) - 4, int(top) - 4, int(right_) + 5, int(bottom) + 5))
    crop = crop.resize((round(crop.width * 60 / crop.height), 60), Image.Resampling.BICUBIC)
    for mode in ("7", "8", "13"):
        yield re.sub(
            r"\D", "", ocr(crop, "--psm", mode, "-c", "tessedit_char_whitelist=0123456789,.-")
        )


@needs("tesseract")
@pytest.mark.parametrize("name", forms.FORMS + forms.SHAFTS)
def test_an_ocr_finds_every_number_at_the_size_of_high_detail(name):
    for (file, field), amount in numbers_by_field(name).items():
        if amount != "-0-":  # a lone 0 between dashes is no word to an OCR
            digits = re.sub(r"\D", "", amount)
            assert any(found == digits for found in read_field(file, field, 768)), (
                field,
                amount,
                list(read_field(file, field, 768)),
            )


@needs("tesseract")
def test_an_ocr_finds_the_chart_and_the_status_whole():
    big = lambda n: (lambda p: p.resize((p.width * 2, p.height * 2), Image.Resampling.BICUBIC))(
        as_the_model_gets_it(f"single-{n}.jpg", 768)
    )
    chart = ocr(big(4), "--psm", "6")
    for amounts in DEDUCTION[2024].values():
        assert all(amount in chart for amount in amounts.split()[1:])
    front = ocr(big(1), "--psm", "6")
    lines = [re.sub("[^A-Za-z ]", "", line).strip() for line in front.splitlines()]
    for words in forms.STATUS.values():  # a letter may be misread, and a box taken for one or two
        assert any(
            difflib.SequenceMatcher(None, words, line[-len(words) :]).ratio() > 0.85
            for line in lines
        ), (words, lines)
    assert "SYNTHETIC" in front and "born before January 2, 1960" in front


@needs("tesseract")
def test_low_detail_loses_half_of_the_print_and_high_detail_little(monkeypatch):
    """What 03_vision says of low detail: 512 x 512, so a page of 396 x 512."""
    words, print_ = [], make_forms.Page.print
    monkeypatch.setattr(
        make_forms.Page,
        "print",
        lambda self, x, y, text, *a, **k: (
            words.extend(re.findall(r"[A-Za-z]{4,}", text)) or print_(self, x, y, text, *a, **k)
        ),
    )
    make_forms.page_2("single", forms.load("single"))
    share = {}
    for width in (768, 396):
        page = as_the_model_gets_it("single-2.jpg", width)
        text = ocr(
            page.resize((1536, round(page.height * 1536 / page.width)), Image.Resampling.BICUBIC),
            "--psm",
            "6",
        )
        share[width] = sum(word in text for word in words) / len(words)
    assert share[768] > 0.85 and 0.3 < share[396] < 0.65, share


# --- pictures that are none -----------------------------------------------------------------------


def sent(url):
    return chat(
        [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
    )


BAD = {
    "a PDF": (
        "data:application/pdf;base64,JVBERi0=",
        "Invalid MIME type. Only image types are supported.",
        None,
        "invalid_image_format",
    ),
    "text": (
        "data:image/png;base64,RGVhciBTaXI=",
        "You uploaded an unsupported image. Please make sure your image has of one",
        None,
        "invalid_image_format",
    ),
    "not base64": (
        "data:image/png;base64,@@@",
        "You uploaded an unsupported image.",
        None,
        "invalid_image_format",
    ),
    "empty": (
        "data:image/jpeg;base64,",
        "Invalid 'messages[0].content[1].image_url.url'. Expected a base64-encoded data URL",
        "messages[0].content[1].image_url.url",
        "invalid_value",
    ),
    "too large": (
        "data:image/png;base64," + "A" * (28 * 1024 * 1024),
        "You uploaded an unsupported image. Please make sure your image is below 20 MB",
        None,
        "sanitizer_server_error",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_is_refused_in_the_apis_words(kind):
    url, message, param, code = BAD[kind]
    answer = ask(API, sent(url))
    e = envelope(answer, 400)
    assert e["message"].startswith(message) and (e["type"], e["param"], e["code"]) == (
        "invalid_request_error",
        param,
        code,
    )
    assert answer.origin["class"] in ("published", "constructed") and "#" in answer.origin["source"]


def test_a_bad_picture_is_refused_in_both_shapes_and_at_its_place():
    body = {
        "model": "gpt-5.6-sol",
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_image", "image_url": "data:image/png;base64,"}],
            }
        ],
    }
    e = envelope(ask(API, body, RESPONSES), 400)
    assert (
        e["param"] == "input[0].content[0].image_url"
        and "'input[0].content[0].image_url'" in e["message"]
    )
    e = envelope(ask(API, chat([{"type": "image_url", "image_url": "x.png"}])), 400)
    assert (
        e["message"]
        == "Invalid type for 'messages[0].content[0].image_url': expected an object, but got a string instead."
    )


def test_an_unknown_picture_or_an_address_is_off_the_map():
    other = io.BytesIO()
    Image.new("L", (8, 8)).save(other, "PNG")
    for url in (pictures.data_url(other.getvalue()), "https://example.com/form.jpg"):
        assert envelope(ask(API, sent(url)), 424)["code"] == "off_the_map"


def test_the_same_picture_matches_however_the_request_is_written():
    name = "o1/vision/part-shaft-b"
    body = json.loads(json.dumps(SHIPPED[name].sent))
    body["messages"][0]["content"][1]["image_url"]["url"] = pictures.data_url(
        forms.page("shaft-b").read_bytes()
    )
    answer = ask(API, body | {"reasoning_effort": "medium", "user": "x"})
    assert (answer.status, answer.recording) == (200, name) and SHIPPED[name].path == CHAT


def test_a_truth_that_was_changed_after_its_picture_was_drawn_is_told(monkeypatch, tmp_path):
    shutil.copytree(forms.FOLDER, tmp_path / "forms")
    monkeypatch.setattr(forms, "FOLDER", tmp_path / "forms")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        amounts = forms.load.__wrapped__("single")["written"]
    file = tmp_path / "forms" / "single.toml"
    text = file.read_text(encoding="utf-8")
    changed = text.replace(str(amounts[9]), str(amounts[9] + 1))
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    with pytest.warns(UserWarning, match=r"single\.toml and its pictures no longer fit"):
        forms.load.__wrapped__("single")
