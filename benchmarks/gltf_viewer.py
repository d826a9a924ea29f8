"""Pictures of an animated glTF file, drawn by three.js in headless Chromium.

three.js is looked for in node_modules of the checkout: npm install --no-save three
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

THREE = Path(__file__).resolve().parent.parent / "node_modules" / "three"
# Nothing is fetched: every address is answered from files here.
_PLACE = "http://viewer.invalid/"
_PAGE = """<!doctype html><meta charset="utf-8"><canvas width="SIDE" height="SIDE"></canvas>
<script type="importmap">{"imports": {"three": "./build/three.module.js"}}</script>
<script type="module">
import * as THREE from 'three';
import { GLTFLoader } from './examples/jsm/loaders/GLTFLoader.js';
const canvas = document.querySelector('canvas');
const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true });
const file = await new GLTFLoader().loadAsync('./head.glb');
const scene = new THREE.Scene();
const sun = new THREE.DirectionalLight(0xffffff, 2.5);
sun.position.set(0.5, 0.7, 1);
scene.add(file.scene, sun, new THREE.AmbientLight(0xffffff, 0.7));
const mixer = new THREE.AnimationMixer(file.scene);
mixer.clipAction(file.animations[0]).play();
window.file = file;
window.show = (time) => {
  mixer.setTime(time);
  renderer.render(scene, file.cameras[0]);
  return canvas.toDataURL();
};
</script>"""


def missing() -> str | None:
    """What is not installed, and how to get it; None where files can be shown."""
    if not (THREE / "build" / "three.module.js").is_file():
        return "three.js is not installed; in the checkout: npm install --no-save three"
    return chromium.missing()


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser that draws by the processor: there may be no graphics card."""
    with chromium.chromium("--use-angle=swiftshader", "--enable-unsafe-swiftshader") as started:
        yield started


class Viewer:
    """A page with a file in it, pictures of so many pixels' side, and all complaints about it."""

    def __init__(self, started: Browser, glb: Path, side: int = 256) -> None:
        self._glb = glb
        self._side = side
        self.complaints: list[str] = []
        self.page: Page = started.new_page()
        self.page.set_default_timeout(chromium.PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heed)
        self.page.route("**/*", self._answer)
        self.page.goto(_PLACE)
        self.page.wait_for_function("window.show !== undefined")

    def _heed(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _answer(self, route: Route) -> None:
        name = route.request.url.removeprefix(_PLACE)
        if not name:
            page = _PAGE.replace("SIDE", str(self._side))
            route.fulfill(body=page, content_type="text/html")
        elif name == "head.glb":
            route.fulfill(body=self._glb.read_bytes(), content_type="model/gltf-binary")
        elif (THREE / name).is_file():
            route.fulfill(body=(THREE / name).read_bytes(), content_type="text/javascript")
        else:
            route.fulfill(status=204)

    def show(self, time: float) -> npt.NDArray[np.uint8]:
        """The picture [side, side, 4] at a time in seconds, transparent beside the head."""
        address = self.tells(f"show({time})")
        data = np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8)
        drawn = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
        return np.asarray(drawn, np.uint8)

    def tells(self, expression: str) -> Any:
        """The value of an expression in the page, where `file` is what GLTFLoader made."""
        return self.page.evaluate(expression)

    def close(self) -> None:
        """Close the page."""
        self.page.close()
