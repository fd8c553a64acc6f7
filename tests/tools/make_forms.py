"""Draw the practice forms from their ground truth: `python -m tests.tools.make_forms [name ...]`
(default: all).

Each page is drawn at twice its size, turned by half a degree or so, made smaller, given paper and
grain, and saved as a grey JPEG. All chance is seeded by the page's name, so a page comes out the
same each time.

Print is Aileron (CC0), which Pillow brings along. The hand is A. V. Hershey's single-stroke fonts,
free for any use (data/README.md): each stroke is bent a little and drawn with a round pen, so that
no two letters are the same. Nothing here imitates a government's logo, typeface or layout beyond
line numbers and their words.
"""

import functools
import hashlib
import json
import math
import sys
import tomllib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from helpers.facts import forms, tax

WIDTH, HEIGHT = 1000, 1294  # of a page in the end: letter paper at 118 dots an inch
TWICE = 2
INK, PRINT, LINE, SHADE = 45, 25, 90, 225  # greys
SMALL = 440  # width of the small copies that notebooks show
QUALITY, SMALL_QUALITY = 62, 55
MARGIN = 70


@functools.cache
def printed(size):
    return ImageFont.load_default(size * TWICE)


@functools.cache
def hand():
    """{name: {letter: [width, strokes]}}, in units of which 21 are a capital's height."""
    return json.loads((forms.FOLDER / "hand.json").read_text(encoding="utf-8"))


class Page:
    """A sheet with what is drawn on it; `boxes` collects the place of each field before the
    scan.
    """

    def __init__(self, name, width=WIDTH, height=HEIGHT):
        self.name, self.width, self.height = name, width, height
        self.image = Image.new("L", (width * TWICE, height * TWICE), 250)
        self.draw = ImageDraw.Draw(self.image)
        self.chance = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:12], 16))
        self.boxes = {}

    def print(self, x, y, text, size=20, grey=PRINT, bold=False, anchor="ls", field=None):
        """Printed text with its baseline's left end at x, y (or another Pillow anchor)."""
        at, font = (x * TWICE, y * TWICE), printed(size)
        weight = 0.8 if bold else 0
        self.draw.text(at, text, grey, font, anchor=anchor, stroke_width=weight, stroke_fill=grey)
        if field:
            self.boxes[field] = [
                v / TWICE
                for v in self.draw.textbbox(at, text, font, anchor=anchor, stroke_width=weight)
            ]

    def line(self, *points, width=1.5, grey=LINE):
        self.draw.line([(x * TWICE, y * TWICE) for x, y in points], grey, round(width * TWICE))

    def rectangle(self, left, top, right, bottom, width=1.5, fill=None):
        self.draw.rectangle(
            [v * TWICE for v in (left, top, right, bottom)], fill, LINE, round(width * TWICE)
        )

    def write(self, x, y, text, height=16, right=False, script=False, field=None):
        """Text by hand, its baseline starting (or ending, where `right`) at x, y."""
        font, scale = hand()["scripts" if script else "futural"], height / 21 * TWICE
        strokes, at = [], 0.0
        for letter in text:
            wide, drawn = font[letter]
            turn, size = self.chance.normal(0, 0.035), self.chance.normal(1, 0.03)
            drop = self.chance.normal(0, 0.5)
            for stroke in drawn:
                points = np.array(stroke, float)
                points = (
                    points
                    @ np.array(
                        [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
                    )
                    * size
                )
                points[:, 0] += at - 0.13 * points[:, 1]  # letters lean
                points[:, 1] += drop
                strokes.append(self._bent(points))
            at += wide * (0.92 if script else 0.9) + self.chance.normal(0, 0.4)
        start = x * TWICE - (at * scale if right else 0)
        inked = [
            np.stack([start + s[:, 0] * scale, y * TWICE + s[:, 1] * scale], 1) for s in strokes
        ]
        for stroke in inked:
            for i, (px, py) in enumerate(stroke):
                r = height / 16 * TWICE * (0.95 + 0.15 * math.sin(i / 9 + start))
                self.draw.ellipse([px - r, py - r, px + r, py + r], INK)
        if field:
            every = np.concatenate(inked) / TWICE
            (left, top), (to, bottom) = every.min(0) - 3, every.max(0) + 3
            self.boxes[field] = [left, top, to, bottom]

    def _bent(self, points):
        """A stroke as close points, moved by a slow wave: no hand draws a ruler's line."""
        steps = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        many = np.linspace(0, steps[-1], max(2, int(steps[-1] * 4)))
        close = np.stack([np.interp(many, steps, points[:, k]) for k in (0, 1)], 1)
        waves = self.chance.uniform(0, 6, 2)
        return close + 0.28 * np.stack(
            [np.sin(many / 4 + waves[0]), np.cos(many / 5 + waves[1])], 1
        )

    def scan(self):
        """(the picture after the scanner, {field: box in it})."""
        angle = self.chance.uniform(0.35, 0.8) * self.chance.choice([-1, 1])
        shift = self.chance.uniform(-4, 4, 2)
        turned = self.image.rotate(
            angle, Image.Resampling.BICUBIC, translate=tuple(shift * TWICE), fillcolor=236
        )
        small = np.asarray(
            turned.resize((self.width, self.height), Image.Resampling.LANCZOS), float
        )
        grain = self.chance.normal(0, 2.2, small.shape)
        coarse = Image.fromarray(
            self.chance.normal(0, 3, (self.height // 90 + 2, self.width // 90 + 2)).astype(
                "float32"
            )
        )
        paper = np.asarray(coarse.resize((self.width, self.height), Image.Resampling.BICUBIC))
        across = np.linspace(0, -7, self.width)[None, :]  # a lamp that is weaker on one side
        specks = (self.chance.random(small.shape) < 0.00002) * -110
        picture = Image.fromarray(
            np.clip(small * 0.97 + grain + paper + across + specks, 0, 255).astype("uint8")
        )
        return picture, {field: self._moved(box, angle, shift) for field, box in self.boxes.items()}

    def _moved(self, box, angle, shift):
        """The upright box around a box that was turned about the middle and shifted, in whole
        pixels.
        """
        a, cx, cy = math.radians(-angle), self.width / 2, self.height / 2
        corners = [(x - cx, y - cy) for x in box[::2] for y in box[1::2]]
        xs = [cx + shift[0] + x * math.cos(a) - y * math.sin(a) for x, y in corners]
        ys = [cy + shift[1] + x * math.sin(a) + y * math.cos(a) for x, y in corners]
        return [math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))]


