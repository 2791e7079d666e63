"""Makes masks.json: block-wise masks by methods.py's block_mask from the random numbers of Sources/Parallel/CounterRandom.swift, for DrawnMaskTests.swift.
usage: masks.py    (in this folder; needs what Tests/Oracle needs)"""
import json, sys
from pathlib import Path
here = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(here / "../../../Oracle"))
import methods

MASK = 0xFFFFFFFF


class CounterRandom:
    """Philox 4x32-10, keyed by the seed, counting within (epoch, sample, purpose)."""
    def __init__(self, seed, epoch, sample, purpose):
        self.key, self.counter, self.block = (seed & MASK, seed >> 32), [0, sample, epoch, purpose], []

    def next32(self):
        if not self.block:
            c, k = list(self.counter), self.key
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
                c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
                k = ((k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK)
            self.counter[0] += 1
            self.block = c
        return self.block.pop(0)

    def random(self):
        high = self.next32()
        return ((high << 32 | self.next32()) >> 11) * 2.0**-53

    def uniform(self, low, high): return low + (high - low) * self.random()

    def randint(self, low, high):
        n = high - low + 1
        while True:
            product = self.next32() * n
            if product & MASK >= (2**32 - n) % n: return low + (product >> 32)


cases = []
for grid, target, least, exact in [(14, 75, 16, False), (14, 98, 16, True), (14, 196 * 0.37, 16, False), (4, 6, 2, False), (4, 8, 16, True), (7, 24, 5, False)]:
    for sample in range(8):
        mask = methods.block_mask(CounterRandom(5, 2, sample, 9), grid, target, least, exact)
        cases.append({"grid": grid, "target": target, "least": least, "exact": exact, "sample": sample, "hidden": mask.nonzero().flatten().tolist()})
(here / "masks.json").write_text("[" + ",\n ".join(json.dumps(c) for c in cases) + "]\n")
print(len(cases), "masks of", sorted({len(c["hidden"]) for c in cases}))
