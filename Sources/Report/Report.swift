import Foundation
import Schemas
import TensorStream

/// A page about a measure, for people: one file of HTML that needs nothing else.
///
///     var report = Report(title: "model.stz on test.stz", about: "pmae-evaluate classify")
///     report.addLineage(command: ["pmae-evaluate", "classify"], inputs: [("test.stz", [:])])
///     print(report.text)
public struct Report {
  private let title: String
  private let about: String
  private var sections: [(title: String, body: HTML)] = []

  /// - Parameter about: a sentence below the title.
  public init(title: String, about: String) { (self.title, self.about) = (title, about) }

  /// Adds a section. Its title is this package's own, and names it in links.
  mutating func section(_ title: String, _ write: (inout HTML) -> Void) {
    var body = HTML()
    write(&body)
    sections.append((title, body))
  }

  /// The page.
  public var text: String {
    var page = HTML()
    page.add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
    page.add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
    // No script runs and nothing is fetched, whatever a name holds.
    page.add(
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
    )
    page.element("title", title)
    page.add("\n<style>\n\(reportStyle)\n</style>\n</head>\n<body>\n")
    page.add("<a class=\"skip\" href=\"#main\">To the figures</a>\n<header>\n")
    page.element("h1", title)
    page.element("p", about, "class=\"quiet\"")
    page.add("\n<nav aria-label=\"Sections\"><ul>")
    for (place, section) in sections.enumerated() {
      page.add("<li><a href=\"#s\(place)\">\(HTML.escaped(section.title))</a></li>")
    }
    page.add("</ul></nav>\n</header>\n<main id=\"main\">\n")
    for (place, section) in sections.enumerated() {
      page.add("<section aria-labelledby=\"s\(place)\">\n")
      page.element("h2", section.title, "id=\"s\(place)\"")
      page.add("\n\(section.body.text)</section>\n")
    }
    page.add("</main>\n</body>\n</html>\n")
    return page.text
  }

  // MARK: Lineage

  /// The command that made the report, and how its inputs came to be.
  /// - Parameter inputs: of each its name, and the metadata that it carries.
  public mutating func addLineage(command: [String], inputs: [(name: String, metadata: [String: String])]) {
    section("How this was made") { body in
      body.add("<p>This report:</p>\n")
      body.element("pre", printable(commandLine(command)))
      body.add("\n<p>Its inputs, and what they were made from:</p>\n<div class=\"lineage\"><ul>")
      for input in inputs {
        body.add("<li>")
        body.element("strong", printable(input.name))
        if let step = ProvenanceStep(metadata: input.metadata) {
          Self.add(step, to: &body)
        } else {
          body.add(" <span class=\"quiet\">says nothing of how it was made</span>")
        }
        body.add("</li>")
      }
      body.add("</ul></div>\n")
    }
  }

  private static func add(_ step: ProvenanceStep, to body: inout HTML) {
    let words = [step.tool ?? "?"] + step.arguments.map { "\($0)" }
    let command = printable(commandLine(words))
    body.element("pre", command.count > 2000 ? command.prefix(2000) + "…" : command)
    if step.inputs.isEmpty { return }
    body.add("<ul>")
    for input in step.inputs {
      body.add("<li>")
      body.element("strong", printable(input.name ?? "?"))
      body.element("span", " " + printable(input.kind ?? ""), "class=\"quiet\"")
      add(input, to: &body)
      body.add("</li>")
    }
    body.add("</ul>")
  }
}
