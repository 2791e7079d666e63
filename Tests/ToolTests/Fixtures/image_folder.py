"""What torchvision's ImageFolder makes of the trees of image-folder.sh: image-folder.json has, for each, the classes in their order and
the class number of each file. Names are hexadecimal, since not all of them are text.
usage: image_folder.py    (needs torch, torchvision; made with torchvision 0.28)"""
import json, os, subprocess, sys, tempfile
from pathlib import Path

import torch

try:
    import torchvision
except RuntimeError:  # Of a build without its compiled operations: what they are called is all that the import needs.
    for name in [m for m in sys.modules if m.startswith("torchvision")]: del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for signature in ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor", "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"):
        library.define(signature)
from torchvision.datasets import ImageFolder

here = Path(__file__).resolve().parent
hexadecimal = lambda text: os.fsencode(text).hex()
trees = {}
with tempfile.TemporaryDirectory() as folder:
    picture = here.parents[1] / "ImagingTests/Fixtures/pictures/one.jpg"
    subprocess.run([here / "image-folder.sh", picture], cwd=folder, check=True)
    for tree in sorted((Path(folder) / "trees").iterdir()):
        found = ImageFolder(str(tree))
        trees[tree.name] = {
            "classes": [hexadecimal(c) for c in found.classes],
            "labels": {hexadecimal(os.path.relpath(path, tree)): label for path, label in found.samples}}
(here / "image-folder.json").write_text(json.dumps(trees, indent=1) + "\n")
