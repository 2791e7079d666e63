"""A tensor stream (.stz) in Python: pmae-stream(5) in forty lines, for tests from outside.
usage: stream.py FILE|-   prints every record's metadata and tensors. Needs zstandard, numpy, safetensors."""
import json, struct, sys
import numpy as np, zstandard
from safetensors.numpy import load, save

SEEK_MAGIC, FOOTER_MAGIC = 0x184D2A5E, 0x8F92EAB1


def records(data: bytes):
    """Yields (metadata, {name: array}) for each record; raises where the stream is cut or a checksum fails."""
    ended, at = False, 0
    while at < len(data):
        magic, size = struct.unpack_from("<II", data, at)
        if magic == SEEK_MAGIC:
            at += 8 + size
            continue
        if ended:
            raise ValueError("a record after the end record")
        d = zstandard.ZstdDecompressor().decompressobj()
        document = d.decompress(data[at:])
        if not d.eof:
            raise ValueError("the last record is cut short")
        at = len(data) - len(d.unused_data)
        n = struct.unpack_from("<Q", document)[0]
        metadata = json.loads(document[8:8 + n]).get("__metadata__", {})
        ended = "end" in metadata
        yield metadata, load(document)
    if not ended:
        raise ValueError("no end record: the writer did not finish")


def write(path, kind, chunks, **metadata):
    """Writes a stream with a seek table. chunks: a list of {name: array} with one leading dimension each."""
    rows = [len(next(iter(c.values()))) for c in chunks]
    head = {"stream": "1", "kind": kind, **metadata}
    docs = [save({}, head)] + [save(c) for c in chunks] + [save({}, {"end": str(sum(rows)), "rows": json.dumps(rows)})]
    z = zstandard.ZstdCompressor(level=1, write_checksum=True, write_content_size=True)
    frames = [z.compress(d) for d in docs]
    table = b"".join(struct.pack("<II", len(f), len(d)) for f, d in zip(frames, docs))
    table += struct.pack("<IBI", len(frames), 0, FOOTER_MAGIC)
    with open(path, "wb") as f:
        f.write(b"".join(frames) + struct.pack("<II", SEEK_MAGIC, len(table)) + table)


if __name__ == "__main__":
    data = sys.stdin.buffer.read() if sys.argv[1] == "-" else open(sys.argv[1], "rb").read()
    for metadata, tensors in records(data):
        print(json.dumps(metadata)[:200], {k: (str(v.dtype), v.shape) for k, v in tensors.items()})
