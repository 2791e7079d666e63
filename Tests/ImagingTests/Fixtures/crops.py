"""Prints what torchvision's RandomResizedCrop draws of a picture of 375 x 500: for 21 values of the crop's area and of the logarithm of its ratio, the share of
300,000 draws that is not above it. usage: crops.py    (needs torchvision; DrawTests.swift holds what it printed)"""
import torch
from PIL import Image
from torchvision.transforms import RandomResizedCrop

torch.manual_seed(1)
picture = Image.new("L", (500, 375))
for low in (0.2, 0.4):
    boxes = torch.tensor([RandomResizedCrop.get_params(picture, (low, 1.0), (3 / 4, 4 / 3)) for _ in range(300_000)]).double()
    for name, values in (("area", boxes[:, 2] * boxes[:, 3] / (375 * 500)), ("log ratio", torch.log(boxes[:, 3] / boxes[:, 2]))):
        # A hair above, where no value lies.
        points = [float(f"{q:.4f}") + 1e-7 for q in torch.quantile(values, torch.linspace(0.02, 0.98, 21).double())]
        print(low, name, [f"({p:.7f}, {(values <= p).double().mean():.5f})" for p in points])
