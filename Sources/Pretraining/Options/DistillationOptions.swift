import Networks
import Settings
import TensorStream
import Training

/// Options of an objective whose student learns the centred labels of its teacher.
public protocol DistillationOptions: TeacherOptions, HeadWidthOptions {
  var prototypes: Int { get set }
  var studentTemperature: Double { get set }
  var teacherTemperature: Double { get set }
  /// The labels' temperature in the first epoch, and after how many epochs it is the teacher's.
  var teacherTemperatureStart: Double { get set }
  var teacherTemperatureEpochs: Int { get set }
  var centreMomentum: Double { get set }
  /// Epochs in which the prototypes stay as they are.
  var freezeEpochs: Int { get set }
}

extension DistillationOptions {
  public static var distillationSettings: [Setting<Self>] {
    let temperature = Bounds.atLeast(0.012)
    return [
      .number("student-temperature", \.studentTemperature, temperature, "Temperature of the student's predictions."),
      .number("teacher-temperature", \.teacherTemperature, temperature, "Temperature of the labels."),
      .number(
        "teacher-temperature-start", \.teacherTemperatureStart, temperature,
        "Temperature of the labels in the first epoch, where it moves."
      ).needing("teacher-temperature-epochs"),
      .whole(
        "teacher-temperature-epochs", \.teacherTemperatureEpochs,
        "Epochs over which the labels' temperature moves from its start."),
      .number("centre-momentum", \.centreMomentum, .share, "Momentum of the labels' centre."),
      .whole("freeze-epochs", \.freezeEpochs, "Epochs at the start in which prototypes are not trained."),
      .whole("prototypes", \.prototypes, "Prototypes."),
    ] + teacherSettings + headSettings
  }

  /// Throws `Failure(.usage)` where a number cannot be.
  public func validateDistillation() throws {
    try validateHead()
    guard (1...1 << 20).contains(prototypes) else {
      throw Failure(.usage, "prototypes must be from 1 to 1,048,576, not \(prototypes)")
    }
    for (name, epochs) in [
      ("teacher-temperature-epochs", teacherTemperatureEpochs), ("freeze-epochs", freezeEpochs),
    ] where epochs < 0 || epochs > 1 << 20 {
      throw Failure(.usage, "\(name) must be from 0 to 1,048,576, not \(epochs)")
    }
  }

  /// The labels' temperature in an epoch: a line through the first epochs, a step each.
  func teacherTemperature(epoch: Int) -> Double {
    if epoch >= teacherTemperatureEpochs { return teacherTemperature }
    let way = Double(epoch) / Double(max(teacherTemperatureEpochs - 1, 1))
    return teacherTemperatureStart + (teacherTemperature - teacherTemperatureStart) * way
  }
}
