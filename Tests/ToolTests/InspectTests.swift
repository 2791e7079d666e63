import Foundation
import TensorStream
import Testing

@Suite struct InspectTests {
  @Test func runs() throws {
    let result = try ToolRunner.run("pmae-inspect", ["--version"])
    #expect(result.status == 0)
    #expect(result.text.hasPrefix("pmae-inspect "))
  }
}
