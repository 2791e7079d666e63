"""Six self-supervised methods on Pseudo MAE's encoder, as small as they can be said: the oracle for `--objective dino`,
`ibot`, `moco-v3`, `beit`, `cae`, `simmim`.

Each was held against its authors' whole model, loss, parameter groups, clipping, schedules of decay and momentum, and followers:
same weights, same inputs, four steps of a tiny model in float32. Theirs had positions set to our table and LayerScale, relative
bias off (their own options). Largest difference of a loss, relative | of a weight, teacher, centre or statistic, absolute:
dino 1.1e-7 | 1.5e-6   ibot 6.4e-7 | 2.4e-7   moco-v3 1.8e-7 | 2.4e-7   beit 0 | 7.5e-9   cae 1.1e-7 | 1.8e-7   simmim 6.5e-8 | 3.9e-7
Block masks: 500 of 500 the same from the same random numbers. k-means: scikit-learn's Lloyd, centres 1.8e-7, all ids the same.

    model = METHODS[c.objective](c)                        # parts are attributes; names of weights: state_dict()
    now = schedule(run, step)                              # the numbers of a step: rates, momentum, temperatures
    result = train_step(model, optimiser(model, run), batch, now)      # before_step, forward, backward, limit, step, after_step

A batch is a dict of tensors and holds every random draw, so a run replays exactly:
  views      [B, 3, H, W] normalised images, named and sized by views(c)
  mask       [B, N] bool, true where the mask token stands for a patch (mask_1, mask_2 in ibot)
  ids        [B, N] the visual token of every patch (beit, cae)
  keep.*     [blocks, 2, rows] 1 or 0: which rows a block's attention and MLP branch are kept for; left out: all, unscaled
Shapes: B images, N = G*G patches, V visible, M masked, D width, C prototypes, Z bottleneck, P patch side, L local views.

WHAT THE AUTHORS CHOSE (code at dino 7c446df, ibot da316d8, moco-v3 c349e6e, unilm/beit 768a3c8, CAE a7fd162, SimMIM d3e29bc;
ImageNet-1k; "script" is the command that their README or configs give for ViT-S or -B where it differs from the code's default)

| matter          | DINO                      | iBOT (script, ViT-S)         | MoCo v3 (script, ViT-S/B)                    |
|-----------------|---------------------------|------------------------------|----------------------------------------------|
| views           | 2 global 224, 8 local 96  | 2 global 224, 10 local 96    | 2 of 224                                     |
|                 |                           | (code: no local ones)        |                                              |
| crop area       | 0.4–1, local 0.05–0.4     | 0.25–1, local 0.05–0.25      | 0.08–1                                       |
|                 |                           | (code: 0.14–1)               |                                              |
| resampling      | bicubic                   | bicubic                      | bilinear                                     |
| colour          | flip 0.5; jitter p 0.8 of brightness 0.4, contrast 0.4, saturation 0.2, hue 0.1; grey 0.2: all three, every view     |
| order           | flip, jitter, grey, blur, solarise (DINO, iBOT); jitter, grey, blur, solarise, flip (MoCo v3)                          |
| blur, solarise  | view 1: blur 1.0; view 2: blur 0.1, solarise 0.2 (threshold 128); local: blur 0.5; sigma 0.1–2 uniform                  |
| mask            | none                      | block-wise, global views: a  | none                                         |
|                 |                           | view's ratio is 0 or         |                                              |
|                 |                           | U(0.1, 0.5), evenly          |                                              |
|                 |                           | (code: 0.3); area from       |                                              |
|                 |                           | (G//3)^2 up, aspect 0.3–1/0.3|                                              |
| head            | D-2048-2048-256 GELU, L2, | the same MLP; 8192, shared   | projector D-4096-4096-256, predictor         |
|                 | 65536 prototypes, norm 1  | by class and patches         | 256-4096-256; BatchNorm after each layer,    |
|                 | (script for ViT-S, 300    | (code: student's apart;      | ReLU between, the last norm without weights, |
|                 | epochs: norms trained)    | script: norms trained)       | no bias anywhere                             |
| temperatures    | student 0.1; teacher 0.04 | student 0.1; class and patch | 0.2, loss times 2 * 0.2                      |
|                 | (script: 0.04 to 0.07 in  | teacher 0.04 to 0.07 in the  | (code: 1)                                    |
|                 | the first 30 epochs)      | first 30 epochs              |                                              |
| centre          | EMA 0.9                   | EMA 0.9, class and patch     | none                                         |
| teacher         | EMA 0.996 to 1 by half cosine per iteration, after the step        | EMA 0.99 to 1, likewise, but before the   |
|                 |                           |                              | step's forward: it follows the step before   |
| loss            | cross-entropy, all pairs  | lambda 1 class + lambda 1    | InfoNCE(q1, k2) + InfoNCE(q2, k1)            |
|                 | of two different views    | patch, same view             |                                              |
| AdamW           | 0.9, 0.999; lr 5e-4/256 to 1e-6; warm-up 10 epochs (both)          | 0.9, 0.999; lr 1.5e-4/256 to 0; warm-up 40|
| weight decay    | 0.04 to 0.4 by half cosine per iteration; not on 1-d parameters    | 0.1 on everything, biases and norms too   |
| clip            | each parameter's own gradient to norm 3                            | none                                      |
| frozen          | prototypes in epoch 0: no gradient, so no decay, no moments        | patch embedding always (stop-grad conv1)  |
| drop path       | 0.1                       | 0.1                          | 0                                            |
| epochs, batch   | 100 (to 800), 512 to 1024 | 800, 1024                    | 300, 1024 to 4096                            |
| fresh weights   | linear trunc. normal 0.02, bias 0; class token same; patch         | Xavier, q, k, v each its own; class token |
|                 | embedding and prototypes PyTorch's default: U(±1/sqrt(fan in))     | 1e-6; MLPs U(±1/sqrt(fan in)); ViT-S has  |
|                 | (iBOT: mask token 0)                                               | 12 heads                                  |

| matter          | BEiT (script, ViT-B)      | CAE (script, ViT-B)          | SimMIM (vit_base__800ep)                     |
|-----------------|---------------------------|------------------------------|----------------------------------------------|
| view            | 1 of 224: flip 0.5, crop 0.08–1 bicubic (a second copy of the      | crop 0.67–1, bilinear, flip 0.5           |
|                 | crop, 112 Lanczos, for the tokeniser)                              |                                           |
| mask            | block-wise, up to 75 of   | block-wise, exactly 98 of    | random 32-pixel units, ceil(0.6 * 49) = 30   |
|                 | 196, blocks of 16 up      | 196, blocks of 16 up         | of 49: 120 of 196 patches                    |
| target          | DALL-E's token, 8192      | DALL-E's token, 8192         | the normalised image's pixels                |
| network         | encoder over all patches, | encoder over visible ones;   | encoder over all patches, mask token;        |
|                 | mask token; linear head   | regressor 4 cross-attention  | linear head D to 3 P^2                       |
|                 |                           | blocks; decoder 4 blocks and |                                              |
|                 |                           | linear head; 12 heads        |                                              |
| loss            | cross-entropy, masked     | cross-entropy, masked, + 2 * | L1, masked pixels: sum / (pixels + 1e-5) / 3 |
|                 |                           | MSE to the latents of masked |                                              |
|                 |                           | patches: same weights (no    |                                              |
|                 |                           | EMA), no gradient, drop path |                                              |
| AdamW           | 0.9, 0.999; lr 1.5e-3 at 2048 to 1e-5;                             | 0.9, 0.999; lr 1e-4/512 from 5e-7/512,    |
|                 | warm-up 10 of 800 epochs  | warm-up 20 of 800            | warm-up 10, times 0.1 from epoch 700 of 800  |
| weight decay    | 0.05; not on 1-d parameters (all three) and the class token (BEiT, SimMIM; CAE decays it); mask token decays          |
| clip            | global norm 3             | global norm 3                | global norm 5                                |
| drop path       | 0.1                       | 0.1, regressor and decoder   | 0.1                                          |
|                 |                           | too, each from 0 up          |                                              |
| epochs, batch   | 800, 2048                 | 300 to 1600, 2048            | 800, 2048                                    |
| fresh weights   | trunc. normal 0.02 cut at | linear Xavier, others as     | as BEiT; head PyTorch's default              |
|                 | ±0.02; proj and fc2 of    | BEiT; no rescaling           |                                              |
|                 | block i / sqrt(2i), i ≥ 1 |                              |                                              |

WHERE WE DIFFER, so that all six share one encoder
- Positions are the fixed sine-cosine table everywhere. DINO and iBOT learn theirs, BEiT and SimMIM have a relative bias shared by
  all blocks; MoCo v3 and CAE have this table with the halves of a row exchanged (row first), a permutation of columns.
- A view of another size than the encoder's (local views) has the same functions at the places that DINO's interpolation of a
  learned table stands for: patch i of g at (i + 1/2) G / g - 1/2. A fixed table needs no interpolation kernel: a bicubic one
  is off by up to 0.05 (14 to 6). At g = G it is the table itself.
- No LayerScale (BEiT, CAE, SimMIM: 0.1, ViT-L 1e-5). qkv has a bias for k, which changes no softmax; the regressor's k has none.
- Prototypes' norms stay 1. iBOT's head is shared. CAE's regressor and decoder are as wide as the encoder, with its heads.
- SimMIM's head gives a patch's values in row, column, channel order (as MAE's), not channel, row, column.
- The rate warms up by step / warm-up steps (MoCo v3's way); DINO's, BEiT's linspace reaches the peak one step sooner.
- Classes' centres move in after_step (the authors': at the end of the loss), which is the same.

NOT TO BE COMPARED after a step, for their gradient is zero but for rounding, and Adam makes steps of the learning rate of it:
the key third of every qkv.bias; the regressor's norm1_k.bias (a shift of all keys); in MoCo v3 student.norm.bias (BatchNorm takes
off what all rows share), and with it teacher.norm.bias and the first running_mean of projector and teacher_projector.

TOKENS. The weights of OpenAI's dVAE are not part of this project, so ids come with the views. Any program may write them: `ids` i32
[n, N] beside a view, made of the view as augmented (same crop, same flip). kmeans_tokens below is one that needs no weights but its own: nearest
of C centres to a patch's pixels, each patch normalised to its own mean and deviation.
"""
import math
import random
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from pseudo_mae import Block, Config, Encoder, Projection, cosine, normalise, patchify


