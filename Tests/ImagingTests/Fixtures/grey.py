"""Pictures with colours as Pillow's convert("L") makes them grey: grey.safetensors has a picture a file, u8 [height, width].
usage: grey.py    (needs Pillow, numpy, safetensors; made with Pillow 13)"""
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

here = Path(__file__).parent
names = ["pictures/baseline.jpg", "pictures/full-colour.jpg", "pictures/progressive.jpg", "pictures/grey.jpg", "pictures/cmyk.jpg", "pictures/really-png.jpg",
         "formats/rgb.tif", "formats/palette.tif", "formats/lossless.webp"]
save_file({name: np.asarray(Image.open(here / name).convert("L")) for name in names}, here / "grey.safetensors")
