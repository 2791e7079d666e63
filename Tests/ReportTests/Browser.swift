import Foundation

/// A browser without a window, where this machine has one.
enum Browser {
  static let path = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"].flatMap { name in
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map { "\($0)/\(name)" }
  }.first { FileManager.default.isExecutableFile(atPath: $0) }

  /// What a page looks like in a window of this width.
  struct Look: Decodable {
    let title: String
    /// Of the whole page: above `width` it would have to be scrolled sideways.
    let scroll: Int
    let width: Int
    /// Pictures that were decoded.
    let images: Int
    let broken: Int
    /// Scripts, and attributes that would be some.
    let scripts: Int
    let tables: Int
    /// Links within the page that lead nowhere.
    let loose: Int
    /// Regions that scroll and cannot be reached by the keyboard.
    let unreachable: Int
    /// The colour behind the text.
    let background: String
  }

  static func look(at page: String, width: Int, isDark: Bool, in folder: String) throws -> Look {
    try page.write(toFile: folder + "/report.html", atomically: true, encoding: .utf8)
    let frame = """
      <!DOCTYPE html><meta charset="utf-8"><iframe id="frame" src="report.html" width="\(width)" height="900" \
      style="border:0"></iframe><script>
      onload = () => {
        const page = frame.contentDocument, all = s => [...page.querySelectorAll(s)];
        const wide = all("*").filter(e => e.scrollWidth > e.clientWidth + 1
          && ["auto", "scroll"].includes(frame.contentWindow.getComputedStyle(e).overflowX));
        const found = {
          title: page.title, scroll: page.documentElement.scrollWidth, width: frame.contentWindow.innerWidth,
          images: all("img").filter(i => i.complete && i.naturalWidth > 0).length,
          broken: all("img").filter(i => !i.complete || i.naturalWidth == 0).length,
          scripts: all("script").length + all("*").filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length,
          tables: all("table").length,
          loose: all("a").filter(a => !page.getElementById(a.getAttribute("href").slice(1))).length,
          unreachable: wide.filter(e => e.tabIndex < 0).length,
          background: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
        };
        document.body.textContent = "<<" + btoa(unescape(encodeURIComponent(JSON.stringify(found)))) + ">>";
      };
      </script>
      """
    try frame.write(toFile: folder + "/frame.html", atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path ?? "")
    process.arguments =
      ["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--user-data-dir=\(folder)/profile"]
      + (isDark ? ["--blink-settings=preferredColorScheme=0"] : ["--blink-settings=preferredColorScheme=1"])
      + ["--window-size=1400,1000", "--virtual-time-budget=10000", "--dump-dom", "file://\(folder)/frame.html"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let found = text.firstMatch(of: /&lt;&lt;([A-Za-z0-9+\/=]+)&gt;&gt;/)
    guard let found, let data = Data(base64Encoded: String(found.1)) else { throw BrowserError(text: text) }
    return try JSONDecoder().decode(Look.self, from: data)
  }
}

struct BrowserError: Error {
  let text: String
}
