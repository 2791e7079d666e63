import ArgumentParser
import Pretraining

extension Configuration.Objective: ExpressibleByArgument {}
extension Configuration.Teachers: ExpressibleByArgument {}
extension Configuration.LabelUpdate: ExpressibleByArgument {}
extension Configuration.LabelView: ExpressibleByArgument {}
extension Configuration.Match: ExpressibleByArgument {}

/// The method and its ablations.
struct MethodOptions: ParsableArguments {
  @Option(help: "What is predicted.")
  var objective = Configuration.Objective.pseudoMAE

  @Option(help: "Share of the patches that is masked.")
  var maskRatio = 0.75

  @Option(help: "Folds in which the reconstruction teacher sees the masked patches.")
  var reconstructionFolds = 3

  @Option(help: "Folds in which the labelling teacher sees them.")
  var labelFolds = 3

  @Option(help: "Where a masked patch's label comes from.")
  var match = Configuration.Match.nearest

  @Option(help: "The view that labels are made from.")
  var labelView = Configuration.LabelView.complex

  @Option(help: "One teacher for both tasks, or one each.")
  var teachers = Configuration.Teachers.disentangled

  @Option(help: "When the labelling teacher moves.")
  var labelUpdate = Configuration.LabelUpdate.iteration

  @Option(help: "Momentum of the labelling teacher at the start.")
  var labelMomentum = 0.996

  @Option(help: "Momentum of the labelling teacher at the end.")
  var labelMomentumEnd = 1.0

  @Option(help: "Momentum of the reconstruction teacher at the start.")
  var reconstructionMomentum = 0.96

  @Option(help: "Momentum of the reconstruction teacher at the end.")
  var reconstructionMomentumEnd = 0.99

  @Option(help: "Weight of the reconstruction loss.")
  var lambdaM = 1.0

  @Option(help: "Weight of the class token's label loss.")
  var lambdaC = 1.0

  @Option(help: "Weight of the patches' label loss.")
  var lambdaP = 1.0

  @Option(help: "Epochs over which the weights of both label losses rise from 0.")
  var lambdaWarmupEpochs = 0.0

  @Option(help: "Temperature of the student's predictions.")
  var studentTemperature = 0.1

  @Option(help: "Temperature of the labels.")
  var teacherTemperature = 0.05

  @Option(help: "Temperature of the labels at the start (default: 0.04, where it moves).")
  var teacherTemperatureStart: Double?

  @Option(help: "Epochs over which the labels' temperature moves from its start.")
  var teacherTemperatureEpochs = 0.0

  @Option(help: "Rounds of Sinkhorn-Knopp.")
  var sinkhornIterations = 3

  @Option(help: "Drop-path rate of the encoder's last block.")
  var dropPath = 0.25

  mutating func validate() throws {
    if teacherTemperatureStart != nil && teacherTemperatureEpochs == 0 {
      throw ValidationError("--teacher-temperature-start needs --teacher-temperature-epochs")
    }
  }

  func apply(to c: inout Configuration) {
    c.objective = objective
    c.maskRatio = maskRatio
    c.reconstructionFolds = reconstructionFolds
    c.labelFolds = labelFolds
    c.match = match
    c.labelView = labelView
    c.teachers = teachers
    c.labelUpdate = labelUpdate
    c.labelMomentum = labelMomentum
    c.labelMomentumEnd = labelMomentumEnd
    c.reconstructionMomentum = reconstructionMomentum
    c.reconstructionMomentumEnd = reconstructionMomentumEnd
    c.lambdaM = lambdaM
    c.lambdaC = lambdaC
    c.lambdaP = lambdaP
    c.lambdaWarmupEpochs = lambdaWarmupEpochs
    c.studentTemperature = studentTemperature
    c.teacherTemperature = teacherTemperature
    c.teacherTemperatureStart = teacherTemperatureStart ?? c.teacherTemperatureStart
    c.teacherTemperatureEpochs = teacherTemperatureEpochs
    c.sinkhornIterations = sinkhornIterations
    c.dropPath = dropPath
  }
}