@dataclass
class MethodConfig(Config):
    objective: str = "dino"
    locals: int = 8                    # local views an image
    local: int = 0                     # their side; 0: 3/7 of the image's, in whole patches (96 of 224)
    centre_momentum: float = 0.9
    lambda_class: float = 1.0          # iBOT
    lambda_patch: float = 1.0
    lambda_align: float = 2.0          # CAE
    vocabulary: int = 8192             # BEiT, CAE
    regressor_depth: int = 4           # CAE; its decoder has dec_depth blocks
    mask_least: int = 16               # least area of a block in patches; iBOT: (G // 3)^2
    mask_unit: int = 2                 # SimMIM: side of a unit in patches

    @property
    def grid(self): return self.image // self.patch
    @property
    def local_side(self): return self.local or max(self.image * 3 // 7 // self.patch, 1) * self.patch


def config(objective, **values):
    """A method's configuration: the authors' defaults, and what is said otherwise."""
    return MethodConfig(**{**METHODS[objective].defaults, "objective": objective, **values})


# ---- what all share --------------------------------------------------------------------------------------------------

def stretched_sincos(dim, grid, full):
    """Positions [1 + grid*grid, dim] of a view with grid*grid patches where the encoder's own has full*full; see above."""
    at = (torch.arange(grid, dtype=torch.float64) + 0.5) * full / grid - 0.5
    wave = at[:, None] / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
    wave = torch.cat([wave.sin(), wave.cos()], 1)
    table = torch.cat([wave[None].expand(grid, -1, -1), wave[:, None].expand(-1, grid, -1)], -1).reshape(grid * grid, dim)
    return torch.cat([torch.zeros(1, dim, dtype=torch.float64), table]).float()


class View(Encoder):
    """The encoder over all patches of a view of any size, where a mask token may stand for a patch before positions are added."""
    def forward(self, images, keeps=None, mask=None, mask_token=None):
        """images [B, 3, H, H]; mask [B, n] bool; -> [B, 1 + n, D]."""
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        if mask is not None:
            x = torch.where(mask[..., None], mask_token.to(x.dtype), x)
        grid, full = images.shape[-1] // self.c.patch, self.c.image // self.c.patch
        pos = self.pos_embed if grid == full else stretched_sincos(x.shape[-1], grid, full)[None].to(x)
        x = torch.cat([(self.cls_token + pos[:, :1]).expand(len(x), -1, -1), x + pos[:, 1:]], 1)
        for i, block in enumerate(self.blocks):
            x = block(x, (None, None) if keeps is None else keeps[i])
        return self.norm(x)

    def of(self, images, ids, keeps=None):
        """Over the patches ids [B, n] alone: -> [B, 1 + n, D]."""
        return Encoder.forward(self, images, ids, keeps)


class Method(nn.Module):
    """What a method is to a trainer."""
    defaults = {}                      # fields of MethodConfig
    recipe = {}                        # of a run, the authors'; lr is for 256 images
    undecayed = ()                     # names without weight decay besides 1-d parameters

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.student = View(c, c.drop_path)

    def followers(self): return []     # (teacher part, student part)

    def start(self):
        """Makes teachers copies; called last in a constructor."""
        for teacher, source in self.followers():
            teacher.load_state_dict(source.state_dict())
            teacher.requires_grad_(False)

    def follow(self, momentum):
        with torch.no_grad():
            for teacher, source in self.followers():
                for p, q in zip(teacher.parameters(), source.parameters()):
                    p.lerp_(q, 1 - momentum)

    def decays(self, name, p): return p.ndim > 1 and name not in self.undecayed

    def parameter_groups(self):
        """Two groups, the decayed first."""
        named = [(n, p) for n, p in self.named_parameters() if p.requires_grad]
        return [{"params": [p for n, p in named if self.decays(n, p) == yes], "decays": yes} for yes in (True, False)]

    def before_step(self, now): pass
    def limit_gradients(self, now):    # all gradients as one vector
        if now["clip"]:
            torch.nn.utils.clip_grad_norm_([p for p in self.parameters() if p.grad is not None], now["clip"])
    def after_step(self, now): pass


def schedule(run, step):
    """The numbers of a step. Rates and momentum by iteration; the teacher's temperature and what is frozen by epoch."""
    per = run["steps_per_epoch"]
    steps, warm, epoch = run["epochs"] * per, run["warmup_epochs"] * per, step // per
    if step < warm:
        lr = run["warmup_lr"] + (run["lr"] - run["warmup_lr"]) * step / warm
    elif run["drop_at"]:               # SimMIM's: one drop by ten, at this share of the run
        lr = run["lr"] * (0.1 if step >= run["drop_at"] * steps else 1)
    else:
        lr = cosine(run["lr"], run["min_lr"], step - warm, steps - warm)
    first, last, ramp = run["teacher_temp_start"], run["teacher_temp"], run["teacher_temp_epochs"]
    return {"lr": lr, "weight_decay": cosine(run["weight_decay"], run["weight_decay_end"], step, steps),
            "momentum": cosine(run["momentum"], run["momentum_end"], step, steps), "clip": run["clip"],
            "teacher_temp": last if epoch >= ramp else first + (last - first) * epoch / max(ramp - 1, 1),
            "frozen": epoch < run["freeze_epochs"]}


RUN = dict(epochs=100, batch=256, lr=5e-4, warmup_lr=0.0, min_lr=0.0, warmup_epochs=10, drop_at=0.0, weight_decay=0.05,
           weight_decay_end=0.05, betas=(0.9, 0.999), clip=0.0, momentum=0.996, momentum_end=1.0, teacher_temp_start=0.04,
           teacher_temp=0.04, teacher_temp_epochs=0, freeze_epochs=0)


def optimiser(model, run, **options):
    return torch.optim.AdamW(model.parameter_groups(), lr=0, betas=tuple(run["betas"]), eps=1e-8, weight_decay=0, **options)


def train_step(model, opt, batch, now, forward=None, look=lambda name: None):
    """look is called with "grad" (gradients of the loss) and "step_grad" (as the optimiser has them: clipped, some gone)."""
    for g in opt.param_groups:
        g["lr"], g["weight_decay"] = now["lr"], now["weight_decay"] if g["decays"] else 0.0
    model.before_step(now)
    result = (forward or model)(batch, now)
    opt.zero_grad(set_to_none=True)
    result["loss"].backward()
    look("grad")
    model.limit_gradients(now)
    look("step_grad")
    opt.step()
    model.after_step(now)
    return result


def linear_normal(module, std=0.02, cut=2.0, also=()):
    """Fresh weights: linear layers (and those of `also`) normal, cut at ±cut; biases zero."""
    for m in module.modules():
        if isinstance(m, (nn.Linear, *also)):
            nn.init.trunc_normal_(m.weight, std=std, a=-cut, b=cut)
            if m.bias is not None:
                nn.init.zeros_(m.bias)


def beit_start(encoder):
    """BEiT's: normal 0.02 cut at one deviation; what is added to the residual stream by block i shrinks with sqrt(2i)."""
    linear_normal(encoder, cut=0.02, also=(nn.Conv2d,))
    nn.init.trunc_normal_(encoder.cls_token, std=0.02, a=-0.02, b=0.02)
    with torch.no_grad():
        for i, block in enumerate(encoder.blocks, 1):
            for w in (block.attn.proj.weight, block.mlp.fc2.weight):
                w /= math.sqrt(2 * i)


def token(dim): return nn.Parameter(nn.init.trunc_normal_(torch.zeros(1, 1, dim), std=0.02, a=-0.02, b=0.02))


# ---- DINO, iBOT ------------------------------------------------------------------------------------------------------

class Head(Projection):
    """Projection with one set of prototypes, for class tokens and (iBOT) patches alike: logits are cosines."""
    def __init__(self, c):
        super().__init__(c)
        del self.patch_prototypes
        linear_normal(self.mlp)
        nn.init.uniform_(self.class_prototypes, -c.head_bottleneck ** -0.5, c.head_bottleneck ** -0.5)

    def forward(self, x): return super().forward(x, self.class_prototypes)


class DINO(Method):
    defaults = dict(prototypes=65536, drop_path=0.1)
    recipe = dict(lr=5e-4, min_lr=1e-6, weight_decay=0.04, weight_decay_end=0.4, clip=3.0, freeze_epochs=1, batch=512)

    def __init__(self, c):
        super().__init__(c)
        self.head, self.teacher, self.teacher_head = Head(c), View(c), Head(c)
        self.register_buffer("class_centre", torch.zeros(1, c.prototypes))
        linear_normal(self.student)
        nn.init.trunc_normal_(self.student.cls_token, std=0.02)
        self.start()

    @staticmethod
    def views(c):
        return {**{f"global_{i}": c.image for i in (1, 2)}, **{f"local_{i + 1}": c.local_side for i in range(c.locals)}}

    @staticmethod
    def draws(c, b, rng):
        rows = {"global": 2 * b, "local": c.locals * b}
        return {f"keep.{n}": draw_keeps(c, c.depth, r) for n, r in rows.items() if r}

    def followers(self): return [(self.teacher, self.student), (self.teacher_head, self.head)]

    def local_classes(self, batch):
        """Class tokens of the local views [L*B, D], views one after the other."""
        views = [batch[f"local_{i + 1}"] for i in range(self.c.locals)]
        return [self.student(torch.cat(views), batch.get("keep.local"))[:, 0]] if views else []

    def class_loss(self, student, teacher, now):
        """student logits [(2+L)*B, C], teacher logits [2*B, C], views one after the other: the mean over all pairs of a
        teacher's and a different student's view of the cross-entropy, mean over images."""
        labels = ((teacher - self.class_centre) / now["teacher_temp"]).softmax(-1).chunk(2)
        views = F.log_softmax(student / self.c.student_temp, -1).chunk(2 + self.c.locals)
        pairs = [-(q * p).sum(-1).mean() for i, q in enumerate(labels) for v, p in enumerate(views) if v != i]
        return sum(pairs) / len(pairs)

    def forward(self, batch, now):
        both = torch.cat([batch["global_1"], batch["global_2"]])
        with torch.no_grad():
            teacher = self.teacher_head(self.teacher(both)[:, 0]).float()
        classes = [self.student(both, batch.get("keep.global"))[:, 0]] + self.local_classes(batch)
        loss = self.class_loss(self.head(torch.cat(classes)).float(), teacher, now)
        self.seen = {"class_centre": teacher.mean(0, keepdim=True)}       # over the global batch, both views
        return {"loss": loss, "loss_c": loss}

    def limit_gradients(self, now):
        """Each parameter's gradient apart; a frozen layer's is None, so that the optimiser does not touch it at all."""
        for p in self.parameters():
            if p.grad is not None and now["clip"]:
                p.grad *= (now["clip"] / (p.grad.norm() + 1e-6)).clamp(max=1)
        if now["frozen"]:
            self.head.class_prototypes.grad = None

    def after_step(self, now):
        self.follow(now["momentum"])
        for name, mean in self.seen.items():
            getattr(self, name).mul_(self.c.centre_momentum).add_(mean, alpha=1 - self.c.centre_momentum)


class IBOT(DINO):
    defaults = dict(prototypes=8192, drop_path=0.1, locals=10, mask_ratio=0.3)
    recipe = dict(DINO.recipe, epochs=800, batch=1024, teacher_temp=0.07, teacher_temp_epochs=30)

    def __init__(self, c):
        super().__init__(c)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, c.dim))
        self.register_buffer("patch_centre", torch.zeros(1, c.prototypes))

    @staticmethod
    def draws(c, b, rng):
        def one():                     # half of the views have no mask; mask_ratio ± 0.2 of the others' patches
            ratio = rng.uniform(c.mask_ratio - 0.2, c.mask_ratio + 0.2) if rng.random() < 0.5 else 0
            return block_mask(rng, c.grid, ratio * c.patches, (c.grid // 3) ** 2)
        return {**DINO.draws(c, b, rng), **{f"mask_{i}": torch.stack([one() for _ in range(b)]) for i in (1, 2)}}

    def forward(self, batch, now):
        both, mask = (torch.cat([batch[f"{n}_1"], batch[f"{n}_2"]]) for n in ("global", "mask"))
        with torch.no_grad():          # the teacher sees every patch
            t = self.teacher_head(self.teacher(both)).float()                             # [2B, 1+N, C]
            t_patch = ((t[:, 1:][mask] - self.patch_centre) / now["teacher_temp"]).softmax(-1)
        out = self.student(both, batch.get("keep.global"), mask, self.mask_token)
        classes = self.head(torch.cat([out[:, 0]] + self.local_classes(batch))).float()
        patches = F.log_softmax(self.head(out[:, 1:][mask]).float() / self.c.student_temp, -1)
        loss_c = self.c.lambda_class * self.class_loss(classes, t[:, 0], now)
        # mean over an image's masked patches, then over images and views; a view without a mask counts as zero
        weight = mask / mask.sum(1, keepdim=True).clamp(min=1)
        loss_p = self.c.lambda_patch * (-(t_patch * patches).sum(-1) * weight[mask]).sum() / len(both)
        self.seen = {"class_centre": t[:, 0].mean(0, keepdim=True), "patch_centre": t[:, 1:].mean((0, 1))[None]}
        return {"loss": loss_c + loss_p, "loss_c": loss_c, "loss_p": loss_p}


# ---- MoCo v3 ---------------------------------------------------------------------------------------------------------

def batch_perceptron(*widths):
    """Linear (no bias), BatchNorm, ReLU, … Linear, BatchNorm without weights. Statistics are those of the rows it is given."""
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        last = i == len(widths) - 2
        layers += [nn.Linear(a, b, bias=False), nn.BatchNorm1d(b, affine=not last)] + [nn.ReLU()] * (not last)
    return nn.Sequential(*layers)


class MoCoV3(Method):
    defaults = dict(drop_path=0.0, head_hidden=4096, head_bottleneck=256, student_temp=0.2)
    recipe = dict(epochs=300, batch=4096, lr=1.5e-4, warmup_epochs=40, weight_decay=0.1, weight_decay_end=0.1, momentum=0.99)

    def __init__(self, c):
        super().__init__(c)
        h, z = c.head_hidden, c.head_bottleneck
        self.projector, self.predictor = batch_perceptron(c.dim, h, h, z), batch_perceptron(z, h, z)
        self.teacher, self.teacher_projector = View(c), batch_perceptron(c.dim, h, h, z)
        for m in self.student.modules():
            if isinstance(m, nn.Linear):
                for w in m.weight.chunk(3 if m.out_features == 3 * m.in_features else 1):     # q, k and v apart
                    nn.init.xavier_uniform_(w)
                nn.init.zeros_(m.bias)
        patch = self.student.patch_embed.proj
        nn.init.xavier_uniform_(patch.weight.view(c.dim, -1))
        nn.init.zeros_(patch.bias)
        nn.init.normal_(self.student.cls_token, std=1e-6)
        self.start()
        patch.requires_grad_(False)    # stays as it was drawn, which steadies training

    @staticmethod
    def views(c): return {"view_1": c.image, "view_2": c.image}

    @staticmethod
    def draws(c, b, rng): return {f"keep.view_{i}": draw_keeps(c, c.depth, b) for i in (1, 2)}

    def followers(self): return [(self.teacher, self.student), (self.teacher_projector, self.projector)]
    def decays(self, name, p): return True
    def before_step(self, now): self.follow(now["momentum"])       # weights alone: norms' statistics are the teacher's own

    def contrast(self, q, k):
        """q, k [B, Z]: row i of q belongs to row i of k, against all rows of k (of the global batch)."""
        logits = F.normalize(q.float(), dim=1) @ F.normalize(k.float(), dim=1).T / self.c.student_temp
        return F.cross_entropy(logits, torch.arange(len(q), device=q.device)) * 2 * self.c.student_temp

    def forward(self, batch, now):
        """A view at a time through every network: BatchNorm sees one view's rows, and its running statistics move twice."""
        views = [batch["view_1"], batch["view_2"]]
        keeps = [batch.get("keep.view_1"), batch.get("keep.view_2")]
        q1, q2 = (self.predictor(self.projector(self.student(x, keep)[:, 0])) for x, keep in zip(views, keeps))
        with torch.no_grad():
            k1, k2 = (self.teacher_projector(self.teacher(x)[:, 0]) for x in views)
        one, two = self.contrast(q1, k2), self.contrast(q2, k1)
        return {"loss": one + two, "loss_1": one, "loss_2": two}


# ---- BEiT, CAE, SimMIM -----------------------------------------------------------------------------------------------

class BEiT(Method):
    defaults = dict(drop_path=0.1, mask_ratio=75 / 196)
    recipe = dict(epochs=800, batch=2048, lr=1.5e-3 / 8, min_lr=1e-5, clip=3.0)
    undecayed = ("student.cls_token",)

    def __init__(self, c):
        super().__init__(c)
        beit_start(self.student)
        self.mask_token, self.head = token(c.dim), nn.Linear(c.dim, c.vocabulary)
        linear_normal(self.head, cut=0.02)

    @staticmethod
    def views(c): return {"simple": c.image}

    @staticmethod
    def draws(c, b, rng):
        masks = [block_mask(rng, c.grid, round(c.mask_ratio * c.patches), c.mask_least) for _ in range(b)]
        return {"keep.simple": draw_keeps(c, c.depth, b), "mask": torch.stack(masks),
                "ids": torch.randint(c.vocabulary, (b, c.patches))}

    def forward(self, batch, now):
        mask = batch["mask"]
        out = self.student(batch["simple"], batch.get("keep.simple"), mask, self.mask_token)[:, 1:]
        loss = F.cross_entropy(self.head(out[mask]).float(), batch["ids"][mask])      # mean over all masked patches of the batch
        return {"loss": loss, "loss_m": loss}


class RegressorBlock(nn.Module):
    """Masked queries look at visible latents and at each other. Unlike a Block, what its MLP is added to is the norm's output."""
    def __init__(self, dim, heads, mlp, drop_path=0.0):
        super().__init__()
        self.heads, self.drop_path = heads, drop_path
        self.norm1_q, self.norm1_k, self.norm1_v, self.norm2 = (nn.LayerNorm(dim, eps=1e-6) for _ in range(4))
        self.cross_attn = nn.ModuleDict({n: nn.Linear(dim, dim, bias=n != "k") for n in ("q", "k", "v", "proj")})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(dim, mlp * dim), "fc2": nn.Linear(mlp * dim, dim)})

    _residual = Block._residual

    def forward(self, x, visible, pos, pos_visible, keep=(None, None)):
        """x [B, M, D] queries, visible [B, V, D], and their positions -> [B, M, D]."""
        both, a = torch.cat([visible, x], 1), self.cross_attn
        q = a.q(self.norm1_q(x + pos))
        k = a.k(self.norm1_k(both + torch.cat([pos_visible, pos], 1)))
        v = a.v(self.norm1_v(both))    # values carry no positions
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = self.norm2(self._residual(x, a.proj(y), keep[0]))
        return self._residual(x, self.mlp.fc2(F.gelu(self.mlp.fc1(x))), keep[1])


