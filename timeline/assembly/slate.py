"""What stands in for a shot that nobody has made yet."""

from PIL import Image, ImageDraw, ImageFont

from aipipeline.media.fonts import font_path


def draw_slate(label: str, width: int, height: int) -> Image.Image:
    """A dark card with the shot's code in the middle."""
    image = Image.new("RGB", (width, height), (24, 26, 32))
    draw = ImageDraw.Draw(image)
    face = ImageFont.truetype(str(font_path("Bold")), max(12, height // 9))
    draw.text((width / 2, height / 2), label, font=face, fill=(190, 196, 208), anchor="mm")
    margin = height // 16
    draw.rectangle([margin, margin, width - margin, height - margin], outline=(70, 76, 90), width=max(1, height // 240))
    return image
