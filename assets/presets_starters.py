"""A dozen presets to begin a library with, in Korean and in English."""

from typing import NamedTuple


class Starter(NamedTuple):
    """`name`, `lighting` and `description` are (Korean, English); the rest are the trade's own names."""

    name: tuple[str, str]
    camera: str
    lens: str
    film_stock: str
    lighting: tuple[str, str]
    filters: str
    description: tuple[str, str]


STARTERS = (
    Starter(("자연주의 드라마", "Naturalistic drama"), "ARRI Alexa 35", "Cooke S4/i 32mm", "",
            ("부드러운 창가 빛", "Soft window light"), "Black Pro-Mist 1/8",
            ("인물에 가까운 담백한 화면", "Plain and close to the people")),
    Starter(("누아르", "Film noir"), "Arricam LT", "Zeiss Super Speed MK III 35mm", "Kodak Double-X 5222",
            ("로우키, 강한 측면광", "Low key, hard side light"), "",
            ("짙은 그림자, 흑백", "Deep shadows, black and white")),
    Starter(("대서사 아나모픽", "Anamorphic epic"), "ARRI Alexa Mini LF", "Panavision T-Series 50mm", "",
            ("황금 시간대 역광", "Golden hour, backlit"), "ND 0.6",
            ("넓은 화면과 수평 플레어", "Wide frame, horizontal flares")),
    Starter(("네온 도시의 밤", "Neon city night"), "Sony Venice 2", "Cooke Anamorphic/i FF 40mm", "",
            ("네온과 젖은 거리의 반사", "Neon, reflections of wet streets"), "Glimmerglass 1",
            ("채도 높은 색과 깊은 검정", "Saturated colour, deep blacks")),
    Starter(("16mm 다큐멘터리", "16mm documentary"), "Arriflex 416", "ARRI/Zeiss Ultra 16 12mm",
            "Kodak Vision3 250D 7207", ("자연광", "Natural daylight"), "",
            ("손에 든 카메라, 거친 입자", "Handheld, visible grain")),
    Starter(("70년대 필름", "Seventies film"), "Arriflex 435", "Cooke Panchro/i Classic 40mm",
            "Kodak Vision3 500T 5219", ("실내 텅스텐 조명", "Tungsten interior"), "Low Contrast 1/2",
            ("따뜻하고 부드러운 대비", "Warm, soft contrast")),
    Starter(("65mm 풍경", "65mm landscape"), "Arriflex 765", "ARRI Prime 65 50mm", "Kodak Vision3 50D 5203",
            ("맑은 햇빛", "Clear hard sunlight"), "Circular polariser",
            ("큰 화면과 깊은 디테일", "Large picture, deep detail")),
    Starter(("공포", "Horror"), "RED V-Raptor", "Zeiss Supreme Prime 25mm", "",
            ("탑 라이트 하나, 어두운 배경", "One top light, dark background"), "Black Pro-Mist 1/4",
            ("좁은 빛과 차가운 색", "Little light, cold colour")),
    Starter(("로맨틱 코미디", "Romantic comedy"), "ARRI Alexa Mini", "Leitz Summilux-C 50mm", "",
            ("하이키, 밝은 확산광", "High key, bright and diffuse"), "Classic Soft 1/2",
            ("밝고 화사한 피부 톤", "Bright, kind to faces")),
    Starter(("SF 미니멀", "Minimal science fiction"), "RED Monstro 8K VV", "ARRI Signature Prime 29mm", "",
            ("균일한 상부 면광", "Even overhead panels"), "1/4 CTB",
            ("차갑고 깨끗한 대칭", "Cool, clean symmetry")),
    Starter(("빗속의 밤", "Night rain"), "ARRI Alexa Mini LF", "Canon K35 35mm", "",
            ("나트륨 가로등과 역광의 비", "Sodium street light, backlit rain"), "Black Satin 1",
            ("젖은 아스팔트, 부드러운 하이라이트", "Wet asphalt, soft highlights")),
    Starter(("회상", "Memory"), "Beaulieu 4008 ZM II (Super 8)", "", "Kodak Vision3 50D 7203",
            ("여름 햇빛", "Summer sunlight"), "",
            ("흔들리는 8mm 홈 무비", "Unsteady 8 mm home movie")),
)  # fmt: skip


def starters(language: str) -> list[dict[str, str]]:
    """The fields of each preset in "ko", or in English for any other language."""
    which = 0 if language == "ko" else 1
    return [
        {
            "name": row.name[which], "camera": row.camera, "lens": row.lens, "film_stock": row.film_stock,
            "lighting": row.lighting[which], "filters": row.filters, "description": row.description[which],
        }
        for row in STARTERS
    ]  # fmt: skip
