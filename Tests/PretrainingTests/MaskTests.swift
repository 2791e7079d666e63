import Compute
import Parallel
import Pretraining
import Runs
import Schemas
import Testing
import Training

struct MaskTests {
  @Test func visibleAndFoldedPatchesAreApartAndInOrder() {
    // Two images of 10 patches, 3 visible, so 7 masked: 3 folds hold 6 of them.
    let shuffle: [Int32] = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    let masks = Masks(shuffle: shuffle, sequences: 2, visible: 3)
    #expect(masks.visible == [9, 8, 7, 0, 1, 2])
    #expect(masks.maskedCount == 7)
    #expect(masks.foldedCount(3) == 6)
    #expect(masks.folded(3) == [6, 5, 4, 3, 2, 1, 3, 4, 5, 6, 7, 8])
    #expect(masks.masked(7) == [6, 5, 4, 3, 2, 1, 0, 3, 4, 5, 6, 7, 8, 9])
  }

  @Test func aSamplesMaskDependsOnItselfAlone() {
    let samples = (0..<5).map { CounterRandom(seed: 3, epoch: 1, sample: $0, purpose: 2) }
    let together = Masks(samples: samples, patches: 49, visible: 12)
    let alone = Masks(samples: [samples[3]], patches: 49, visible: 12)
    #expect(Array(together.shuffle[3 * 49..<4 * 49]) == alone.shuffle)
    #expect(alone.shuffle.sorted() == Array(0..<49))
  }
}
