import Training

/// How labels enter the loss at one point of a run. Both schedules are off by default: the paper has none.
public struct LabelSchedule: Equatable, Sendable {
  /// The factor of λ_c and λ_p. Labels of a teacher that has learned nothing teach nothing; a ramp keeps them out until
  /// it has learned something.
  public let weight: Double
  /// DINO's warm-up: sharper labels at first, where it is below the later temperature.
  public let teacherTemperature: Double
}

extension PseudoMAEOptions {
  /// - Parameter epoch: the steps taken so far over those of an epoch.
  public func schedule(epoch: Double) -> LabelSchedule {
    func reached(_ epochs: Double) -> Double { epoch < epochs ? epoch / epochs : 1 }
    let warm = reached(teacherTemperatureEpochs)
    return LabelSchedule(
      weight: reached(lambdaWarmupEpochs),
      // Not a blend at the end: it would round.
      teacherTemperature: warm == 1
        ? teacherTemperature : teacherTemperatureStart + (teacherTemperature - teacherTemperatureStart) * warm)
  }

  /// The schedule once every warm-up is over.
  public var settledSchedule: LabelSchedule { schedule(epoch: .infinity) }

  /// What metrics say of it, where it moves at all.
  func figures(of schedule: LabelSchedule) -> [Figure] {
    (lambdaWarmupEpochs > 0 ? [Figure("label_weight", schedule.weight)] : [])
      + (teacherTemperatureEpochs > 0 ? [Figure("teacher_temperature", schedule.teacherTemperature)] : [])
  }
}
