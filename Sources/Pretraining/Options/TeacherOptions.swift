import Settings
import TensorStream

/// Options of an objective with one teacher, the student's moving average, that moves each step.
public protocol TeacherOptions: ObjectiveOptions {
  /// Momentum at the start and at the end; between them it follows half a cosine.
  var teacherMomentum: Double { get set }
  var teacherMomentumEnd: Double { get set }
}

extension TeacherOptions {
  public static var teacherSettings: [Setting<Self>] {
    [
      .number("teacher-momentum", \.teacherMomentum, .share, "Momentum of the teacher at the start."),
      .number("teacher-momentum-end", \.teacherMomentumEnd, .share, "Momentum of the teacher at the end."),
    ]
  }

  var teacherClock: TeacherClock {
    TeacherClock(tick: .iteration, start: teacherMomentum, end: teacherMomentumEnd)
  }
}

/// Options of an objective with a projection head.
public protocol HeadWidthOptions: ObjectiveOptions {
  var headHidden: Int { get set }
  var headBottleneck: Int { get set }
}

extension HeadWidthOptions {
  public static var headSettings: [Setting<Self>] {
    [
      .whole("head-hidden", \.headHidden, "Hidden width of the head."),
      .whole("head-bottleneck", \.headBottleneck, "Output width of the head's MLP."),
    ]
  }

  /// Throws `Failure(.usage)` where a width cannot be.
  public func validateHead() throws {
    for (name, value) in [("head-hidden", headHidden), ("head-bottleneck", headBottleneck)]
    where value < 1 || value > 1 << 20 {
      throw Failure(.usage, "\(name) must be from 1 to 1,048,576, not \(value)")
    }
  }
}
