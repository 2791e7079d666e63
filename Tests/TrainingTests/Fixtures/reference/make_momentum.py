"""Eight steps of PyTorch's SGD with momentum and of timm's LARS on four small tensors; matrices decay and are scaled by LARS, the
bias and the scale are not. usage: make_momentum.py    (needs torch, timm, safetensors)"""
import torch
from safetensors.torch import save_file
from timm.optim import Lars

SHAPES = {"weight": (5, 7), "bias": (7,), "scale": (6,), "proj": (4, 3, 2, 2)}
RATES = [1e-3, 5e-3, 1e-1, 1e-2, 2.0, 0.0, 1e-4, 3e-2]
DECAY = 0.05

torch.manual_seed(0)
start = {name: torch.randn(shape) for name, shape in SHAPES.items()}
gradients = [{name: torch.randn(shape) * 10.0 ** (step % 4 - 2) for name, shape in SHAPES.items()} for step in range(len(RATES))]
gradients[3]["bias"].zero_()
gradients[4]["proj"].zero_()
out = {"rates": torch.tensor(RATES, dtype=torch.float64)}
out |= {f"start.{name}": value.clone() for name, value in start.items()}
out |= {f"gradient.{step}.{name}": value for step, own in enumerate(gradients) for name, value in own.items()}
for rule in ("sgd", "lars", "lars-without-decay"):
    values = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    matrices, vectors = ([p for p in values.values() if (p.ndim > 1) == wanted] for wanted in (True, False))
    if rule == "sgd":
        optimizer = torch.optim.SGD(
            [{"params": matrices, "weight_decay": DECAY}, {"params": vectors, "weight_decay": 0.0}], lr=1.0, momentum=0.9)
    else:
        decay = DECAY if rule == "lars" else 0.0
        optimizer = Lars(
            [{"params": matrices, "weight_decay": decay, "always_adapt": True},
             {"params": vectors, "weight_decay": 0.0, "always_adapt": False}], lr=1.0, momentum=0.9, trust_coeff=0.001, eps=0)
    for step, rate in enumerate(RATES):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for name, p in values.items():
            p.grad = gradients[step][name].clone()
        optimizer.step()
        out |= {f"{rule}.{step}.{name}": p.detach().clone() for name, p in values.items()}
save_file(out, "momentum.safetensors")
