import Finetuning
import Networks
import Training

/// What trains: all weights, or a probe.
enum Trainer<T: Task> {
  case full(FinetuningRun<T>)
  case probe(LinearProbe)

  var trainee: any Trainee {
    switch self {
    case .full(let run): run
    case .probe(let probe): probe
    }
  }

  var average: [Part]? {
    switch self {
    case .full(let run): run.average.map { [Part("", $0)] }
    case .probe: nil
    }
  }

  var model: [Part] {
    switch self {
    case .full(let run): run.task.model
    case .probe(let probe): [Part("", probe.classifier)]
    }
  }
}
