import CKernels
import Compute
import Networks
import Training

/// When a teacher moves, and how far: its clock ticks with steps or with epochs.
struct TeacherClock {
  enum Tick { case iteration, epoch }
  let tick: Tick
  /// The momentum at the start of the run and at its end, half a cosine between them.
  let start: Double
  let end: Double

  /// The momentum with which the teacher moves after a step; nil where it does not move.
  func momentum(at place: StepPlace) -> Double? {
    switch tick {
    case .iteration: cosine(start, end, Double(place.step), Double(place.steps))
    case .epoch: place.endsEpoch ? cosine(start, end, Double(place.epoch), Double(place.epochs)) : nil
    }
  }
}

/// A network takes a step towards another of the same shape: t ← m t + (1 − m) s.
func average(_ teacher: some Network, towards student: some Network, momentum: Double, engine: Engine) {
  engine.measure(.teachers, values: 3 * teacher.weightCount) {
    for (t, s) in zip(teacher.parameters, student.parameters) {
      engine.rows(over: t.tensor, s.tensor, count: t.tensor.count, cost: 1) { t, s, range in
        let i = range.lowerBound
        pmae_lerp(t.pointer + i, s.pointer + i, range.count, Float(1 - momentum))
      }
    }
  }
}
