"""The engine's own English words: framing, camera movement, and what each model expects beside them."""

from shots.choices import Angle, Movement, ShotSize

SIZES = {
    ShotSize.ECU: "extreme close-up", ShotSize.CU: "close-up", ShotSize.MCU: "medium close-up",
    ShotSize.MS: "medium shot", ShotSize.MWS: "medium wide shot", ShotSize.WS: "wide shot",
    ShotSize.EWS: "extreme wide shot", ShotSize.INSERT: "insert shot of a detail",
}  # fmt: skip
ANGLES = {
    Angle.EYE: "eye level", Angle.LOW: "low angle", Angle.HIGH: "high angle", Angle.OVERHEAD: "overhead view",
    Angle.DUTCH: "dutch angle", Angle.OTS: "over-the-shoulder", Angle.POV: "point of view",
}  # fmt: skip
MOVES = {
    Movement.PAN_LEFT: "the camera pans left", Movement.PAN_RIGHT: "the camera pans right",
    Movement.TILT_UP: "the camera tilts up", Movement.TILT_DOWN: "the camera tilts down",
    Movement.PUSH_IN: "the camera slowly pushes in", Movement.PULL_OUT: "the camera slowly pulls out",
    Movement.TRACK_LEFT: "the camera tracks left", Movement.TRACK_RIGHT: "the camera tracks right",
    Movement.CRANE_UP: "the camera rises", Movement.CRANE_DOWN: "the camera descends",
    Movement.HANDHELD: "handheld camera", Movement.ORBIT: "the camera orbits the subject",
}  # fmt: skip
# A video model that hears nothing of the camera moves it as it likes.
STILL = "the camera holds still"
HANDHELD = "the camera is handheld and sways slightly"

QUALITY = {
    "sd": "masterpiece, best quality, highly detailed, cinematic film still",
    "qwen": "cinematic composition, fine detail",
}
NEGATIVE = {
    "sd": "worst quality, low quality, blurry, jpeg artifacts, bad anatomy, bad hands, extra fingers, extra limbs, "
    "deformed, cropped, text, watermark, signature",
    "qwen": "low resolution, low quality, deformed limbs, deformed fingers, oversaturated, waxy skin, garbled text, "
    "disordered composition",
    "wan": "motionless picture, overexposed, blurred details, subtitles, watermark, painting, greyish, worst quality, "
    "jpeg artifacts, badly drawn hands, badly drawn faces, extra fingers, fused fingers, deformed limbs, "
    "three legs, cluttered background, walking backwards",
    "ltx": "worst quality, blurry, jittery, distorted, inconsistent motion, motion smear, motion artifacts, "
    "fused fingers, bad anatomy, subtitles, watermark",
}
# The families whose graphs listen to a negative prompt. FLUX runs at cfg 1, where it does nothing.
WITH_NEGATIVE = frozenset({"none", "sd", "qwen", "edit", "wan", "ltx"})
MOTION = frozenset({"wan", "ltx"})

SHEET = "character sheet, full body, front and side view, plain background"
PLATE = "empty environment, no people"


def with_article(words: str) -> str:
    """ "a medium shot", "an extreme close-up"; what is no single thing stays as it is."""
    return words if not words else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
