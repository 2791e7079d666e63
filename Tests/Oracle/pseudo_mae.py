"""Pseudo MAE in PyTorch, as small as it can be said: the oracle that the Swift tools are held against.

It fixes every choice that the paper leaves open (pmae(7), "THE METHOD", says which and why). `fixtures.py` trains it and keeps
what comes out; `replay.py` holds the built tool against that.

Shapes: B images, N patches, V visible patches, M = N - V masked patches, K folds of F = M / K patches, D embedding
width, C prototypes (clusters). All maths in float32 unless the caller autocasts.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    image: int = 224
    patch: int = 16
    dim: int = 768
    depth: int = 12
    heads: int = 12
    mlp: int = 4
    dec_dim: int = 512
    dec_depth: int = 8
    dec_heads: int = 16
    head_hidden: int = 2048
    head_bottleneck: int = 256
    prototypes: int = 4096
    mask_ratio: float = 0.75
    objective: str = "pseudo-mae"      # or "mae": normalised pixels, no teacher. SdAE is lambda_c = lambda_p = 0
    teachers: str = "disentangled"     # or "single": the labelling teacher makes the reconstruction targets too
    reconstruction_folds: int = 3
    label_folds: int = 3
    match: str = "nearest"             # or "position": patch n's label is teacher patch n's
    drop_path: float = 0.25
    student_temp: float = 0.1
    teacher_temp: float = 0.05
    sinkhorn_iters: int = 3
    lambda_m: float = 1.0
    lambda_c: float = 1.0
    lambda_p: float = 1.0
    lambda_pixels: float = 0.0         # not the paper's: normalised pixels beside the features of masked patches

    @property
    def patches(self): return (self.image // self.patch) ** 2
    @property
    def visible(self): return int(self.patches * (1 - self.mask_ratio))


PRESETS = {
    "vit_tiny": dict(dim=192, heads=3), "vit_small": dict(dim=384, heads=6), "vit_base": dict(dim=768, heads=12),
    "vit_large": dict(dim=1024, depth=24, heads=16),
}


def sincos_2d(dim, grid):
    """Fixed 2-D sine-cosine position table [1 + grid*grid, dim] in MAE's order: the first half of a row encodes
    the column x, the second half the row y; within a half, sines then cosines; row 0 (class token) is zero."""
    def one(pos):
        omega = 1.0 / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
        out = pos.reshape(-1, 1).double() * omega
        return torch.cat([out.sin(), out.cos()], 1)
    y, x = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    return torch.cat([torch.zeros(1, dim, dtype=torch.float64), torch.cat([one(x), one(y)], 1)]).float()


class Block(nn.Module):
    """Pre-norm transformer block (timm's key names). Drop path scales a kept residual branch by 1 / keep."""
    def __init__(self, dim, heads, mlp, drop_path=0.0):
        super().__init__()
        self.heads, self.drop_path = heads, drop_path
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(dim, 3 * dim), "proj": nn.Linear(dim, dim)})
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(dim, mlp * dim), "fc2": nn.Linear(mlp * dim, dim)})

    def _residual(self, x, branch, keep):
        return x + branch if keep is None else x + branch * keep.view(-1, 1, 1) / (1 - self.drop_path)

    def forward(self, x, keep=(None, None)):
        b, n, d = x.shape
        q, k, v = self.attn.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d)
        x = self._residual(x, self.attn.proj(a), keep[0])
        return self._residual(x, self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm2(x)))), keep[1])