# --- the four pages of a form ---------------------------------------------------------------------

RIGHT = WIDTH - MARGIN
AMOUNT = RIGHT - 150  # left edge of the column of amounts
NOTES = {
    1: (
        "How to fill in this page",
        "Tick one filing status. If you are married and file one return together, tick the second. If you file apart, tick the",
        "third. Under Age and blindness tick each box that is true of you and, on a joint return, of your spouse. Keep the count:",
        "the chart on page 4 asks for the number of boxes that you have ticked. Whoever ticks none does not use the chart.",
    ),
    2: (
        "How to fill in this page",
        "Enter whole dollars and leave out the cents. Line 9 is the sum of the four lines above it. Line 10 takes what you may",
        "adjust your income by; it never makes line 11 larger than line 9. Line 11 is called the adjusted gross income. Carry it",
        "over to page 3, where line 15 asks for it.",
    ),
    3: (
        "How to fill in this page",
        "Line 12 comes from the chart on page 4, where your filing status and the number of boxes ticked on page 1 meet. Line 13 is",
        "for owners of a business; most enter -0-. If line 14 is as large as line 11 or larger, there is no taxable income: enter",
        "-0- on line 15 and on line 16. The tax table is not a part of this form.",
    ),
    4: (
        "How to read this chart",
        "Find your filing status in the first column. Count the boxes that are ticked under Age and blindness on page 1, yours and",
        "your spouse's together, and find that number in the second column. The amount in the third column goes to line 12.",
    ),
}


