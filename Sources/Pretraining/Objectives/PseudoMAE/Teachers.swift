import CKernels
import Compute
import Networks
import Training

/// When a teacher moves, and how far (§3.2): the labelling teacher's clock ticks with steps, the reconstruction teacher's with epochs.
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
      engine.rows(t.tensor.count, cost: 1) { range in
        let i = range.lowerBound
        pmae_lerp(t.tensor.pointer + i, s.tensor.pointer + i, range.count, Float(1 - momentum))
      }
    }
  }
}

extension PseudoMAE {
  /// Both teachers move as their clocks say.
  public func follow(at place: StepPlace) -> [Figure] {
    let o = options
    var moved: [Figure] = []
    let labels = TeacherClock(
      tick: o.labelUpdate == .iteration ? .iteration : .epoch, start: o.labelMomentum, end: o.labelMomentumEnd)
    if let momentum = labels.momentum(at: place) {
      average(labellingTeacher, towards: student, momentum: momentum, engine: engine)
      average(labellingHead, towards: head, momentum: momentum, engine: engine)
      moved.append(Figure("label_momentum", momentum))
    }
    let targets = TeacherClock(tick: .epoch, start: o.reconstructionMomentum, end: o.reconstructionMomentumEnd)
    if o.teachers == .disentangled, let momentum = targets.momentum(at: place) {
      average(reconstructionTeacher, towards: student, momentum: momentum, engine: engine)
      moved.append(Figure("reconstruction_momentum", momentum))
    }
    return moved
  }
}
