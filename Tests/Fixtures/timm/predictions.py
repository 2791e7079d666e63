"""Makes predictions.safetensors of the logits in finetune.safetensors; see README.md. Needs numpy and safetensors."""
import numpy
from safetensors.numpy import load_file, save_file

TOP = 3

out = {}
given = load_file("finetune.safetensors")
for pool in ("class", "mean"):
    logits = given[f"{pool}.logits"].astype(numpy.float64)
    shares = numpy.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    # Of equal logits the lower class first.
    order = numpy.argsort(-logits, axis=1, kind="stable")[:, :TOP]
    out[f"{pool}.prediction"] = order.astype(numpy.int32)
    out[f"{pool}.probability"] = numpy.take_along_axis(shares, order, 1)
    print(pool, (order[:, 0] == given["label"]).mean(), out[f"{pool}.probability"][0])
save_file(out, "predictions.safetensors")
