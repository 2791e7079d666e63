import Training

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
