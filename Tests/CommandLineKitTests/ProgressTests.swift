import CommandLineKit
import Testing

@Suite struct ProgressTests {
  @Test(arguments: [
    (0.0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1:00"), (185, "3:05"),
    (3599.6, "1:00:00"), (3765, "1:02:45"), (.infinity, "?"), (.nan, "?"),
  ])
  func timesAreForPeople(seconds: Double, text: String) {
    #expect(duration(seconds) == text)
  }
}
