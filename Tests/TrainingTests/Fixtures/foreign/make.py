"""Makes small encoders by the libraries that public ones are made by, and what these libraries compute of some pictures.
usage: make.py    (needs torch, timm, transformers, safetensors; see README.md)"""
import json
import shutil
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file, save_file
from timm.layers import SwiGLUPacked, resample_abs_pos_embed
from timm.models._hub import save_for_hf
from timm.models.vision_transformer import checkpoint_filter_fn
from transformers import (
    BeitConfig, BeitForImageClassification, Dinov2Config, Dinov2Model, ViTConfig, ViTForImageClassification, ViTMAEConfig,
    ViTMAEForPreTraining, ViTMAEModel, ViTModel)

HERE = Path(__file__).parent
SIZE = dict(img_size=8, patch_size=4, embed_dim=8, depth=2, num_heads=2)
HF = dict(
    hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=8, patch_size=4,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

torch.manual_seed(0)
pixels = torch.randint(0, 256, (3, 8, 8, 3), dtype=torch.uint8)
images = (pixels.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
larger = torch.randint(0, 256, (3, 12, 12, 3), dtype=torch.uint8)
larger_images = (larger.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
expected = {"pixels": pixels, "larger": larger}


def shake(model):
    """Weights that are neither zero nor one anywhere, so that each of them shows."""
    for name, p in model.named_parameters():
        if p.requires_grad:
            p.data += torch.randn_like(p) * (0.3 if p.ndim == 2 else 0.2)
    return model.eval()


def fixed_positions(grid):
    """MAE's fixed positions, by transformers' own code."""
    embeddings = ViTMAEModel(ViTMAEConfig(**{**HF, "image_size": 4 * grid})).embeddings
    for module in embeddings.modules():
        for p in (module, *module.parameters(recurse=False)):
            p._is_hf_initialized = False
    embeddings.initialize_weights()
    assert embeddings.position_embeddings.abs().max() == 1
    return embeddings.position_embeddings.detach().clone()


def note(name, tokens, logits=None):
    expected[f"{name}.class"] = tokens[:, 0].float().contiguous()
    expected[f"{name}.mean"] = tokens[:, 1:].mean(1).float().contiguous()
    if logits is not None:
        expected[f"{name}.logits"] = logits.float().contiguous()


def of_timm(architecture="vit_tiny_patch16_224", **options):
    return shake(timm.create_model(architecture, **{**SIZE, **options}))


def state(model):
    return {k: v.detach().clone().contiguous() for k, v in model.state_dict().items()}


def folder(name):
    shutil.rmtree(HERE / name, ignore_errors=True)
    return HERE / name


@torch.no_grad()
def main():
    # timm's, with a head, LayerScale and learned positions, as timm itself saves a model.
    model = of_timm(num_classes=3, global_pool="token", init_values=0.1)
    model.pretrained_cfg.update(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    model.pretrained_cfg["label_names"] = ["a", "b", "c"]
    arguments = dict(**SIZE, init_values=0.1)
    save_for_hf(model, folder("timm"), model_args=arguments, safe_serialization=True)
    (HERE / "timm/pytorch_model.bin").unlink(missing_ok=True)
    note("timm", model.forward_features(images), model(images))
    # The same for larger pictures, its positions interpolated by timm.
    twin = timm.create_model("vit_tiny_patch16_224", **{**SIZE, "img_size": 12}, num_classes=3, global_pool="token", init_values=0.1)
    twin.load_state_dict(checkpoint_filter_fn(state(model), twin))
    note("timm.larger", twin.eval().forward_features(larger_images), twin(larger_images))
    # Other types of numbers: what is expected is computed from the rounded weights, in float64.
    for name, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16), ("float64", torch.float64)):
        rounded = {k: v.to(dtype) for k, v in state(model).items()}
        save_file(rounded, HERE / f"{name}.safetensors")
        twin = of_timm(num_classes=3, global_pool="token", init_values=0.1).double()
        twin.load_state_dict({k: v.double() for k, v in rounded.items()})
        note(name, twin.forward_features(images.double()), twin(images.double()))
    # Positions of the patches alone.
    model = of_timm(num_classes=0, global_pool="token", no_embed_class=True)
    save_file(state(model), HERE / "no-embed-class.safetensors")
    note("no-embed-class", model.forward_features(images))
    # DINO's and iBOT's names: timm's under a prefix, with heads and a masked embedding beside them.
    model = of_timm(num_classes=0, global_pool="token")
    beside = {"head.mlp.0.weight": torch.zeros(4, 8), "head.mlp.0.bias": torch.zeros(4), "head.last_layer.weight_v": torch.zeros(5, 4)}
    save_file({f"backbone.{k}": v for k, v in state(model).items()} | beside | {"backbone.masked_embed": torch.zeros(1, 8)},
              HERE / "dino.safetensors")
    note("dino", model.forward_features(images))
    # timm's BEiT, without relative positions: its own names, and no bias of keys.
    model = of_timm("beit_base_patch16_224", num_classes=3, global_pool="token", use_abs_pos_emb=True, use_rel_pos_bias=False,
                    init_values=0.1)
    save_file(state(model), HERE / "beit.safetensors")
    note("beit", model.forward_features(images), model(images))
    # Hugging Face's.
    names = dict(id2label={0: "a", 1: "b", 2: "c"}, label2id={"a": 0, "b": 1, "c": 2})
    model = shake(ViTForImageClassification(ViTConfig(**HF, **names)))
    model.save_pretrained(folder("hugging-face-vit"))
    (HERE / "hugging-face-vit/preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    note("hugging-face-vit", model.vit(images).last_hidden_state, model(images).logits)
    model = shake(ViTModel(ViTConfig(**HF, qkv_bias=False)))
    model.save_pretrained(folder("hugging-face-base"))
    note("hugging-face-base", model(images).last_hidden_state)
    model = shake(BeitForImageClassification(BeitConfig(
        **HF, use_absolute_position_embeddings=True, use_mean_pooling=False, num_labels=3)))
    model.save_pretrained(folder("hugging-face-beit"))
    note("hugging-face-beit", model.beit(images).last_hidden_state, None)
    model = shake(Dinov2Model(Dinov2Config(**HF, mlp_ratio=4)))
    model.save_pretrained(folder("hugging-face-dinov2"))
    note("hugging-face-dinov2", model(images).last_hidden_state)
    # MAE masks at random, so its encoder is computed by a ViT that has its weights. Its positions are the fixed table.
    model = shake(ViTMAEForPreTraining(ViTMAEConfig(
        **HF, decoder_hidden_size=8, decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=16)))
    model.vit.embeddings.position_embeddings.copy_(fixed_positions(2))
    model.save_pretrained(folder("hugging-face-mae"))
    twin = ViTModel(ViTConfig(**HF), add_pooling_layer=False).eval()
    twin.load_state_dict(model.vit.state_dict())
    note("hugging-face-mae", twin(images).last_hidden_state)
    # For larger pictures: the table that its own code computes for their grid.
    twin = ViTModel(ViTConfig(**{**HF, "image_size": 12}), add_pooling_layer=False).eval()
    twin.load_state_dict({**model.vit.state_dict(), "embeddings.position_embeddings": fixed_positions(3)})
    note("hugging-face-mae.larger", twin(larger_images).last_hidden_state)
    # What there is none of here.
    for name, architecture, options in (
        ("registers", "vit_tiny_patch16_224", dict(reg_tokens=2)),
        ("swiglu", "vit_tiny_patch16_224", dict(mlp_layer=SwiGLUPacked)),
        ("distilled", "deit_tiny_distilled_patch16_224", {}),
        ("relative", "beit_base_patch16_224", {}),
        ("mean-first", "vit_tiny_patch16_224", dict(global_pool="avg")),
        ("no-class-token", "vit_tiny_patch16_224", dict(class_token=False, global_pool="avg", fc_norm=False)),
    ):
        model = of_timm(architecture, **{"num_classes": 3, **options})
        save_file(state(model), HERE / f"refused-{name}.safetensors")
    save_file(expected, HERE / "expected.safetensors")
    # Positions for other grids.
    positions = {}
    for old, new in ((4, 7), (7, 4), (3, 3), (5, 13), (14, 6), (2, 1)):
        table = torch.randn(1, 1 + old * old, 6)
        positions[f"{old}x{new}.from"] = table
        positions[f"{old}x{new}.to"] = resample_abs_pos_embed(table, new_size=[new, new]).clone()
    save_file(positions, HERE.parents[2] / "NetworksTests/Fixtures/reference/resampled.safetensors")


main()