class CAE(Method):
    defaults = dict(drop_path=0.1, mask_ratio=0.5, dec_depth=4)
    recipe = dict(BEiT.recipe, warmup_epochs=20)

    def __init__(self, c):
        super().__init__(c)
        self.mask_token = token(c.dim)

        def part(kind, depth):
            rates = [c.drop_path * i / max(depth - 1, 1) for i in range(depth)]
            blocks = nn.ModuleList([kind(c.dim, c.heads, c.mlp, rate) for rate in rates])
            return nn.ModuleDict({"blocks": blocks, "norm": nn.LayerNorm(c.dim, eps=1e-6)})
        self.regressor, self.decoder = part(RegressorBlock, c.regressor_depth), part(Block, c.dec_depth)
        self.head = nn.Linear(c.dim, c.vocabulary)
        beit_start(self.student)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    views = staticmethod(BEiT.views)

    @staticmethod
    def draws(c, b, rng):
        masks = [block_mask(rng, c.grid, round(c.mask_ratio * c.patches), c.mask_least, exact=True) for _ in range(b)]
        depths = {"simple": c.depth, "target": c.depth, "regressor": c.regressor_depth, "decoder": c.dec_depth}
        return {**{f"keep.{n}": draw_keeps(c, d, b) for n, d in depths.items()}, "mask": torch.stack(masks),
                "ids": torch.randint(c.vocabulary, (b, c.patches))}

    def forward(self, batch, now):
        """mask has as many masked patches in every image; patches are taken in ascending order."""
        images, mask, b, n = batch["simple"], batch["mask"], len(batch["mask"]), batch["mask"].shape[1]
        order = torch.arange(n, device=mask.device).expand(b, n)
        visible_ids, masked_ids = order[~mask].view(b, -1), order[mask].view(b, -1)
        keeps = {k: batch.get(f"keep.{k}") for k in ("simple", "target", "regressor", "decoder")}

        def keep(part, i): return (None, None) if keeps[part] is None else keeps[part][i]
        visible = self.student.of(images, visible_ids, keeps["simple"])[:, 1:]       # the regressor sees no class token
        with torch.no_grad():          # the same weights on the masked patches alone, with a class token
            target = self.student.of(images, masked_ids, keeps["target"])[:, 1:].float()
        pos = self.student.pos_embed[0, 1:]
        pos, pos_visible = pos[masked_ids], pos[visible_ids]
        x = self.mask_token.expand(b, masked_ids.shape[1], -1)
        for i, block in enumerate(self.regressor.blocks):
            x = block(x, visible, pos, pos_visible, keep("regressor", i))
        latent = self.regressor.norm(x)
        x = latent + pos
        for i, block in enumerate(self.decoder.blocks):
            x = block(x, keep("decoder", i))
        logits = self.head(self.decoder.norm(x)).float()
        loss_m = F.cross_entropy(logits.flatten(0, 1), batch["ids"][mask])
        loss_a = self.c.lambda_align * F.mse_loss(latent.float(), target)
        return {"loss": loss_m + loss_a, "loss_m": loss_m, "loss_a": loss_a}