def sheet(name, number, form):
    page = Page(f"{name}-{number}")
    page.print(MARGIN, 56, "SYNTHETIC - for practice only", 14, bold=True)
    page.print(RIGHT, 56, f"page {number} of 4", 14, anchor="rs")
    page.line((MARGIN, 68), (RIGHT, 68), width=3)
    page.print(MARGIN, 106, "Practice Form 1040-SR", 30, bold=True)
    page.print(RIGHT, 106, str(form["year"]), 32, bold=True, anchor="rs")
    page.line((MARGIN, 122), (RIGHT, 122))
    title, *text = NOTES[number]
    page.line((MARGIN, 1098), (RIGHT, 1098))
    page.print(MARGIN, 1126, title, 14, bold=True)
    for i, words in enumerate(text):
        page.print(MARGIN, 1150 + 22 * i, words, 14)
    page.print(
        MARGIN,
        HEIGHT - 42,
        "Fictional person, invented amounts. Not a form of any authority; do not file it.",
        12,
    )
    return page


def tick_box(page, x, y, words, ticked, field):
    page.rectangle(x, y - 15, x + 17, y + 2)
    page.print(x + 30, y, words, 15)
    if ticked:
        left, right = page.chance.normal(0, 1, 2)
        page.line((x + 1, y - 8 + left), (x + 7, y), (x + 21, y - 23 + right), width=2.4, grey=INK)
    page.boxes[field] = [x - 3, y - 26, x + 24, y + 5]


def rows(page, y, lines, form, step):
    """Numbered lines with a column of amounts by hand."""
    for number, words, amount in lines:
        page.print(MARGIN + 32, y, str(number), 15, bold=True, anchor="rs")
        first, *rest = words.split("\n")
        low = y + 21 * len(rest)
        for i, part in enumerate((first, *rest)):
            page.print(MARGIN + 52, y + i * 21, part, 15)
        begin = MARGIN + 52 + printed(15).getlength(words.split("\n")[-1]) / TWICE
        for x in range(math.ceil(begin / 14) * 14 + 8, AMOUNT - 60, 14):
            page.line((x, low - 1), (x + 2, low - 1), width=2)
        page.rectangle(AMOUNT - 42, low - 30, AMOUNT, low + 12, fill=SHADE)
        page.print(AMOUNT - 21, low - 4, str(number), 14, bold=True, anchor="ms")
        page.rectangle(AMOUNT, low - 30, RIGHT, low + 12)
        said = "-0-" if amount == 0 else f"{amount:,}"
        page.write(RIGHT - 12, low - 2, said, right=True, field=f"line_{number}")
        y = low + step
    return y


def heading(page, y, words):
    page.rectangle(MARGIN, y - 25, RIGHT, y + 10, fill=SHADE)
    page.print(MARGIN + 12, y, words, 16, bold=True)


def born(year):
    return f"January 2, {year - 64}"


def page_1(name, form):
    page = sheet(name, 1, form)
    page.print(MARGIN, 176, "Name", 14)
    page.line((MARGIN + 80, 182), (RIGHT, 182))
    page.write(MARGIN + 100, 175, form["person"], 19, field="name")
    page.print(MARGIN, 236, "Address", 14)
    page.line((MARGIN + 80, 242), (RIGHT, 242))
    page.write(MARGIN + 100, 235, form["address"], 18, field="address")
    heading(page, 312, "Filing status   (tick only one box)")
    for i, (status, words) in enumerate(forms.STATUS.items()):
        tick_box(
            page, MARGIN + 20, 366 + i * 48, words, form["status"] == status, f"status_{status}"
        )
    heading(page, 660, "Age and blindness   (tick all that apply)")
    page.print(MARGIN + 20, 716, "You:", 15, bold=True)
    page.print(MARGIN + 20, 826, "Spouse:", 15, bold=True)
    for who, y in (("you", 716), ("spouse", 826)):
        verb = "Was born" if who == "spouse" else "Were born"
        tick_box(
            page,
            MARGIN + 130,
            y,
            f"{verb} before {born(form['year'])}",
            f"{who}_65" in form["boxes"],
            f"{who}_65",
        )
        tick_box(
            page,
            MARGIN + 130,
            y + 48,
            "Is blind" if who == "spouse" else "Are blind",
            f"{who}_blind" in form["boxes"],
            f"{who}_blind",
        )
    page.print(MARGIN, 1000, "Signature", 14)
    page.line((MARGIN + 110, 1006), (MARGIN + 520, 1006))
    page.write(
        MARGIN + 130, 998, form["person"].split(" and ")[0], 28, script=True, field="signature"
    )
    return page


