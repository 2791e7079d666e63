import Foundation
import Pretraining
import Schemas
import Testing

/// Settings for pictures that nothing was tried on.
@Suite struct SuggestionTests {
  @Test(arguments: Trial.best) func ofATrialsOwnPicturesItIsTheTrial(_ trial: Trial) throws {
    let e = trial.encoder
    let suggestion = Suggestion(
      for: PictureExtent(pictures: trial.pictures, side: Double(e.image), channels: e.channels))
    #expect(suggestion.trial == trial)
    #expect(suggestion.configuration.encoder == e)
    #expect(suggestion.configuration.epochs == trial.epochs)
    #expect(suggestion.steps == trial.epochs * (trial.pictures / Trial.batch))
  }

  /// Also of one picture, of specks and of posters.
  @Test(arguments: [1, 63, 64, 1_000, 60_000, 14_000_000], [1.0, 9, 28, 33.4, 50, 64, 80, 150, 224, 4_000])
  func whateverThePicturesAreItCanBeTrained(pictures: Int, side: Double) throws {
    for channels in [1, 3] {
      let extent = PictureExtent(pictures: pictures, side: side, channels: channels)
      let suggestion = Suggestion(for: extent)
      try suggestion.configuration.validate()
      let e = suggestion.configuration.encoder
      #expect(e.channels == channels && e.patches >= 4)
      #expect(suggestion.steps >= 1)
      #expect(suggestion.configuration.learningRate <= Trial.learningRate)
      #expect(suggestion.configuration.learningRate >= Trial.learningRate * Double(min(pictures, 64)) / 64.001)
      // The pictures that are seen in all are the trial's, or more of a larger set.
      let seen = suggestion.configuration.epochs * pictures
      let trial = suggestion.trial
      #expect(seen >= trial.epochs * trial.pictures - pictures)
      #expect(suggestion.configuration.epochs >= trial.epochs || pictures > trial.pictures)
    }
  }

  /// Smaller sets are shown more often.
  @Test func aSmallerSetTakesMoreEpochs() throws {
    let epochs = [300, 1_000, 3_000, 10_000, 60_000].map {
      Suggestion(for: PictureExtent(pictures: $0, side: 28, channels: 1)).configuration.epochs
    }
    #expect(epochs == epochs.sorted(by: >), "\(epochs)")
    #expect(Set(epochs).count > 3)
  }

  @Test func itWarnsOfWhatWasNotTried() throws {
    func warnings(_ pictures: Int) -> [String] {
      Suggestion(for: PictureExtent(pictures: pictures, side: 28, channels: 1)).warnings
    }
    #expect(warnings(60_000) == [])
    #expect(warnings(10_000_000).first?.hasPrefix("no set as large was tried") == true)
    #expect(warnings(100).first?.contains("so few pictures") == true)
  }

  @Test func theCommandsQuoteWhatAShellWouldSplit() {
    let suggestion = Suggestion(for: PictureExtent(pictures: 60_000, side: 28, channels: 1))
    let text = suggestion.commands(images: ["my photos.stz", "b.stz"], output: "run")
    #expect(
      text.hasPrefix("pmae-augment 'my photos.stz' b.stz --size 28 --channels 1 --no-labels --epochs 24 \\"), "\(text)")
  }

  /// The page's table is `Trial.best`, row by row.
  @Test func theManPageHasTheSameTable() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../man/pmae-pretrain.1")
    let text = try String(contentsOf: page, encoding: .utf8)
    let start = try #require(text.range(of: ".Ss Your own images"))
    let rows = text[start.upperBound...].split(separator: "\n").prefix { $0 != ".Ss Where the paper is silent" }.filter
    {
      $0.hasPrefix(".It ") && !$0.hasPrefix(".It Em")
    }
    let expected = Trial.best.map { trial in
      let e = trial.encoder
      let figures = [trial.features.neighbours, trial.pixels.neighbours, trial.features.line, trial.pixels.line]
      let cells =
        [trial.set, "\(trial.pictures)", "\(e.image)", "\(e.patch)", "\(trial.epochs)"]
        + figures.map { String(format: "%.1f", $0) }
      return ".It " + cells.joined(separator: " Ta ")
    }
    #expect(rows.map(String.init) == expected)
  }
}