class SimMIM(Method):
    defaults = dict(drop_path=0.1, mask_ratio=0.6)
    recipe = dict(epochs=800, batch=2048, lr=5e-5, warmup_lr=2.5e-7, drop_at=0.875, clip=5.0)
    undecayed = ("student.cls_token",)

    def __init__(self, c):
        super().__init__(c)
        beit_start(self.student)
        self.mask_token, self.head = token(c.dim), nn.Linear(c.dim, 3 * c.patch ** 2)
        for p in (self.head.weight, self.head.bias):
            nn.init.uniform_(p, -c.dim ** -0.5, c.dim ** -0.5)

    views = staticmethod(BEiT.views)

    @staticmethod
    def draws(c, b, rng):
        units = math.ceil(c.grid / c.mask_unit)        # the authors ask that units divide the image; here the last may be cut
        count = math.ceil(units * units * c.mask_ratio)
        mask = (torch.rand(b, units * units).argsort(1) < count).view(b, units, units)
        mask = mask.repeat_interleave(c.mask_unit, 1).repeat_interleave(c.mask_unit, 2)[:, :c.grid, :c.grid]
        return {"keep.simple": draw_keeps(c, c.depth, b), "mask": mask.flatten(1)}

    def forward(self, batch, now):
        mask = batch["mask"]
        out = self.student(batch["simple"], batch.get("keep.simple"), mask, self.mask_token)[:, 1:]
        pixels = patchify(batch["simple"], self.c.patch)[mask]                       # [masked of the batch, P*P*3]
        total = (self.head(out[mask]).float() - pixels).abs().sum()
        loss = total / (mask.sum() * self.c.patch ** 2 + 1e-5) / 3
        return {"loss": loss, "loss_m": loss}