def page_2(name, form):
    page = sheet(name, 2, form)
    heading(page, 180, "Income")
    income, written = form["income"], form["written"]
    y = rows(
        page,
        250,
        [
            ("1z", "Wages, salaries, tips", income["1z"]),
            ("2b", "Taxable interest", income["2b"]),
            ("5b", "Pensions and annuities, taxable amount", income["5b"]),
            ("6b", "Social security benefits, taxable amount", income["6b"]),
        ],
        form,
        step=74,
    )
    heading(page, y + 20, "Adjusted gross income")
    rows(
        page,
        y + 90,
        [
            (9, "Add lines 1z, 2b, 5b and 6b.\nThis is your total income", written[9]),
            (10, "Adjustments to income", written[10]),
            (11, "Subtract line 10 from line 9.\nThis is your adjusted gross income", written[11]),
        ],
        form,
        step=84,
    )
    return page


def page_3(name, form):
    page = sheet(name, 3, form)
    heading(page, 180, "Deduction, taxable income and tax")
    written = form["written"]
    rows(
        page,
        250,
        [
            (12, "Standard deduction\n(from the chart on page 4)", written[12]),
            (13, "Qualified business income deduction", written[13]),
            (14, "Add lines 12 and 13", written[14]),
            (
                15,
                "Subtract line 14 from line 11. If zero or less, enter -0-.\nThis is your taxable income",
                written[15],
            ),
            (16, "Tax (from the tax table)", written[16]),
        ],
        form,
        step=100,
    )
    return page


def page_4(name, form):
    page = sheet(name, 4, form)
    heading(page, 180, "Standard deduction chart for line 12")
    page.print(
        MARGIN,
        224,
        "Use it only if you or your spouse ticked a box under Age and blindness on page 1.",
        14,
    )
    columns = (MARGIN, MARGIN + 400, MARGIN + 640, RIGHT)
    for x, words in zip(columns, ("Your filing status is", "Boxes ticked", "Standard deduction")):
        page.print(x + 14, 282, words, 15, bold=True)
    page.line((MARGIN, 294), (RIGHT, 294), width=3)
    y = 294
    for status in (
        "single",
        "married_jointly",
        "surviving_spouse",
        "head_of_household",
        "married_separately",
    ):
        most = {"married_jointly": 4, "married_separately": 4}.get(status, 2)
        for n in range(1, most + 1):
            base = y + 46 * n - 14
            page.print(columns[1] + 80, base, str(n), 16, anchor="ms", field=f"boxes_{status}_{n}")
            page.print(
                columns[3] - 60,
                base,
                f"{tax.standard_deduction(form['year'], status, n):,}",
                16,
                anchor="rs",
                field=f"chart_{status}_{n}",
            )
        page.print(columns[0] + 14, y + 32, forms.STATUS[status], 15)
        y += 46 * most + 6
        page.line((MARGIN, y), (RIGHT, y))
    for x in columns:
        page.line((x, 258), (x, y))
    return page


# --- a machine part -------------------------------------------------------------------------------


def arrow(page, a, b):
    """A dimension line with a head at both ends."""
    page.line(a, b, width=1.5, grey=PRINT)
    (ax, ay), (bx, by) = a, b
    long = math.hypot(bx - ax, by - ay)
    ux, uy = (bx - ax) / long, (by - ay) / long
    for x, y, s in ((ax, ay, 1), (bx, by, -1)):
        head = [
            (x, y),
            *((x + s * 13 * ux + k * 4 * uy, y + s * 13 * uy - k * 4 * ux) for k in (1, -1)),
        ]
        page.draw.polygon([(p * TWICE, q * TWICE) for p, q in head], PRINT)


def dimension(page, feature, a, b, at):
    arrow(page, a, b)
    sign = "dia " if feature["what"] == "diameter" else ""
    words = f"{feature['name']}   {sign}{feature['nominal']} ± {feature['tolerance']}"
    page.print(*at, words, 16, anchor="ms", field=f"drawing_{feature['name']}")


