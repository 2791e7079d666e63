"""Times pretraining steps in PyTorch: the peer that pipelines/benchmark.mk holds pmae-pretrain against.
usage: bench_torch.py [--objective pseudo-mae] [--model vit_small] [--batch 32] [--dtype f32|bf16] [--compile] [--steps 5]
                      [--write FOLDER] [field=value ...]

field=value is a field of Config, or for an objective of methods.py of MethodConfig, as in image=28 patch=4 dim=192. Two steps come
before those that count; the last line has the median's images/s and the process's peak memory.
Started by mpirun as several, each computes its part of the batch, and DistributedDataParallel over Gloo joins the gradients; the first
one speaks for all. MASTER_ADDR is the first one's host, this one unless given. Not for the objectives of methods.py.
--write: times nothing, and writes what pmae-pretrain needs for the same steps: FOLDER/views.stz, random views with the oracle's own
draws, and FOLDER/options. For the objectives of methods.py."""
import argparse, os, resource, time
import torch
import methods
import oracle_run
from pseudo_mae import *


def pseudo_mae(a, fields):
    """-> a step as a function of its number, which times itself; for mae too."""
    c = Config(**{**PRESETS[a.model], "objective": a.objective, **fields})
    model = PseudoMAE(c).train()
    opt = torch.optim.AdamW(parameter_groups(model, 0.05), lr=1e-4, betas=(0.9, 0.95), fused=True)
    forward = torch.compile(model) if a.compile else model
    if a.ranks > 1: forward = torch.nn.parallel.DistributedDataParallel(forward, gradient_as_bucket_view=True)
    simple, complex_ = torch.rand(2, a.batch, 3, c.image, c.image)

    def step(i):
        start = time.perf_counter()
        shuffle = torch.rand(a.batch, c.patches).argsort(1)
        keeps = [[(torch.rand(a.batch) >= b.drop_path).float() for _ in range(2)] for b in model.student.blocks]
        with torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "bf16"):
            out = forward(simple, complex_, shuffle, keeps)
        out["loss"].backward()
        opt.step()
        opt.zero_grad(set_to_none=True)
        if c.objective == "pseudo-mae": model.ema_labelling(0.996)
        return out["loss"].item(), time.perf_counter() - start
    return step


def settings(a, fields):
    """-> the configuration and the run of a method, without what changes after some epochs: no warm-up, nothing frozen."""
    c = methods.config(a.objective, **{**PRESETS[a.model], **fields})
    return c, {**methods.RUN, **methods.METHODS[a.objective].recipe, "batch": a.batch, "warmup_epochs": 0, "freeze_epochs": 0,
               "teacher_temp_epochs": 0, "drop_at": 0.0}


def method(a, fields):
    """The same for an objective of methods.py. Views and draws are ready before the clock starts, as a loader has them."""
    c, run = settings(a, fields)
    run["steps_per_epoch"] = 1000
    model = methods.METHODS[a.objective](c).train()
    opt, forward = methods.optimiser(model, run, fused=True), torch.compile(model) if a.compile else model
    views = {k: torch.rand(a.batch, 3, side, side) for k, side in model.views(c).items()}

    def cast(batch, now):
        with torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "bf16"): return forward(batch, now)

    def step(i):
        batch, now = {**views, **methods.draw(c, a.batch, i)}, methods.schedule(run, i)
        start = time.perf_counter()
        out = methods.train_step(model, opt, batch, now, cast)
        return out["loss"].item(), time.perf_counter() - start
    return step


def write(a, fields):
    c, run = settings(a, fields)
    rows = (a.steps + 2) * a.batch
    draws = [methods.draw(c, a.batch, i) for i in range(a.steps + 2)]
    tensors = {k: torch.randint(0, 256, (rows, side, side, 3), dtype=torch.uint8) for k, side in methods.METHODS[a.objective].views(c).items()}
    for k in draws[0]:
        if not k.startswith("keep."): tensors[k] = torch.cat([d[k] for d in draws]).to(torch.int32 if k == "ids" else torch.uint8)
    os.makedirs(a.write, exist_ok=True)
    oracle_run.write_views(f"{a.write}/views.stz", {k: v.numpy() for k, v in tensors.items()}, epochs=1)
    options = oracle_run.options(a.objective, {**vars(c), **run, "epochs": 1})
    with open(f"{a.write}/options", "w") as f: f.write(" ".join(w for pair in options for w in pair) + "\n")


def join():
    """-> the number of this process among those that mpirun started, and how many they are."""
    rank, ranks = (int(os.environ.get(f"OMPI_COMM_WORLD_{name}", default)) for name, default in (("RANK", 0), ("SIZE", 1)))
    if ranks > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", "29511")
        torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    return rank, ranks


def main():
    parser = argparse.ArgumentParser(description="Times pretraining steps in PyTorch.")
    parser.add_argument("--objective", default="pseudo-mae", choices=["pseudo-mae", "mae", *methods.METHODS])
    parser.add_argument("--model", default="vit_small", choices=list(PRESETS))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--write", metavar="FOLDER")
    parser.add_argument("fields", nargs="*", metavar="field=value")
    a = parser.parse_intermixed_args()
    kind = methods.MethodConfig if a.objective in methods.METHODS else Config
    fields = {k: type(getattr(kind, k))(v) for k, v in (f.split("=", 1) for f in a.fields)}
    torch.manual_seed(0)
    rank, a.ranks = join()
    if a.ranks > 1 and a.objective in methods.METHODS: parser.error(f"{a.objective} is for one process")
    a.batch //= a.ranks
    if a.write:
        if a.objective not in methods.METHODS: parser.error(f"--write: {a.objective} needs no draws; pmae-augment makes its views")
        return write(a, fields)
    step, seconds = (method if a.objective in methods.METHODS else pseudo_mae)(a, fields), []
    for i in range(a.steps + 2):
        loss, t = step(i)
        seconds.append(t)
        if rank == 0: print(f"step {i} {t:.3f}s loss {loss:.4f}", flush=True)
    median = sorted(seconds[2:])[a.steps // 2]
    if rank > 0: return
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1048576
    a.batch *= a.ranks
    print(f"{a.objective} {a.model} batch {a.batch} {a.dtype}{' compiled' if a.compile else ''}: {a.batch / median:.3f} images/s, "
          f"median step {median:.3f} s, peak {peak:.2f} GiB")


main()