METHODS = {"dino": DINO, "ibot": IBOT, "moco-v3": MoCoV3, "beit": BEiT, "cae": CAE, "simmim": SimMIM}


# ---- draws -----------------------------------------------------------------------------------------------------------

def draw_keeps(c, depth, rows):
    """[depth, 2, rows] 1 or 0; block i of a part is dropped with probability drop_path * i / (depth - 1)."""
    rates = torch.tensor([c.drop_path * i / max(depth - 1, 1) for i in range(depth)])
    return (torch.rand(depth, 2, rows) >= rates[:, None, None]).float()


def block_mask(rng, grid, target, least, exact=False, aspect=0.3):
    """BEiT's blocks -> [grid*grid] bool. Ten tries a block: area U(least, what is left), aspect log-uniform, h and w rounded half
    to even, smaller than the grid, place uniform; taken if it masks something new, and not more than is left. When ten tries fail,
    the mask stays short of the target (exact, CAE: tries on). rng: Python's random, or what has uniform and randint (inclusive)."""
    mask = torch.zeros(grid, grid, dtype=torch.bool)
    while (left := target - int(mask.sum())) > 0:
        for _ in range(10):
            area, ratio = rng.uniform(least, left), math.exp(rng.uniform(math.log(aspect), math.log(1 / aspect)))
            h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if h >= grid or w >= grid:
                continue
            y, x = rng.randint(0, grid - h), rng.randint(0, grid - w)
            block = mask[y:y + h, x:x + w]
            if 0 < h * w - int(block.sum()) <= left:
                block[:] = True
                break
        else:
            if not exact:
                break
    return mask.flatten()


