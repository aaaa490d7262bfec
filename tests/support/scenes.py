"""Draw pictures as a camera might give them, from a seed: six harmless scenes, and one that the model mistakes for nudity.

**Invariant:** shapes only, no person; the same picture on each run. `blobs` is five blurred ellipses in skin tones over stripes: a hit can
be tested without a picture of a person.
"""

import math
from functools import cache
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFilter

TILE = (320, 240)
SCENES = 6
QUALITY = 70  # of the page's JPEGs


@cache
def scene(number: int, size: tuple[int, int] = TILE) -> Image.Image:
    """Return one of SCENES: a shelf, a harbour, hills, a board, a street, a desk. It is drawn once; do not modify it."""
    picture = Image.new("RGB", (640, 480))
    draw, seed = ((shelf, 0), (harbour, 1), (hills, 2), (board, 4), (street, 4), (desk, 5))[number]
    draw(ImageDraw.Draw(picture), Random(seed))
    return picture.filter(ImageFilter.GaussianBlur(0.8)).resize(size, Image.Resampling.BILINEAR)


# x, y, half the width, half the height, blur, colour: found by trying from a seed; the model scores it 0.99.
BLOBS = (
    (259, 172, 70, 87, 10, (224, 180, 141)),
    (495, 133, 151, 171, 3, (212, 156, 118)),
    (259, 269, 90, 122, 10, (205, 155, 118)),
    (325, 307, 82, 129, 3, (239, 171, 135)),
    (437, 156, 163, 64, 14, (238, 176, 133)),
)


def blobs(size: tuple[int, int] = TILE) -> Image.Image:
    """Return the picture that the model mistakes for nudity."""
    picture = Image.new("RGB", (640, 480), (247, 247, 247))
    for y in range(0, 480, 32):
        ImageDraw.Draw(picture).rectangle((0, y, 640, y + 15), fill=(140, 140, 140))
    for x, y, width, height, blur, colour in BLOBS:
        mask = Image.new("L", picture.size)
        ImageDraw.Draw(mask).ellipse((x - width, y - height, x + width, y + height), fill=255)
        picture.paste(Image.new("RGB", picture.size, colour), mask=mask.filter(ImageFilter.GaussianBlur(blur)))
    return picture.resize(size, Image.Resampling.BILINEAR)


def jpeg(picture: Image.Image, quality: int = QUALITY, comment: bytes = b"") -> bytes:
    """Encode a picture as a page sends it; `comment`: in a segment of its own."""
    made = BytesIO()
    picture.save(made, "JPEG", quality=quality, comment=comment)
    return made.getvalue()


def strip(*tiles: Image.Image) -> Image.Image:
    """Stack three pictures; a single one is repeated."""
    width, height = TILE
    made = Image.new("RGB", (width, 3 * height))
    for at in range(3):
        made.paste(tiles[at % len(tiles)].resize(TILE), (0, at * height))
    return made


Draw = ImageDraw.ImageDraw


def grey(random: Random, low: int, high: int) -> tuple[int, int, int]:
    """Return a colour that is nearly grey."""
    light = random.randint(low, high)
    return light, min(255, light + random.randint(0, 12)), min(255, light + random.randint(4, 24))


def shelf(draw: Draw, random: Random) -> None:
    draw.rectangle((0, 0, 640, 480), fill=(60, 66, 74))
    for row in range(4):
        at = 8
        while at < 620:
            width = random.randint(12, 34)
            top = row * 120 + random.randint(10, 40)
            colour = random.choice(((30, 90, 140), (200, 205, 210), (40, 120, 80), (20, 24, 60), (90, 150, 170)))
            draw.rectangle((at, top, at + width, row * 120 + 112), fill=colour)
            draw.rectangle((at + 3, top + 8, at + width - 3, top + 14), fill=(235, 235, 240))
            at += width + random.randint(1, 5)
        draw.rectangle((0, row * 120 + 112, 640, row * 120 + 120), fill=(24, 26, 30))