def shaft(name, part):
    page = Page(name, 1000, 980)
    page.print(60, 62, "SYNTHETIC - for practice only", 14, bold=True)
    page.print(940, 62, "all sizes in mm", 14, anchor="rs")
    page.line((60, 76), (940, 76), width=3)
    page.print(60, 118, f"{part['part']}: drawing and inspection", 24, bold=True)
    a, b, c, d, e = part["features"]
    for left, top, right, bottom in (
        (210, 270, 610, 450),
        (610, 240, 700, 480),
        (700, 310, 860, 410),
    ):
        page.rectangle(left, top, right, bottom, width=3)
    page.line((180, 360), (890, 360), width=1)  # the axis
    for x, top, bottom in (
        (210, 450, 600),
        (610, 480, 540),
        (700, 480, 540),
        (860, 410, 600),
        (610, 450, 540),
    ):
        page.line((x, top), (x, bottom), width=1)
    for y, x in ((270, 210), (450, 210)):
        page.line((x, y), (120, y), width=1)
    for y in (310, 410):
        page.line((860, y), (930, y), width=1)
    arrow(page, (135, 270), (135, 450))
    page.print(60, 248, f"A   dia {a['nominal']} ± {a['tolerance']}", 16, field="drawing_A")
    arrow(page, (915, 310), (915, 410))
    page.print(
        940, 288, f"C   dia {c['nominal']} ± {c['tolerance']}", 16, anchor="rs", field="drawing_C"
    )
    dimension(page, b, (210, 530), (610, 530), (410, 522))
    dimension(page, d, (700, 530), (860, 530), (779, 522))
    dimension(page, e, (210, 590), (860, 590), (530, 582))
    heading_y = 670
    page.rectangle(60, heading_y - 32, 940, heading_y + 12, fill=SHADE)
    page.print(74, heading_y, "Measured by hand", 16, bold=True)
    for i, feature in enumerate(part["features"]):
        x, y = (90, 740 + 66 * i) if i < 3 else (530, 740 + 66 * (i - 3))
        page.print(x, y, feature["name"], 16, bold=True)
        page.line((x + 40, y + 8), (x + 260, y + 8))
        page.write(x + 70, y, feature["measured"], field=f"measured_{feature['name']}")
        page.print(x + 270, y, "mm", 14)
    page.print(60, 948, "Invented part, invented sizes.", 12)
    return page


# --- all of them ----------------------------------------------------------------------------------


def drawn(names=forms.FORMS + forms.SHAFTS):
    """{picture file name: (picture, {field: box})}"""
    made = {}
    for name in names:
        truth = forms.load(name)
        pages = (
            [make(name, truth) for make in (page_1, page_2, page_3, page_4)]
            if name in forms.FORMS
            else [shaft(name, truth)]
        )
        for page in pages:
            made[f"{page.name}.jpg"] = page.scan()
    return made


def main(names):
    places = forms.boxes() if (forms.FOLDER / "boxes.json").exists() else {}
    for file, (picture, boxes) in drawn(names or forms.FORMS + forms.SHAFTS).items():
        picture.save(forms.FOLDER / file, quality=QUALITY, optimize=True)
        (forms.FOLDER / "small").mkdir(exist_ok=True)
        small = picture.resize(
            (SMALL, round(SMALL * picture.height / picture.width)), Image.Resampling.LANCZOS
        )
        small.save(forms.FOLDER / "small" / file, quality=SMALL_QUALITY, optimize=True)
        places[file] = {"size": list(picture.size), "boxes": boxes}
        print(file, f"{(forms.FOLDER / file).stat().st_size // 1000} kB")
    lines = [
        f'  "{file}": {{"size": {places[file]["size"]}, "boxes": {{\n'
        + ",\n".join(f'    "{k}": {v}' for k, v in places[file]["boxes"].items())
        + "\n  }}"
        for file in sorted(places)
    ]
    (forms.FOLDER / "boxes.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    write_drawn(names or forms.FORMS + forms.SHAFTS)


def write_drawn(names):
    """Note from which truth the pictures of these forms are."""
    now = dict(forms.drawn()) if (forms.FOLDER / "drawn.json").exists() else {}
    for name in names:
        truth = tomllib.loads((forms.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        now[name] = forms.as_drawn(name, truth)
    (forms.FOLDER / "drawn.json").write_text(
        json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