def draw(c, b, seed):
    """A batch's draws for b images (without the images): masks from Python's random, the rest from torch's generator."""
    return METHODS[c.objective].draws(c, b, random.Random(seed))


# ---- a tokeniser that needs no one else's weights -----------------------------------------------------------------------

def token_rows(images, patch):
    """[B, 3, H, W] -> [B, N, P*P*3]: a patch's pixels in row, column, channel order, less their mean, by sqrt(unbiased variance
    + 1e-6). Scale and shift of each patch are gone, so images may come normalised or in 0…1 (but for that 1e-6)."""
    return normalise(patchify(images, patch))


def distances(x, centres):
    """[R, C] squared distances but for |x|^2, in float32: |c|^2 - 2 x.c; who is nearest does not depend on |x|^2."""
    return (centres * centres).sum(1) - 2 * x @ centres.T


def nearest(x, centres):
    """[R] the nearest centre; of equals the first."""
    return distances(x, centres).argmin(1)


def kmeans_seeds(x, uniform):
    """k-means++ from given numbers uniform [C] in [0, 1): seed 0 is row floor(u R); seed j the first row whose running sum of
    squared distances to the nearest seed yet exceeds u times the total. Sums and distances in float64. -> rows [C]."""
    x = x.double()
    rows = [int(uniform[0] * len(x))]
    least = ((x - x[rows[0]]) ** 2).sum(1)
    for u in uniform[1:]:
        total = least.cumsum(0)
        rows.append(min(int(torch.searchsorted(total, (u.double() * total[-1]).reshape(1), right=True)), len(x) - 1))
        least = torch.minimum(least, ((x - x[rows[-1]]) ** 2).sum(1))
    return torch.tensor(rows)


def kmeans(x, centres, iterations):
    """Lloyd: every row to its nearest centre, then every centre to its rows' mean (summed in float64, kept in float32); a centre
    without rows stays where it is. x [R, W], centres [C, W] -> centres, and the mean squared distance before each iteration."""
    inertia = []
    for _ in range(iterations):
        ids = nearest(x, centres)
        inertia.append(((x - centres[ids]).double() ** 2).sum(1).mean())
        count = torch.bincount(ids, minlength=len(centres)).double()
        total = torch.zeros(centres.shape, dtype=torch.float64).index_add_(0, ids, x.double())
        centres = torch.where(count[:, None] > 0, total / count.clamp(min=1)[:, None], centres.double()).float()
    return centres, torch.stack(inertia)


def kmeans_tokens(images, patch, centres):
    """ids [B, N] of the patches of views as augmented."""
    rows = token_rows(images, patch)
    return nearest(rows.flatten(0, 1), centres).view(rows.shape[:2])
