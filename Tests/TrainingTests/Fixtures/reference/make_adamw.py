"""Eight steps of PyTorch's AdamW on four small tensors; matrices decay, the bias and the token do not."""
import torch
from safetensors.torch import save_file

torch.manual_seed(0)
shapes = {"weight": (5, 7), "bias": (7,), "cls_token": (1, 1, 7), "proj": (4, 3, 2, 2)}
rates = [1e-3, 5e-3, 1e-2, 1e-2, 2e-3, 0.0, 1e-4, 3e-2]

values = {name: torch.nn.Parameter(torch.randn(shape)) for name, shape in shapes.items()}
out = {"rates": torch.tensor(rates, dtype=torch.float64)}
out.update({f"start.{name}": p.detach().clone() for name, p in values.items()})
optimizer = torch.optim.AdamW(
    [{"params": [values["weight"], values["proj"]], "weight_decay": 0.05},
     {"params": [values["bias"], values["cls_token"]], "weight_decay": 0.0}],
    lr=1.0, betas=(0.9, 0.95), eps=1e-8)
for step, rate in enumerate(rates):
    for group in optimizer.param_groups:
        group["lr"] = rate
    for name, p in values.items():
        p.grad = torch.randn(p.shape) * 10.0 ** (step % 4 - 2)
        if name == "bias" and step == 3:
            p.grad.zero_()
        out[f"gradient.{step}.{name}"] = p.grad.clone()
    optimizer.step()
    out.update({f"after.{step}.{name}": p.detach().clone() for name, p in values.items()})
save_file(out, "adamw.safetensors")