def harbour(draw: Draw, random: Random) -> None:
    for y in range(0, 480, 8):
        draw.rectangle(
            (0, y, 640, y + 7),
            fill=(14, 30 + y // 9, 70 - y // 7)
            if y < 200
            else (60, 110 + random.randint(0, 50), 150 + random.randint(0, 60)),
        )
    for at in range(20, 640, 78):
        top, height = random.randint(40, 150), random.randint(40, 90)
        draw.line((at + 30, top, at + 30, 260), fill=(20, 24, 30), width=5)
        draw.polygon([(at + 32, top), (at + 32, top + height), (at + 62, top + height)], fill=(236, 242, 248))
        draw.rectangle((at, 250, at + 62, 276), fill=random.choice(((20, 30, 90), (30, 100, 90), (220, 230, 236))))
    for _ in range(60):
        x, y = random.randint(0, 620), random.randint(290, 470)
        draw.rectangle((x, y, x + random.randint(8, 40), y + 4), fill=(190, 225, 235))


def hills(draw: Draw, random: Random) -> None:
    for y in range(480):
        draw.line((0, y, 640, y), fill=(90 + y // 6, 140 + y // 8, 220))
    for layer in range(5):
        base, height = 180 + layer * 60, 70 - layer * 6
        line = [
            (x, base + height * math.sin(x / (70 + 20 * layer) + random.random()) + random.randint(-9, 9))
            for x in range(0, 656, 16)
        ]
        draw.polygon([(0, 480), *line, (640, 480)], fill=(20 + 8 * layer, 110 - 16 * layer, 70 - 10 * layer))


def board(draw: Draw, random: Random) -> None:
    for row in range(8):
        for column in range(10):
            light = (row + column) % 2
            draw.rectangle(
                (column * 64, row * 60, column * 64 + 63, row * 60 + 59),
                fill=(200, 214, 226) if light else (34, 84, 96),
            )
    for _ in range(9):
        x, y = random.randint(0, 9) * 64 + 12, random.randint(0, 7) * 60 + 10
        draw.ellipse((x, y, x + 40, y + 40), fill=random.choice(((20, 40, 120), (240, 240, 250))))


def street(draw: Draw, random: Random) -> None:
    draw.rectangle((0, 0, 640, 300), fill=(170, 190, 205))
    draw.rectangle((0, 300, 640, 480), fill=(70, 72, 76))
    at = 0
    while at < 640:
        width, top = random.randint(60, 130), random.randint(20, 160)
        draw.rectangle((at, top, at + width, 320), fill=grey(random, 50, 130))
        for x in range(at + 8, at + width - 16, 22):
            for y in range(top + 10, 300, 28):
                draw.rectangle((x, y, x + 11, y + 15), fill=random.choice(((240, 244, 220), (20, 24, 34))))
        at += width
    for x in range(0, 640, 90):
        draw.rectangle((x, 390, x + 46, 398), fill=(240, 240, 240))


def desk(draw: Draw, random: Random) -> None:
    draw.rectangle((0, 0, 640, 480), fill=(96, 112, 122))
    draw.rectangle((90, 30, 550, 330), fill=(20, 34, 60), outline=(10, 12, 16), width=12)
    for line in range(13):
        x, y = 120, 54 + line * 20
        while x < 480:
            width = random.randint(10, 60)
            draw.rectangle(
                (x, y, x + width, y + 9), fill=random.choice(((120, 220, 160), (130, 180, 240), (220, 225, 230)))
            )
            x += width + 10
    draw.rectangle((290, 330, 350, 352), fill=(16, 18, 22))
    for row in range(4):
        for column in range(14):
            draw.rectangle(
                (80 + column * 35, 362 + row * 28, 108 + column * 35, 384 + row * 28), fill=grey(random, 30, 220)
            )
