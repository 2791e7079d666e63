import Foundation
import Testing
import Training

/// The model of `pmae-pretrain --plan`.
@Suite struct ClusterPlanTests {
  private static func measured(_ images: Int = 8, seconds: Double = 2, weights: Int = 50_000_000)
    -> ClusterPlan.Measured
  {
    ClusterPlan.Measured(images: images, seconds: seconds, threads: 1, weights: weights, memory: 0x1p31)
  }

  private static func network(_ text: String, microseconds: Double = 50) -> Interconnect {
    Interconnect(bitsPerSecond: Interconnect.bitsPerSecond(text)!, latency: microseconds * 1e-6)
  }

  /// One rank speaks with nobody.
  @Test func oneRankIsTheProcessThatWasMeasured() {
    let plan = ClusterPlan(Self.measured(), ranks: 1, network: Self.network("1Gbit"))
    #expect(plan.seconds == 2 && plan.efficiency == 1 && plan.imagesPerSecond == 4 && plan.memory == 0x1p31)
    #expect(plan.hours(epochs: 3, images: 8000) == 3 * 1000 * 2.0 / 3600)
  }

  @Test func aFasterNetworkAndFewerBytesAreFaster() {
    func seconds(_ network: String, _ ranks: Int = 8, wire: String = "float32", microseconds: Double = 50) -> Double {
      ClusterPlan(
        Self.measured(), ranks: ranks, network: Self.network(network, microseconds: microseconds),
        wire: .init(rawValue: wire)!
      ).seconds
    }
    #expect(seconds("1Gbit") > seconds("10Gbit") && seconds("10Gbit") > 2)
    #expect(seconds("1Gbit") > seconds("1Gbit", wire: "bfloat16"))
    #expect(seconds("10Gbit", microseconds: 500) > seconds("10Gbit"))
    #expect(seconds("1Gbit", 16) > seconds("1Gbit", 2))
    // Each rank keeps its share of the moments.
    func memory(_ ranks: Int) -> Double {
      ClusterPlan(Self.measured(), ranks: ranks, network: Self.network("1Gbit")).memory
    }
    #expect(memory(4) < memory(2) && memory(64) < memory(4))
  }

  @Test func speedsAreReadAndWritten() {
    #expect(Interconnect.bitsPerSecond("25Gbit") == 25e9)
    #expect(Interconnect.bitsPerSecond("2.5 Gbit/s") == 2.5e9)
    #expect(Interconnect.bitsPerSecond("500mbit") == 5e8)
    for text in ["", "25", "Gbit", "-1Gbit", "0Gbit", "infGbit", "25GB"] {
      #expect(Interconnect.bitsPerSecond(text) == nil, "\(text)")
    }
    #expect(Self.network("2.5Gbit").speed == "2.5 Gbit/s" && Self.network("500Mbit").speed == "500 Mbit/s")
  }

  /// What was measured with networks of several speeds: the model says the step of runs that it was not fitted to within 10 %, and the
  /// memory of all within 10 %.
  @Test func theModelSaysWhatWasMeasured() throws {
    let url = try #require(URL(string: #filePath)).deletingLastPathComponent().appending(
      path: "Fixtures/cluster-network.tsv")
    let lines = try String(contentsOfFile: url.path, encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: "\t").map(String.init)
    }
    let names = lines[0]
    var checked = 0
    for line in lines.dropFirst() {
      let row = Dictionary(uniqueKeysWithValues: zip(names, line))
      func number(_ name: String) throws -> Double { try #require(row[name].flatMap(Double.init)) }
      let rate = row["rate"] == "none" ? 12e9 : try #require(Interconnect.bitsPerSecond(row["rate"]!))
      // More ranks than the two cores: what moves values is slowed as what computes.
      let slow = max(1, try number("ranks") / 2)
      let measured = ClusterPlan.Measured(
        images: Int(try number("images")), seconds: try number("alone") / slow, threads: 1,
        weights: Int(try number("weights")), memory: try number("alone_mib") * 0x1p20)
      let plan = ClusterPlan(
        measured, ranks: Int(try number("ranks")),
        network: Interconnect(bitsPerSecond: rate * slow, latency: try number("microseconds") * 1e-6 / slow),
        wire: .init(rawValue: row["wire"]!)!)
      let seconds = try number("seconds")
      let ratio = plan.seconds * slow / seconds
      if row["use"] == "check" {
        checked += 1
        #expect((0.9...1.1).contains(ratio), "\(line): \(plan.seconds * slow)")
      }
      #expect((0.9...1.1).contains(plan.memory / 0x1p20 / (try number("mib"))), "\(line): \(plan.memory / 0x1p20)")
    }
    #expect(checked >= 8)
  }
}
