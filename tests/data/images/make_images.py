"""Writes the images of this folder and, beside each, what Pillow makes of it: NAME.ppm = open(NAME).convert("RGB").

The pictures are made up here. Run it again only to add one; it needs Pillow and NumPy. Written with Pillow 13.0 and
libjpeg-turbo 3.2.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

folder = Path(__file__).parent
width, height = 37, 29


def picture() -> np.ndarray:
    """Slopes, an edge, a disc and noise: something for every filter to get wrong."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    noise = np.random.default_rng(1).integers(-20, 21, (height, width, 3))
    red = 255 * x / (width - 1)
    green = 255 * y / (height - 1)
    blue = np.where((x - 18) ** 2 + (y - 14) ** 2 < 90, 230, 20) + 0 * x
    red[:, 30:] = 255 - red[:, 30:]
    return np.clip(np.stack([red, green, blue], -1) + noise, 0, 255).astype(np.uint8)


def expect(name: str, image: Image.Image | None = None) -> None:
    image = image or Image.open(folder / name)
    image.convert("RGB").save(folder / f"{name}.ppm")


def png(name: str, colour: int, depth: int, rows: list[bytes], passes: int = 0, size=(width, height)) -> None:
    """A PNG of a form that Pillow cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, passes)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    signature = b"\x89PNG\r\n\x1a\n"
    (folder / name).write_bytes(signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


pixels = picture()
rgb = Image.fromarray(pixels)
Image.fromarray(pixels).save(folder / "picture.ppm")

rgb.save(folder / "420.jpg", quality=85, subsampling=2)
rgb.save(folder / "422_progressive.jpg", quality=75, subsampling=1, progressive=True)
rgb.save(folder / "444.jpg", quality=95, subsampling=0)
rgb.convert("L").save(folder / "gray.jpg", quality=80)
rgb.convert("CMYK").save(folder / "cmyk.jpg", quality=90)
for name in ["420.jpg", "422_progressive.jpg", "444.jpg", "gray.jpg", "cmyk.jpg"]:
    expect(name)

alpha = np.dstack([pixels, np.tile(np.arange(width, dtype=np.uint8) * 6, (height, 1))])
Image.fromarray(alpha).save(folder / "alpha.png")
rgb.quantize(16).save(folder / "palette.png", transparency=3)
rgb.convert("1").save(folder / "black_white.png")
Image.fromarray(alpha).convert("LA").save(folder / "gray_alpha.png")
gamma = PngImagePlugin.PngInfo()
gamma.add(b"gAMA", struct.pack(">I", 100000))
rgb.save(folder / "gamma.png", pnginfo=gamma)
for name in ["alpha.png", "palette.png", "black_white.png", "gray_alpha.png", "gamma.png"]:
    expect(name)

# 16 bits: the high bytes are the picture, the low bytes are noise that must not matter.
low = np.random.default_rng(2).integers(0, 256, pixels.shape, dtype=np.uint8)
wide = np.stack([pixels, low], -1)  # big-endian
png("rgb16.png", 2, 16, [wide[y].tobytes() for y in range(height)])
expect("rgb16.png")
# Pillow clips 16-bit gray to 255; the high byte is what was meant.
png("gray16.png", 0, 16, [wide[y, :, 0].tobytes() for y in range(height)])
expect("gray16.png", Image.fromarray(pixels[:, :, 0]))
# Adam7: seven pictures of growing density.
starts = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
rows = [row.tobytes() for y, x, dy, dx in starts for row in pixels[y::dy, x::dx] if row.size]
png("interlaced.png", 2, 8, rows, passes=1)
expect("interlaced.png")

# Binary PPM and PGM with other greatest values.
(folder / "levels_100.ppm").write_bytes(b"P6\n# of 100\n16 1\n100\n" + bytes(range(48)))
expect("levels_100.ppm")
(folder / "wide.ppm").write_bytes(b"P6 4 2 65535 " + (np.arange(24) * 2800).astype(">u2").tobytes())
expect("wide.ppm")
Image.fromarray(pixels[:, :, 1]).save(folder / "gray.pgm")
expect("gray.pgm")

# Resizing, as (width, height).
for size in [(19, 15), (64, 50), (5, 29), (37, 7), (100, 3), (1, 1), (30, 4)]:
    for method, tag in [(Image.Resampling.BILINEAR, "bilinear"), (Image.Resampling.BICUBIC, "bicubic")]:
        rgb.resize(size, method).save(folder / f"resized_{tag}_{size[0]}x{size[1]}.ppm")
rgb.convert("L").save(folder / "luma.pgm")
rgb.convert("L").resize((19, 15), Image.Resampling.BILINEAR).save(folder / "luma_19x15.pgm")
