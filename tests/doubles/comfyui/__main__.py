"""`python -m tests.doubles.comfyui --port 0 --port-file F [--version 0.33.0] [--data DIR] [faults]`."""

import argparse
import asyncio
import logging
import os
import signal
import tempfile
from pathlib import Path

from tests.doubles.comfyui.faults import Faults
from tests.doubles.comfyui.schema import VERSIONS
from tests.doubles.comfyui.server import Double


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.comfyui")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--version", choices=VERSIONS, default="0.33.0")
    parser.add_argument("--data", type=Path, help="input, output and temp folders; they outlive a restart")
    parser.add_argument("--step-seconds", type=float, default=0.01)
    parser.add_argument("--silent", action="store_true", help="the websocket connects and never says a word")
    parser.add_argument("--out-of-memory", type=int, default=0, metavar="N", help="the next N prompts run out of it")
    parser.add_argument("--blocked", type=int, default=0, metavar="N")
    parser.add_argument("--broken-posts", type=int, default=0, metavar="N", help="the next N posts get a bare 500")
    parser.add_argument("--memory-pixels", type=int, default=0, metavar="N", help="more pixels × frames do not fit")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="for each model file that is not loaded")
    parser.add_argument("--gpu", default="Test GPU", help="what /system_stats calls the card")
    parser.add_argument("--vram-gb", type=float, default=24.0)
    parser.add_argument("--hold", default="", metavar="NODE", help="prompts stop at this node id or class")
    parser.add_argument("--pack", action="append", default=[], choices=["telestyle"], help="node packs installed")
    parser.add_argument("--model", action="append", default=[], metavar="FOLDER/FILE", help="a file it has besides")
    parser.add_argument("--without-node", action="append", default=[], metavar="CLASS")
    parser.add_argument("--without-model", action="append", default=[], metavar="FILE")
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    faults = Faults(
        step_seconds=options.step_seconds,
        silent=options.silent,
        out_of_memory=options.out_of_memory,
        blocked=options.blocked,
        broken_posts=options.broken_posts,
        memory_pixels=options.memory_pixels,
        load_seconds=options.load_seconds,
        gpu=options.gpu,
        vram=int(options.vram_gb * (1 << 30)),
        hold=options.hold,
        packs=options.pack,
        models=options.model,
        missing_nodes=options.without_node,
        missing_models=options.without_model,
    )
    with tempfile.TemporaryDirectory(prefix="comfy-double-") as spare:
        double = Double(options.data or Path(spare), options.version, faults)
        port = double.listen(options.port)
        if options.port_file:
            part = options.port_file.with_suffix(".part")
            part.write_text(str(port), encoding="ascii")
            os.replace(part, options.port_file)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()


if __name__ == "__main__":
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    asyncio.run(serve(arguments()))
