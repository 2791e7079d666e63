"""Makes look.safetensors; see README.md. Needs torch, timm, safetensors, numpy.
usage: look.py exported.safetensors"""
import json
import sys
from functools import partial

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from timm.models.vision_transformer import VisionTransformer

with safe_open(sys.argv[1], "pt") as f:
    metadata = f.metadata()
config = json.loads(metadata["config"])["encoder"]
pixels = load_file("features.safetensors")["pixels"]
mean, std = (torch.tensor(json.loads(metadata[k])).view(1, 3, 1, 1) for k in ("mean", "std"))
images = (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / std

model = VisionTransformer(
    img_size=config["image"], patch_size=config["patch"], in_chans=config["channels"], embed_dim=config["width"],
    depth=config["depth"], num_heads=config["heads"], norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), num_classes=0).eval()
model.load_state_dict(load_file(sys.argv[1]), strict=True)
last = model.blocks[-1].attn
last.fused_attn = False
last.attn_drop.register_forward_hook(lambda module, given, result: seen.append(result))
seen = []
with torch.no_grad():
    tokens = model.forward_features(images)
attention = seen[0][:, :, 0]  # of the class token: [B, heads, 1 + N]

# The singular vectors of what numpy centres, with the sign that makes each one's greatest weight positive.
patches = tokens[:, 1:].reshape(-1, config["width"]).double().numpy()
patches = patches - patches.mean(0)
_, _, directions = np.linalg.svd(patches, full_matrices=False)
for row in directions:
    row *= np.sign(row[np.abs(row).argmax()])
components = torch.from_numpy(patches @ directions[:3].T)
print(attention.shape, attention.sum(-1).flatten()[:3], components.shape, np.linalg.svd(patches)[1][:4])
save_file({"attention": attention.contiguous(), "tokens": tokens.contiguous(), "components": components.contiguous()},
          "look.safetensors")