class Encoder(nn.Module):
    """ViT over a chosen subset of patches: the student sees V of them, a teacher one fold of F."""
    def __init__(self, c: Config, drop_path=0.0):
        super().__init__()
        self.c = c
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, c.dim, c.patch, c.patch)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, c.dim))
        self.register_buffer("pos_embed", sincos_2d(c.dim, c.image // c.patch)[None])
        rates = [drop_path * i / max(c.depth - 1, 1) for i in range(c.depth)]
        self.blocks = nn.ModuleList([Block(c.dim, c.heads, c.mlp, r) for r in rates])
        self.norm = nn.LayerNorm(c.dim, eps=1e-6)

    def forward(self, images, ids, keeps=None):
        """images [B, 3, H, W]; ids [B, n] patch indices; -> [B, 1 + n, D]."""
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2) + self.pos_embed[:, 1:]
        x = x.gather(1, ids[..., None].expand(-1, -1, x.shape[-1]))
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([cls, x], 1)
        for i, block in enumerate(self.blocks):
            x = block(x, (None, None) if keeps is None else keeps[i])
        return self.norm(x)

    def folds(self, images, ids, k):
        """The multifold pass: ids [B, M] split in order into K folds, a class token each -> [B, K, 1 + M/K, D].
        Patches are embedded once per image, not once per fold."""
        b, m = ids.shape
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2) + self.pos_embed[:, 1:]
        x = x.gather(1, ids[..., None].expand(-1, -1, x.shape[-1])).reshape(b * k, m // k, -1)
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([cls, x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x).reshape(b, k, 1 + m // k, -1)


class Decoder(nn.Module):
    """MAE's decoder; its prediction layer goes back to the encoder's width D, for every token, class token too."""
    def __init__(self, c: Config):
        super().__init__()
        self.decoder_embed = nn.Linear(c.dim, c.dec_dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, c.dec_dim))
        self.register_buffer("decoder_pos_embed", sincos_2d(c.dec_dim, c.image // c.patch)[None])
        self.decoder_blocks = nn.ModuleList([Block(c.dec_dim, c.dec_heads, c.mlp) for _ in range(c.dec_depth)])
        self.decoder_norm = nn.LayerNorm(c.dec_dim, eps=1e-6)
        self.decoder_pred = nn.Linear(c.dec_dim, 3 * c.patch ** 2 if c.objective == "mae" else c.dim)

    def forward(self, latent, ids_restore):
        x = self.decoder_embed(latent)
        b, n = ids_restore.shape
        masks = self.mask_token.expand(b, n + 1 - x.shape[1], -1)
        patches = torch.cat([x[:, 1:], masks], 1).gather(1, ids_restore[..., None].expand(-1, -1, x.shape[-1]))
        x = torch.cat([x[:, :1], patches], 1) + self.decoder_pos_embed
        for block in self.decoder_blocks:
            x = block(x)
        return self.decoder_pred(self.decoder_norm(x))


class Projection(nn.Module):
    """Shared 3-layer MLP, then one weight-normalised prototype layer for class tokens and one for patches.
    The prototypes' norms are fixed at 1, so logits are cosines in [-1, 1]."""
    def __init__(self, c: Config):
        super().__init__()
        h, z = c.head_hidden, c.head_bottleneck
        self.mlp = nn.Sequential(nn.Linear(c.dim, h), nn.GELU(), nn.Linear(h, h), nn.GELU(), nn.Linear(h, z))
        self.class_prototypes = nn.Parameter(torch.empty(c.prototypes, z))
        self.patch_prototypes = nn.Parameter(torch.empty(c.prototypes, z))
        for p in (self.class_prototypes, self.patch_prototypes):
            nn.init.trunc_normal_(p, std=0.02)

    def forward(self, x, prototypes):
        return F.normalize(self.mlp(x), dim=-1, eps=1e-12) @ F.normalize(prototypes, dim=-1, eps=1e-12).T


@torch.no_grad()
def sinkhorn(logits, temp, iters):
    """logits [R, C] -> soft assignments [R, C], each row summing to 1, columns balanced (SwAV; R is the global batch).
    The row maximum is subtracted first: it changes nothing after the first row normalisation but overflow."""
    q = torch.exp((logits.float() - logits.float().max()) / temp)
    q /= q.sum()
    r, c = q.shape
    for _ in range(iters):
        q /= q.sum(0, keepdim=True) * c
        q /= q.sum(1, keepdim=True) * r
    return q * r


def index(ids, like):
    """ids [B, n] -> the index that gathers those rows of like [B, ., W]."""
    return ids[..., None].expand(-1, -1, like.shape[-1])


def patchify(images, p):
    """images [B, 3, H, W] -> [B, N, P*P*3], a patch's values in row, column, channel order."""
    b, _, h, w = images.shape
    return images.reshape(b, 3, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1).reshape(b, -1, 3 * p * p)


def normalise(x, eps=1e-6):
    """Equation 2: a token's own mean and (unbiased) variance over D."""
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + eps).sqrt()


class PseudoMAE(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.student, self.decoder = Encoder(c, c.drop_path), Decoder(c)
        if c.objective == "pseudo-mae":
            self.head, self.labelling_teacher, self.labelling_head = Projection(c), Encoder(c), Projection(c)
            if c.teachers == "disentangled":
                self.reconstruction_teacher = Encoder(c)
            if c.lambda_pixels:
                self.pixels = nn.ModuleDict({"head": nn.Linear(c.dim, 3 * c.patch ** 2)})
        self._init()
        for teacher, source in self._teachers():
            teacher.load_state_dict(source.state_dict())
            teacher.requires_grad_(False)

    def _teachers(self):
        names = (("reconstruction_teacher", "student"), ("labelling_teacher", "student"), ("labelling_head", "head"))
        return [(getattr(self, t), getattr(self, s)) for t, s in names if hasattr(self, t)]

    def _init(self):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)
        for e in (self.student,):
            w = e.patch_embed.proj.weight
            nn.init.xavier_uniform_(w.view(w.shape[0], -1))
            nn.init.zeros_(e.patch_embed.proj.bias)
            nn.init.normal_(e.cls_token, std=0.02)
        nn.init.normal_(self.decoder.mask_token, std=0.02)
        for m in self.head.mlp if hasattr(self, "head") else ():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
        if hasattr(self, "pixels"):
            nn.init.trunc_normal_(self.pixels.head.weight, std=0.02)

    def forward(self, simple, complex_, shuffle, keeps=None):
        """simple, complex_ [B, 3, H, W] the two views; shuffle [B, N] a permutation of patches, the first V visible.
        -> dict of the total loss, its three terms and what a test may want to see."""
        c = self.c
        visible, masked = shuffle[:, :c.visible], shuffle[:, c.visible:]
        out = self.decoder(self.student(simple, visible, keeps), shuffle.argsort(1))
        if c.objective == "mae":
            target = normalise(patchify(simple, c.patch)).gather(1, index(masked, out))
            loss = F.mse_loss(out[:, 1:].gather(1, index(masked, out)).float(), target)
            return {"loss": loss, "loss_m": loss}

        def fold(k):  # the masked patches that k equal folds hold, in shuffle order
            return masked[:, :masked.shape[1] - masked.shape[1] % k]
        rec_ids, label_ids = fold(c.reconstruction_folds), fold(c.label_folds)
        cls, patches = out[:, 0], out[:, 1:].gather(1, index(label_ids, out))
        with torch.no_grad():
            rec = self.labelling_teacher if c.teachers == "single" else self.reconstruction_teacher
            target = normalise(rec.folds(simple, rec_ids, c.reconstruction_folds)[:, :, 1:].flatten(1, 2).float())
            t = self.labelling_teacher.folds(complex_, label_ids, c.label_folds)
            t_cls, t_patches = t[:, :, 0], t[:, :, 1:].flatten(1, 2)
            label_c, label_p = (
                sinkhorn(self.labelling_head(x, p).flatten(0, 1), c.teacher_temp, c.sinkhorn_iters).view(*x.shape[:2], -1)
                for x, p in ((t_cls, self.labelling_head.class_prototypes), (t_patches, self.labelling_head.patch_prototypes)))
            label_c = label_c.mean(1)
            if c.match == "nearest":
                nearest = (F.normalize(patches.float(), dim=-1) @ F.normalize(t_patches.float(), dim=-1).transpose(1, 2)).argmax(-1)
                label_p = label_p.gather(1, index(nearest, label_p))

        features = out[:, 1:].gather(1, index(rec_ids, out))
        loss_m = (1 - F.cosine_similarity(target, features.float(), dim=-1)).mean()
        logits_c = self.head(cls, self.head.class_prototypes) / c.student_temp
        logits_p = self.head(patches, self.head.patch_prototypes) / c.student_temp
        loss_c = -(label_c * F.log_softmax(logits_c.float(), -1)).sum(-1).mean()
        loss_p = -(label_p * F.log_softmax(logits_p.float(), -1)).sum(-1).mean()
        losses = {"loss_m": loss_m, "loss_c": loss_c, "loss_p": loss_p}
        loss = c.lambda_m * loss_m + c.lambda_c * loss_c + c.lambda_p * loss_p
        if c.lambda_pixels:
            pixels = normalise(patchify(simple, c.patch))
            predicted = self.pixels.head(features)
            losses["loss_pixels"] = F.mse_loss(predicted.float(), pixels.gather(1, index(rec_ids, pixels)))
            loss = loss + c.lambda_pixels * losses["loss_pixels"]
        return {"loss": loss, **losses}

    @torch.no_grad()
    def ema_labelling(self, momentum):
        for t, s in ((self.labelling_teacher, self.student), (self.labelling_head, self.head)):
            for p, q in zip(t.parameters(), s.parameters()):
                p.lerp_(q, 1 - momentum)

    @torch.no_grad()
    def ema_reconstruction(self, momentum):
        for p, q in zip(self.reconstruction_teacher.parameters(), self.student.parameters()):
            p.lerp_(q, 1 - momentum)


def cosine(start, end, step, steps):
    """Half-cosine from start (step 0) towards end (step = steps)."""
    return end + 0.5 * (start - end) * (1 + math.cos(math.pi * step / steps))


def parameter_groups(model, weight_decay):
    """Decay matrices alone: no biases, norms, or one-row tokens. Prototypes decay."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    plain = [p for n, p in named if p.ndim <= 1 or n.endswith("_token")]
    decayed = [p for n, p in named if not (p.ndim <= 1 or n.endswith("_token"))]
    return [{"params": plain, "weight_decay": 0.0}, {"params": decayed, "weight_decay": weight_decay}]
